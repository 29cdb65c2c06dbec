"""Render the maps of the demo with QGIS' own layouts, without a screen.

    python3 -m in_qgis.maps PLUGINS fronts SCENE LINES [TRACE] MAP.png
    python3 -m in_qgis.maps PLUGINS ice DEM THICKNESS SPEED MAP.png

PLUGINS is the folder in which ``glacier_qgis`` is installed: its styles are shown. TRACE is a
text file of longitudes and latitudes, a line drawn by somebody else to compare with.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar, cast

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsColorRampShader,
    QgsContrastEnhancement,
    QgsCoordinateTransform,
    QgsFeature,
    QgsGeometry,
    QgsHillshadeRenderer,
    QgsLayout,
    QgsLayoutExporter,
    QgsLayoutItem,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemScaleBar,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsLegendRenderer,
    QgsLegendStyle,
    QgsLineSymbol,
    QgsMapLayer,
    QgsMapLayerLegendUtils,
    QgsPointXY,
    QgsProject,
    QgsRasterLayer,
    QgsRasterMinMaxOrigin,
    QgsRectangle,
    QgsSingleBandPseudoColorRenderer,
    QgsSingleSymbolRenderer,
    QgsTextFormat,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor, QFont

Known = TypeVar("Known", QgsRasterLayer, QgsVectorLayer)
MM = Qgis.LayoutUnit.Millimeters
GAP, TITLE, PANEL = 6.0, 10.0, 120.0  # mm
DPI = 150


def hidden_entries(layer: QgsRasterLayer) -> int:
    """Return how many entries at the top of a raster's legend explain nothing on a map.

    They are the name of the band, and what is left clear, such as ground without ice.
    """
    renderer = cast(QgsSingleBandPseudoColorRenderer, layer.renderer())
    shader = cast(QgsColorRampShader, renderer.shader().rasterShaderFunction())
    lowest = QColor(shader.colorRampItemList()[0].color)
    return 1 + (lowest.alpha() == 0)


class Page:
    """A sheet of panels, each a map with its title above and its legend and scale below."""

    def __init__(self) -> None:
        self.layout = QgsLayout(QgsProject.instance())
        self.layout.initializeDefaults()
        self._height = 0.0

    def add(
        self,
        title: str,
        layers: Sequence[QgsMapLayer],
        extent: QgsRectangle,
        hidden_entries: int = 0,
    ) -> None:
        """Put a panel right of those that are there.

        Args:
            title: Heading.
            layers: From top to bottom; the legend explains the first.
            extent: In the project's CRS.
            hidden_entries: How many of the legend's first entries to leave out.
        """
        count = sum(isinstance(item, QgsLayoutItemMap) for item in self.layout.items())
        left = GAP + count * (PANEL + GAP)
        height = PANEL * extent.height() / extent.width()
        below = GAP + TITLE + height

        heading = QgsLayoutItemLabel(self.layout)
        heading.setText(title)
        heading.setTextFormat(_text(13))
        self._place(heading, left, GAP, PANEL, TITLE)

        panel = QgsLayoutItemMap(self.layout)
        self._place(panel, left, GAP + TITLE, PANEL, height)
        panel.setLayers(list(layers))
        panel.setExtent(extent)
        panel.setFrameEnabled(True)

        scale = QgsLayoutItemScaleBar(self.layout)
        scale.setLinkedMap(panel)
        scale.applyDefaultSettings()
        scale.applyDefaultSize(Qgis.DistanceUnit.Kilometers)
        scale.setUnitsPerSegment(scale.numberOfSegments() * scale.unitsPerSegment())
        scale.setNumberOfSegments(1)
        scale.setTextFormat(_text(9))
        self._place(scale, left + PANEL * 0.75, GAP - 2, PANEL * 0.25, TITLE)

        legend = QgsLayoutItemLegend(self.layout)
        legend.setLinkedMap(panel)
        legend.setAutoUpdateModel(False)
        legend.setColumnCount(2)
        legend.setSplitLayer(True)
        for part in (QgsLegendStyle.Style.Subgroup, QgsLegendStyle.Style.SymbolLabel):
            legend.rstyle(part).setTextFormat(_text(9))
        model = legend.model()
        model.rootGroup().clear()
        node = model.rootGroup().addLayer(layers[0])
        entries = len(model.layerLegendNodes(node))
        QgsMapLayerLegendUtils.setLegendNodeOrder(node, list(range(hidden_entries, entries)))
        model.refreshLayerLegend(node)
        self._place(legend, left, below + 1, PANEL, GAP)
        rows = QgsLegendRenderer(model, legend.legendSettings()).minimumSize().height()
        self._height = max(self._height, below + rows + 2 * GAP)
        size = QgsLayoutSize(left + PANEL + GAP, self._height, MM)
        self.layout.pageCollection().page(0).setPageSize(size)

    def save(self, path: Path) -> None:
        """Write the sheet as a picture."""
        settings = QgsLayoutExporter.ImageExportSettings()
        settings.dpi = DPI
        settings.exportMetadata = False
        result = QgsLayoutExporter(self.layout).exportToImage(str(path), settings)
        if result != QgsLayoutExporter.ExportResult.Success:
            raise SystemExit(f"{path} could not be rendered.")

    def _place(self, item: QgsLayoutItem, x: float, y: float, width: float, height: float) -> None:
        item.attemptMove(QgsLayoutPoint(x, y, MM))
        item.attemptResize(QgsLayoutSize(width, height, MM))
        self.layout.addLayoutItem(item)


def _text(points: int) -> QgsTextFormat:
    text = QgsTextFormat()
    text.setFont(QFont("DejaVu Sans"))
    text.setSize(points)
    return text


def fronts(scene_path: str, lines_path: str, trace_path: str | None, picture: Path) -> None:
    """Draw a scene with its terminus lines over it, in the lines' own metric CRS."""
    from glacier_qgis import styles

    scene = _known(QgsRasterLayer(scene_path, "Radar scene"), scene_path)
    scene.setContrastEnhancement(
        QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum,
        QgsRasterMinMaxOrigin.Limits.CumulativeCut,
    )
    if scene.dataProvider().dataType(1) != Qgis.DataType.Byte:
        scene.brightnessFilter().setGamma(2.0)  # linear power; bytes were stretched by someone
    lines = _known(QgsVectorLayer(lines_path, "Terminus"), lines_path)
    styles.termini(lines, {})
    project = QgsProject.instance()
    project.setCrs(lines.crs())
    extent = QgsCoordinateTransform(scene.crs(), lines.crs(), project).transformBoundingBox(
        scene.extent()
    )
    page = Page()
    title = "Terminus lines"
    drawn: list[QgsMapLayer] = [lines, scene]
    if trace_path:
        title = f"{title} over a traced one (blue)"
        drawn = [lines, _trace(trace_path), scene]
    page.add(title, drawn, extent)
    page.save(picture)


