"""Ice velocity of one state of a glacier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import Page, page
from glacier_qgis.processing.declarations.parameters import (
    ICE_FLOW,
    Parameter,
    device,
    extent,
    number,
    optional_raster,
)
from glacier_qgis.processing.ice_flow.parameters.flow import flow, orientations, vertical_unit
from glacier_qgis.processing.ice_flow.parameters.place_faults import place_faults
from glacier_qgis.translation import tr


def _at_levels() -> dict[str, list[Parameter]]:
    """Declare the velocity at the bed and the surface, which not every emulator gives."""
    speed = tr(
        "Magnitude of the velocity, m per year. The emulators of the family f12 do not give it at "
        "the bed."
    )
    east = tr(
        "Component of the velocity to the east, m per year. The emulators of the family f12 do not "
        "give it at the bed."
    )
    north = tr(
        "Component of the velocity to the north, m per year. The emulators of the family f12 do "
        "not give it at the bed."
    )
    bed = [
        optional_raster("BASAL_VELOCITY", tr("Speed at the bed"), speed),
        optional_raster("BASAL_VELOCITY_X", tr("Velocity at the bed to the east"), east),
        optional_raster("BASAL_VELOCITY_Y", tr("Velocity at the bed to the north"), north),
    ]
    surface = [
        optional_raster("SURFACE_VELOCITY", tr("Speed at the surface"), speed),
        optional_raster("SURFACE_VELOCITY_X", tr("Velocity at the surface to the east"), east),
        optional_raster("SURFACE_VELOCITY_Y", tr("Velocity at the surface to the north"), north),
    ]
    return {tr("At the bed"): bed, tr("At the surface"): surface}


class IceVelocity(EngineAlgorithm):
    """`glacier:icevelocity`."""

    ID = "icevelocity"
    TITLE = tr("Ice velocity")
    GROUP = ICE_FLOW
    TAGS = tr("igm,ice,flow,velocity,speed,glacier,emulator,machine learning,pytorch,dem,thickness")
    SUMMARY = tr(
        "Velocity of the ice, from its surface and thickness, by an emulator of the Instructed "
        "Glacier Model: averaged over depth, and at the bed and the surface where the emulator "
        "gives them."
    )
    STYLES: ClassVar = {
        "VELOCITY": styles.speed,
        "VELOCITY_X": styles.component,
        "VELOCITY_Y": styles.component,
        "BASAL_VELOCITY": styles.speed,
        "BASAL_VELOCITY_X": styles.component,
        "BASAL_VELOCITY_Y": styles.component,
        "SURFACE_VELOCITY": styles.speed,
        "SURFACE_VELOCITY_X": styles.component,
        "SURFACE_VELOCITY_Y": styles.component,
    }

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        glacier = [
            described(
                QgsProcessingParameterRasterLayer("SURFACE", tr("Surface elevation")),
                tr("Elevation of the surface, m."),
            ),
            described(
                QgsProcessingParameterRasterLayer("THICKNESS", tr("Ice thickness")),
                tr("Thickness of the ice, m; 0 or no data outside the ice."),
            ),
            extent(tr("The part of the surface to use. Leave it empty to use all of it.")),
            number(
                "RESOLUTION",
                tr("Resolution (m)"),
                tr("Size of a cell; 0 = that of the surface raster."),
                0,
                word=tr("of the surface raster"),
                minValue=0,
                maxValue=20000,
            ),
            vertical_unit(),
        ]
        averaged = [
            described(
                QgsProcessingParameterRasterDestination("VELOCITY", tr("Speed")),
                tr("Magnitude of the depth-averaged velocity, m per year."),
            ),
            described(
                QgsProcessingParameterRasterDestination("VELOCITY_X", tr("Velocity to the east")),
                tr("Component of the depth-averaged velocity to the east, m per year."),
            ),
            described(
                QgsProcessingParameterRasterDestination("VELOCITY_Y", tr("Velocity to the north")),
                tr("Component of the depth-averaged velocity to the north, m per year."),
            ),
        ]
        return [
            page(tr("Glacier"), glacier),
            Page(tr("Ice"), flow(), {tr("Numerics"): [orientations(), device()]}),
            Page(tr("Results"), averaged, _at_levels()),
        ]

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class."""
        yield from place_faults(self, parameters, context, "SURFACE")
        yield from super().faults(parameters, context)

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [QgsProcessingOutputNumber("MAX_SPEED", tr("Highest speed (m/a)"))]
