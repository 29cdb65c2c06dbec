"""Thickness, bed and sliding of a glacier from its surface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, ClassVar

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.pages import Page
from glacier_qgis.processing.declarations.parameters import ICE_FLOW, device
from glacier_qgis.processing.ice_flow.parameters import balance, inversion
from glacier_qgis.processing.ice_flow.parameters.balance_faults import balance_faults
from glacier_qgis.processing.ice_flow.parameters.flow import orientations
from glacier_qgis.processing.ice_flow.parameters.place_faults import place_faults
from glacier_qgis.translation import tr


class GlacierThickness(EngineAlgorithm):
    """`glacier:glacierthickness`."""

    ID = "glacierthickness"
    TITLE = tr("Glacier thickness")
    GROUP = ICE_FLOW
    TAGS = tr(
        "ice thickness,bed,bedrock,sliding,inversion,inverse,glacier,volume,outline,dem,velocity,"
        "radar,mass conservation,emulator,igm,uncertainty,ensemble"
    )
    SUMMARY = tr(
        "Thickness of a glacier, its bed and how it slides, from its surface and outline, and from "
        "whatever is measured: velocity of the surface, thickness at points, mass balance. The "
        "thickness is sought at which the flow that an emulator predicts carries the mass balance "
        "away and agrees with what is measured.\n\n"
        "An ensemble tells how certain it is. Thickness, bed and sliding go straight into "
        "'Simulate glacier'."
    )
    STYLES: ClassVar = {
        "THICKNESS": styles.thickness,
        "BED": styles.elevation,
        "SLIDING": styles.sliding,
        "SPREAD": styles.deviation,
        "MISFIT": styles.in_errors,
    }

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        climate = balance.climate_page()
        automatic = inversion.automatic_ela()
        main = [automatic if one.name() == "ELA" else one for one in climate.main]
        return [
            inversion.glacier_page(),
            inversion.measured_page(),
            Page(climate.title, [*main, *inversion.present()], climate.sections),
            Page(
                tr("Ice"),
                inversion.ice(),
                {
                    tr("Weights"): inversion.weights(),
                    tr("Numerics"): [*inversion.numerics(), orientations(), device()],
                },
            ),
            inversion.results_page(),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("VOLUME", tr("Volume (km³)")),
            QgsProcessingOutputNumber("MEAN_THICKNESS", tr("Mean thickness (m)")),
            QgsProcessingOutputNumber("MEAN_SPREAD", tr("Mean spread of the thickness (m)")),
            QgsProcessingOutputNumber("MEAN_SLIDING", tr("Mean sliding coefficient")),
            QgsProcessingOutputNumber("FITTED_RATE_FACTOR", tr("Rate factor of the result")),
            QgsProcessingOutputNumber("USED_ELA", tr("Equilibrium-line altitude (m)")),
            QgsProcessingOutputNumber("CELL_SIZE", tr("Size of a cell (m)")),
            QgsProcessingOutputNumber("IMBALANCE", tr("Imbalance of the flow (m/a)")),
            QgsProcessingOutputNumber("VELOCITY_MISFIT", tr("Misfit of the velocity (m/a)")),
            QgsProcessingOutputNumber("THICKNESS_MISFIT", tr("Misfit of the thickness (m)")),
        ]

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class."""
        yield from chain(
            inversion.faults(self, parameters, context),
            place_faults(self, parameters, context, "OUTLINE"),
            balance_faults(self, parameters, context),
            super().faults(parameters, context),
        )
