"""Surface mass balance of a surface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from qgis.core import (
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm, described
from glacier_qgis.processing.common import ICE_FLOW, Parameter, extent, number, polygons
from glacier_qgis.processing.ice_flow.balance import mass_balance, number_list
from glacier_qgis.processing.ice_flow.simulateglacier import vertical_unit


class SurfaceMassBalance(EngineAlgorithm):
    """`glacier:surfacemassbalance`."""

    ID = "surfacemassbalance"
    TITLE = "Surface mass balance"
    GROUP = ICE_FLOW
    TAGS = "igm,mass balance,smb,ela,degree days,pdd,accumulation,ablation,climate,glacier,dem"
    SUMMARY = (
        "Mass that a surface gains or loses in a year, in metres of ice: by height above the "
        "equilibrium line, by snowfall and positive degree days, or from a raster series. It is "
        "what 'Simulate glacier' would compute with the same options while the surface stays as "
        "it is."
    )
    STYLES: ClassVar = {"OUTPUT": styles.mass_balance}

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            described(
                QgsProcessingParameterRasterLayer("SURFACE", "Surface elevation"),
                "Elevation of the surface, m.",
            ),
            extent("the surface"),
            number(
                "RESOLUTION",
                "Resolution (m)",
                "Edge of a cell; 0 takes the surface raster's.",
                0,
                minValue=0,
                maxValue=20000,
            ),
            polygons("ICE_MASK", "Ice mask", "Polygons to which the result is limited."),
            number_list(
                "YEARS",
                "Years",
                "Years to compute, a band each, as in '1900, 1950, 2000'. Needed only where the "
                "mass balance changes with time.",
                advanced=False,
            ),
            *mass_balance(),
            vertical_unit(),
            described(
                QgsProcessingParameterRasterDestination("OUTPUT", "Mass balance"),
                "Surface mass balance, m ice (910 kg m⁻³) per year.",
            ),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [QgsProcessingOutputNumber("MEAN_BALANCE", "Mean mass balance (m ice/a)")]
