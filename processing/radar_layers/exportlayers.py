"""Layer lines as depths and accumulation on the map, and as files of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from qgis.core import (
    Qgis,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMultipleLayers,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import Page, page
from glacier_qgis.processing.declarations.parameters import (
    RADAR_LAYERS,
    Parameter,
    number,
    optional_layer,
)
from glacier_qgis.processing.radar_layers.parameters import LINES, depth, line_source, track_crs
from glacier_qgis.translation import tr

ICE_DENSITY = 917
POINT = Qgis.ProcessingSourceType.VectorPoint


class ExportLayers(EngineAlgorithm):
    """`glacier:exportlayers`."""

    ID = "exportlayers"
    TITLE = tr("Export layers")
    GROUP = RADAR_LAYERS
    TAGS = tr(
        "radar,echogram,layers,isochrones,depth,thickness,accumulation,surface mass balance,csv,"
        "open polar radar,cresis,impdar,picks,ice-penetrating"
    )
    SUMMARY = tr(
        "Turns layer lines of echograms into points and lines on the map, with depth, thickness "
        "up to the layer above, and accumulation between dated layers.\n\n"
        "A layer is dated by the field 'year' of its lines, such as 1998.5; the surface is as old "
        "as the survey. Depth counts from the line of the surface if there is one, otherwise from "
        "the surface in the radargram, otherwise from time 0. Thinning by ice flow is not "
        "corrected."
    )
    STYLES: ClassVar = {
        "OUTPUT": styles.layer_points,
        "LAYER_LINES": styles.layers_on_map,
    }

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        inputs = [
            described(
                QgsProcessingParameterMultipleLayers(
                    "INPUT", tr("Echograms"), Qgis.ProcessingSourceType.Raster
                ),
                tr("Echograms that 'Import radargram' wrote; each is read with its own axes."),
            ),
            line_source(
                "LINES",
                tr("Layer lines"),
                tr(
                    "Lines drawn or traced in these echograms. With several echograms each line "
                    "needs the name of its frame in 'frame_id'."
                ),
            ),
        ]
        return [
            page(tr("Layers"), inputs),
            page(tr("Depth"), [*depth(of_import=False), *self._density()]),
            page(tr("Results"), self._results()),
        ]

    def _density(self) -> list[Parameter]:
        return [
            number(
                "SURFACE_DENSITY",
                tr("Density at the surface (kg/m³)"),
                tr(
                    "Of snow or firn, for accumulation in water equivalent. The default, 917, is "
                    "solid ice; 350 is usual in dry snow."
                ),
                ICE_DENSITY,
                minValue=1,
                maxValue=ICE_DENSITY,
            ),
            number(
                "DENSITY_LENGTH",
                tr("Depth of densification (m)"),
                tr(
                    "Depth over which the difference to solid ice falls to 37 %. The default, 30, "
                    "suits dry polar firn; it has no effect with solid ice at the surface."
                ),
                30,
                minValue=0.1,
                maxValue=1000,
            ),
        ]

    def _results(self) -> list[Parameter]:
        return [
            described(
                QgsProcessingParameterFeatureSink("OUTPUT", tr("Layers as points"), POINT),
                tr("A point for each layer at each trace where it is traced."),
            ),
            optional_layer(
                "LAYER_LINES",
                tr("Layers as lines"),
                tr("A line on the map for each unbroken piece of a layer, with means along it."),
                LINES,
                in_dialogs=True,
            ),
            described(
                QgsProcessingParameterFileDestination(
                    "CSV",
                    tr("Table"),
                    tr("CSV files (*.csv)"),
                    optional=True,
                    createByDefault=False,
                ),
                tr("The columns of the points as comma-separated values."),
            ),
            described(
                QgsProcessingParameterFolderDestination(
                    "OPR_FOLDER", tr("Layer files"), optional=True, createByDefault=False
                ),
                tr(
                    "Folder for a layer file of Open Polar Radar per echogram: id, twtt, quality "
                    "and type of each layer, and GPS time and position of each trace."
                ),
            ),
            described(
                QgsProcessingParameterFolderDestination(
                    "IMPDAR_FOLDER", tr("ImpDAR files"), optional=True, createByDefault=False
                ),
                tr(
                    "Folder for an ImpDAR file per echogram, the radargram with its picks. ImpDAR "
                    "holds whole samples."
                ),
            ),
            track_crs(),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("LAYERS", tr("Layers")),
            QgsProcessingOutputNumber("PICKS", tr("Points")),
            QgsProcessingOutputNumber(
                "MEAN_ACCUMULATION", tr("Mean accumulation (m water equivalent per year)")
            ),
        ]
