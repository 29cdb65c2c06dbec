"""Evolution of glaciers with the flow of a physical model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, ClassVar

from qgis.core import QgsProcessingContext

from glacier_qgis.processing.declarations.pages import BLANK, Page, only_if
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
from glacier_qgis.processing.ice_flow.parameters.instructors import (
    READ_WITH,
    instructor,
    model_output,
    snapshots,
    solver,
)
from glacier_qgis.processing.ice_flow.parameters.results import results_page
from glacier_qgis.processing.ice_flow.parameters.teaching_faults import netcdf_faults
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

    BEGINNINGS: ClassVar[tuple[str, ...]] = ("RESUME", "MODEL_OUTPUT")

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class."""
        for name in self.BEGINNINGS:
            yield from netcdf_faults(parameters, name)
        yield from super().faults(parameters, context)

    def pages(self) -> Sequence[Page]:
        """See the base class; of another model's output no more is asked than how to read it."""
        source = model_output()
        pages = [
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
        for parameter in chain.from_iterable(page.parameters() for page in pages):
            if parameter.name() not in READ_WITH:
                only_if(parameter, MODEL_OUTPUT=BLANK)
        ground = pages[0]
        sections = {**ground.sections, tr("Read another model's output instead"): source}
        return [Page(ground.title, ground.main, sections), *pages[1:]]
