"""Evolution of glaciers."""

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
from glacier_qgis.processing.ice_flow.parameters.flow import flow, orientations, refinement
from glacier_qgis.processing.ice_flow.parameters.ground import ground_page
from glacier_qgis.processing.ice_flow.parameters.results import results_page
from glacier_qgis.translation import tr


class SimulateGlacier(EvolvingAlgorithm):
    """`glacier:simulateglacier`."""

    ID = "simulateglacier"
    TITLE = tr("Simulate glacier")
    TAGS = tr(
        "igm,ice,flow,glacier,evolution,simulation,thickness,velocity,mass balance,outline,"
        "dem,emulator,machine learning,pytorch"
    )
    SUMMARY = tr(
        "Lets the glaciers of a landscape grow and shrink with the Instructed Glacier Model: a "
        "neural network predicts the velocity of the ice, an equilibrium line, degree days or "
        "rasters give the mass balance, and mass is conserved on a grid.\n\n"
        "Give the bedrock, or a surface with the ice thickness on it. A surface alone is taken as "
        "ice-free ground: where it shows a glacier, add its thickness, such as the consensus "
        "estimate (Farinotti et al. 2019) or that of Millan et al. (2022). "
        "Rasters have one band per saved year and play with the temporal controller."
    )

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        return [
            ground_page(
                tr(
                    "Size of a cell. The emulators were made for 50 to 200 m (valley glaciers) and "
                    "1000 to 2000 m (icefields)."
                ),
            ),
            balance.climate_page([scenarios()], [update_interval()]),
            Page(
                tr("Ice"),
                flow(),
                {
                    tr("Refinement"): refinement(),
                    tr("Numerics"): [orientations(), *numerics(), device()],
                },
            ),
            Page(tr("Time"), time_span()),
            results_page(),
        ]
