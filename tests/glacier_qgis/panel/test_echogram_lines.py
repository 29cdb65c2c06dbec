"""Lines that are shown in an echogram: those of its frame, chosen by themselves, none lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import (
    QgsExpressionContext,
    QgsFeature,
    QgsFeatureIterator,
    QgsFeatureRequest,
    QgsField,
    QgsFields,
    QgsLineSymbol,
    QgsMapRendererSequentialJob,
    QgsProject,
    QgsSingleSymbolRenderer,
    QgsSymbol,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QMetaType
from qgis.PyQt.QtGui import QColor, QImage

from glacier_qgis import styles
from glacier_qgis.panel.echogram_lines import style_in
from glacier_qgis.panel.echogram_panel import EchogramPanel
from kit.qgis.echograms import FRAME, echogram_layer, line_layer

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")
ABOVE, BELOW = "LineString (0.5 -10.5, 59.5 -10.5)", "LineString (0.5 -32.5, 59.5 -32.5)"
RED = QColor(255, 0, 0)


@pytest.fixture
def panel(canvas: QgsMapCanvas) -> Iterator[EchogramPanel]:
    """Return the panel, without an echogram."""
    panel = EchogramPanel(canvas)
    panel.resize(900, 600)
    panel.show()
    yield panel
    panel.close_down()
    panel.deleteLater()


def in_red(layer: QgsVectorLayer) -> QgsVectorLayer:
    symbol = QgsLineSymbol.createSimple({"line_color": RED.name(), "line_width": "1.5"})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    return layer


def red_rows(panel: EchogramPanel) -> set[int]:
    """Return the samples at which something red is drawn in the middle of the echogram."""
    canvas = panel.view.canvas
    job = QgsMapRendererSequentialJob(canvas.mapSettings())
    job.start()
    job.waitForFinished()
    image: QImage = job.renderedImage()
    place = canvas.getCoordinateTransform()
    return {
        row
        for row in range(40)
        if _is_red(image.pixelColor(image.width() // 2, round(place.transform(30, -row - 0.5).y())))
    }


def _is_red(colour: QColor) -> bool:
    return colour.red() > 200 and colour.green() < 60


def test_lines_of_other_frames_do_not_lie_over_an_echogram(
    panel: EchogramPanel, tmp_path: Path
) -> None:
    layer = in_red(line_layer((3, ABOVE)))
    other = QgsFeature(layer.getFeature(1))
    other["frame_id"] = "20120507_07_005"
    (below,) = line_layer((3, BELOW)).getFeatures()
    other.setGeometry(below.geometry())
    assert layer.dataProvider().addFeatures([other])[0]
    panel.show_layer(echogram_layer(tmp_path / "frame.tif"))
    panel.show_lines(layer)
    assert red_rows(panel) == {10}
    assert isinstance(layer.renderer(), QgsSingleSymbolRenderer)  # the layer keeps its own style

    other["frame_id"] = ""  # as a person may draw it
    layer.startEditing()
    layer.addFeature(other)
    assert red_rows(panel) == {10, 32}
    layer.rollBack()


def test_a_new_style_of_the_lines_is_shown(panel: EchogramPanel, tmp_path: Path) -> None:
    layer = line_layer((3, ABOVE))
    panel.show_layer(echogram_layer(tmp_path / "frame.tif"))
    assert red_rows(panel) == set()
    in_red(layer)
    assert red_rows(panel) == {10}


def test_an_echogram_is_opened_with_its_lines(panel: EchogramPanel, tmp_path: Path) -> None:
    own = line_layer((3, ABOVE))
    line_layer((3, ABOVE), frame="another")
    plain = QgsVectorLayer("LineString", "roads", "memory")
    QgsProject.instance().addMapLayer(plain)
    panel.show_layer(echogram_layer(tmp_path / "frame.tif"))
    assert panel._line_layer() == own


def test_lines_that_come_later_are_shown_unless_others_are_edited(
    panel: EchogramPanel, tmp_path: Path
) -> None:
    panel.show_layer(echogram_layer(tmp_path / "frame.tif"))
    assert panel._line_layer() is None
    line_layer((3, ABOVE), frame="another")
    assert panel._line_layer() is None
    traced = line_layer((3, ABOVE))
    assert panel._line_layer() == traced
    again = line_layer((3, BELOW))
    assert panel._line_layer() == again
    again.startEditing()
    line_layer((3, ABOVE))
    assert panel._line_layer() == again
    again.rollBack()


def test_layers_have_their_ids_beside_them_and_doubtful_ones_are_faint() -> None:
    layer = line_layer((3, ABOVE))
    styles.radar_layers(layer, {})
    assert layer.labelsEnabled()
    style = style_in(layer, FRAME)
    assert style is not None
    category = layer.renderer().categories()[2]
    assert category.value() == "layer"
    opacity = category.symbol().dataDefinedProperties().property(QgsSymbol.Property.Opacity)
    context = QgsExpressionContext()
    fields = QgsFields()
    for name in ("confidence", "origin"):
        fields.append(QgsField(name, QMetaType.Type.QString))
    for confidence, origin, shown in ((0.4, "traced", 35), (1, "traced", 100), (0.4, "drawn", 100)):
        feature = QgsFeature(fields)
        feature.setAttributes([confidence, origin])
        context.setFeature(feature)
        context.setFields(fields)
        assert opacity.valueAsDouble(context, -1)[0] == pytest.approx(shown)
    assert f"\"frame_id\" = '{FRAME}'" in style.replace("&quot;", '"')


class Interrupted(QgsVectorLayer):
    """A layer whose next read ends before its first feature."""

    broken = False

    def getFeatures(self, request: QgsFeatureRequest | None = None) -> QgsFeatureIterator:
        """Read nothing, once."""
        if self.broken:
            self.broken = False
            request = QgsFeatureRequest().setFilterExpression("false")
        return super().getFeatures(request or QgsFeatureRequest())


def test_a_read_that_ends_early_duplicates_no_layer(panel: EchogramPanel, tmp_path: Path) -> None:
    stored = line_layer((7, "LineString (0.5 -30, 59.5 -30)"))
    layer = Interrupted(stored.source(), "layers", "memory")
    layer.dataProvider().addFeatures(list(stored.getFeatures()))
    QgsProject.instance().addMapLayer(layer)
    panel.show_layer(echogram_layer(tmp_path / "frame.tif"))
    panel.show_lines(layer)
    layer.startEditing()
    panel.form.number.setCurrentIndex(panel.form.number.findData(7))
    layer.broken = True
    panel._finish([(20.5, -22.5), (30.5, -23.5)])
    assert not layer.broken
    (line,) = QgsVectorLayer.getFeatures(layer)
    assert line["layer_id"] == 7
    assert line.geometry().boundingBox().width() == 59
    layer.rollBack()
