"""Surface mass balance of a surface."""

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
from glacier_qgis.processing.declarations.parameters import ICE_FLOW, extent, number, polygons
from glacier_qgis.processing.ice_flow.parameters import balance
from glacier_qgis.processing.ice_flow.parameters.balance import number_list
from glacier_qgis.processing.ice_flow.parameters.balance_faults import balance_faults
from glacier_qgis.processing.ice_flow.parameters.flow import vertical_unit
from glacier_qgis.processing.ice_flow.parameters.place_faults import place_faults
from glacier_qgis.translation import tr


class SurfaceMassBalance(EngineAlgorithm):
    """`glacier:surfacemassbalance`."""

    ID = "surfacemassbalance"
    TITLE = tr("Surface mass balance")
    GROUP = ICE_FLOW
    TAGS = tr("igm,mass balance,smb,ela,degree days,pdd,accumulation,ablation,climate,glacier,dem")
    SUMMARY = tr(
        "Mass that a surface gains or loses in a year, in metres of ice: by height above the "
        "equilibrium line, by snowfall and positive degree days, or from rasters. 'Simulate "
        "glacier' computes the same with the same parameters, on its changing surface."
    )
    STYLES: ClassVar = {"OUTPUT": styles.mass_balance}

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        return [
            page(
                tr("Surface"),
                [
                    described(
                        QgsProcessingParameterRasterLayer("SURFACE", tr("Surface elevation")),
                        tr("Elevation of the surface, m."),
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
                    polygons(
                        "ICE_MASK",
                        tr("Ice mask"),
                        tr("Cells outside these polygons get no mass balance."),
                    ),
                    number_list(
                        "YEARS",
                        tr("Years"),
                        tr(
                            "Years to compute, one band each, such as '1900, 1950, 2000'. They are "
                            "needed only where the mass balance changes with time."
                        ),
                        advanced=False,
                    ),
                    vertical_unit(),
                ],
            ),
            balance.climate_page(),
            page(
                tr("Result"),
                [
                    described(
                        QgsProcessingParameterRasterDestination("OUTPUT", tr("Mass balance")),
                        tr("Surface mass balance, m of ice (910 kg m⁻³) per year."),
                    )
                ],
            ),
        ]

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class."""
        yield from place_faults(self, parameters, context, "SURFACE")
        yield from balance_faults(self, parameters, context)
        yield from super().faults(parameters, context)

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [QgsProcessingOutputNumber("MEAN_BALANCE", tr("Mean mass balance (m ice/a)"))]
