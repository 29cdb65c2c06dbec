"""Evolution of glaciers with the flow of a physical model."""

from __future__ import annotations

from collections.abc import Sequence

from glacier_qgis.processing.declarations.pages import Page
from glacier_qgis.processing.declarations.parameters import device
from glacier_qgis.processing.ice_flow.evolving import EvolvingAlgorithm
from glacier_qgis.processing.ice_flow.parameters import balance
from glacier_qgis.processing.ice_flow.parameters.evolution import (
    numerics,
    scenarios,
    time_span,
    update_interval,
)
from glacier_qgis.processing.ice_flow.parameters.ground import ground_page
from glacier_qgis.processing.ice_flow.parameters.instructors import instructor, snapshots, solver
from glacier_qgis.processing.ice_flow.parameters.results import results_page
from glacier_qgis.translation import tr


class RunInstructor(EvolvingAlgorithm):
    """`glacier:runinstructor`."""

    ID = "runinstructor"
    TITLE = tr("Run instructor")
    TAGS = tr(
        "ice,flow,glacier,evolution,simulation,physics,blatter-pattyn,higher order,shallow ice,sia,"
        "ssa,hybrid,stokes,training,snapshots,emulator,velocity,sliding,netcdf"
    )
    SUMMARY = tr(
        "Lets the glaciers of a landscape grow and shrink with a physical model of ice flow, "
        "solved in each time step to a stated residual: Blatter-Pattyn, the hybrid of shallow ice "
        "and shallow shelf, or shallow ice. Ground, mass balance, transport and results are those "
        "of 'Simulate glacier'.\n\n"
        "It is slower than an emulator by far. Use it where an emulator is in doubt, and to make "
        "training snapshots, the states and velocities that emulators are trained on."
    )

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        return [
            ground_page(
                tr(
                    "Size of a cell. The time of a run grows with the number of cells and of time "
                    "steps: begin with a coarse one."
                )
            ),
            balance.climate_page([scenarios()], [update_interval()]),
            Page(tr("Ice"), instructor(), {tr("Numerics"): [*solver(), *numerics(), device()]}),
            Page(tr("Time"), time_span()),
            results_page([snapshots()]),
        ]