def _trace(path: str) -> QgsVectorLayer:
    """Return the line that a text file of longitudes and latitudes holds."""
    layer = QgsVectorLayer("LineString?crs=EPSG:4326", "Traced line", "memory")
    rows = [row.split() for row in Path(path).read_text().splitlines() if row[:1] not in "#>"]
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromPolylineXY([QgsPointXY(*map(float, row)) for row in rows]))
    layer.dataProvider().addFeature(feature)
    symbol = QgsLineSymbol.createSimple({"line_color": "#3fa9ff", "line_width": "1.6"})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    QgsProject.instance().addMapLayer(layer)
    return layer


def ice(dem_path: str, thickness_path: str, speed_path: str, picture: Path) -> None:
    """Draw the last state of a simulation, thickness and speed, over its shaded landscape."""
    from glacier_qgis import styles

    dem = _known(QgsRasterLayer(dem_path, "Ground"), dem_path)
    shade = QgsHillshadeRenderer(dem.dataProvider(), 1, 315, 45)
    shade.setZFactor(1.5)
    dem.setRenderer(shade)
    thickness = _known(QgsRasterLayer(thickness_path, "Ice thickness"), thickness_path)
    styles.thickness(thickness, {})
    speed = _known(QgsRasterLayer(speed_path, "Ice speed"), speed_path)
    styles.speed(speed, {})
    QgsProject.instance().setCrs(thickness.crs())
    page = Page()
    for title, layer in (("thickness", thickness), ("speed", speed)):
        layers = [layer, dem]
        page.add(f"Ice {title} in the last year", layers, layer.extent(), hidden_entries(layer))
    page.save(picture)


def _known(layer: Known, path: str) -> Known:
    if not layer.isValid():
        raise SystemExit(f"{path} does not open in QGIS.")
    QgsProject.instance().addMapLayer(layer)
    return layer


def main(plugins: str, kind: str, *paths: str) -> None:
    """Draw one map."""
    sys.path.insert(0, plugins)
    application = QgsApplication([], False)
    application.initQgis()
    *layers, picture = paths
    if kind == "fronts":
        trace = layers[2] if len(layers) > 2 else None
        fronts(layers[0], layers[1], trace, Path(picture))
    else:
        ice(layers[0], layers[1], layers[2], Path(picture))
    QgsProject.instance().clear()
    application.exitQgis()


if __name__ == "__main__":
    main(*sys.argv[1:])
