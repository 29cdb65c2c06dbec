"""The panel of echograms: axes, snapping, drawing, and marks that follow the cursor."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent
from qgis.PyQt.QtCore import QEvent, QPoint, Qt
from qgis.PyQt.QtGui import QImage, QPainter
from qgis.PyQt.QtTest import QTest

from glacier_qgis.panel import echogram_track
from glacier_qgis.panel.echo_snap import EchoSnap
from glacier_qgis.panel.echogram_axes import EchogramAxes, ticks
from glacier_qgis.panel.echogram_panel import EchogramPanel
from glacier_qgis.panel.echogram_track import pieces
from glacier_qgis.panel.layer_pick import put
from kit.qgis.echograms import FRAME, bright_row, content, echogram_layer, line_layer

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")
METRES_PER_SECOND = 299_792_458 / 4


@pytest.fixture
def axes(tmp_path: Path) -> EchogramAxes:
    (tmp_path / "a.tif.json").write_text(json.dumps(content()))
    return EchogramAxes.beside(str(tmp_path / "a.tif"))


@pytest.fixture
def panel(canvas: QgsMapCanvas, tmp_path: Path) -> Iterator[EchogramPanel]:
    """Return the panel with an echogram, beside a map of the equator."""
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    canvas.setExtent(QgsRectangle(0, -0.03, 0.06, 0.03))
    panel = EchogramPanel(canvas)
    panel.resize(900, 600)
    panel.show()
    panel.show_layer(echogram_layer(tmp_path / "frame.tif"))
    yield panel
    panel.close_down()
    panel.deleteLater()


def test_a_place_has_a_time_a_depth_and_a_distance(axes: EchogramAxes) -> None:
    y = -(5 + 10 + 0.5)  # ten samples below the surface
    assert axes.time_at(7.5, y) == pytest.approx(1.15e-6)
    assert axes.depth_at(7.5, y) == pytest.approx(1e-7 * METRES_PER_SECOND)
    assert axes.y_of_depth(1e-7 * METRES_PER_SECOND, 7.5) == pytest.approx(y)
    assert axes.distance_at(7.5) == pytest.approx(700)
    assert axes.x_of_distance(700) == pytest.approx(7.5)
    assert math.isnan(axes.time_at(7.5, -40.2))


def test_a_trace_that_was_moved_down_keeps_its_time(tmp_path: Path) -> None:
    moved = content(shift=[3] * 60)
    (tmp_path / "a.tif.json").write_text(json.dumps(moved))
    axes = EchogramAxes.beside(str(tmp_path / "a.tif"))
    assert axes.time_at(7.5, -13.5) == pytest.approx(1.1e-6)
    assert axes.y_of(1.1e-6, 7.5) == pytest.approx(-13.5)


def test_ticks_are_round_and_within_limits() -> None:
    assert ticks(0.3, 4.7, 5) == [1, 2, 3, 4]
    assert ticks(2.0, 2.0, 5) == []
    assert ticks(math.nan, 1.0, 5) == []


def test_vertices_snap_to_the_strongest_echo_within_the_window(tmp_path: Path) -> None:
    snap = EchoSnap(echogram_layer(tmp_path / "frame.tif").dataProvider(), "power_db")
    assert snap.to_echo((7.2, -18.9), 3) == (7.5, -(bright_row(7) + 0.5))
    assert snap.to_echo((7.2, -18.9), 0) == (7.2, -18.9)
    followed = snap.follow([(3.1, -21.0), (42.9, -23.0)], 4)
    assert [x for x, _ in followed] == [trace + 0.5 for trace in range(3, 43)]
    assert [y for _, y in followed] == [-(bright_row(trace) + 0.5) for trace in range(3, 43)]
    edge = snap.to_echo((0.5, -39.9), 100)
    assert edge == (0.5, -(bright_row(0) + 0.5))


@pytest.mark.parametrize("together", [16, 256])
def test_the_cursor_on_the_track_marks_the_trace(
    panel: EchogramPanel, canvas: QgsMapCanvas, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(echogram_track, "CHUNK", together)
    panel._track.show(panel._axes)
    canvas.xyCoordinates.emit(QgsPointXY(0.030, 0.0001))
    assert panel.view._mark.asGeometry().boundingBox().center().x() == pytest.approx(30.5)
    assert panel._track._marker.isVisible()
    canvas.xyCoordinates.emit(QgsPointXY(0.030, 20 * canvas.mapUnitsPerPixel()))
    assert not panel._track._marker.isVisible()


def test_the_cursor_in_the_echogram_marks_the_place(panel: EchogramPanel) -> None:
    panel.view.canvas.xyCoordinates.emit(QgsPointXY(12.4, -15.5))
    marker = panel._track._marker
    assert marker.isVisible()
    assert marker.center().x() == pytest.approx(0.012)
    assert panel.form.place.text() == "Trace 12, 1.190 km, 1.15 µs, depth 7.5 m"
    panel.view.canvas.xyCoordinates.emit(QgsPointXY(12.4, 3.0))
    assert not marker.isVisible()


@pytest.mark.parametrize(("code", "parts"), [("EPSG:4326", 2), ("EPSG:3857", 2), ("EPSG:3413", 1)])
def test_a_track_over_the_180th_meridian_is_not_drawn_across_the_map(code: str, parts: int) -> None:
    crs = QgsCoordinateReferenceSystem(code)
    degrees = QgsCoordinateReferenceSystem("EPSG:4326")
    transform = QgsCoordinateTransform(degrees, crs, QgsProject.instance())
    east = [179.9 + 0.01 * trace for trace in range(30)]
    track = [QgsPointXY((x + 180) % 360 - 180, 75) for x in east]
    places = [transform.transform(place) for place in [*track[:10], track[9], *track[10:]]]
    assert len(pieces(places)) == parts
    assert sum(map(len, pieces(places))) == 31
    assert pieces(places[:1]) == []


def test_a_marked_trace_out_of_view_is_scrolled_to(panel: EchogramPanel) -> None:
    panel.view.canvas.setExtent(QgsRectangle(0, -15, 20, 0))
    panel.view.mark(50)
    assert panel.view.canvas.extent().xMinimum() < 50.5 < panel.view.canvas.extent().xMaximum()


def test_rulers_draw_their_values(panel: EchogramPanel) -> None:
    for ruler in panel.view._rulers.values():
        ruler.resize(ruler.sizeHint().expandedTo(ruler.size()))
        image = QImage(ruler.size(), QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.white)
        painter = QPainter(image)
        ruler.render(painter, QPoint())
        painter.end()
        bits = image.constBits()
        assert len(set(bits.asstring(image.sizeInBytes()))) > 2


def test_contrast_and_gain_change_what_is_shown_and_not_the_layer(panel: EchogramPanel) -> None:
    def limits() -> tuple[float, float]:
        enhancement = panel._shown.renderer().contrastEnhancement()
        return enhancement.minimumValue(), enhancement.maximumValue()

    assert limits() == (-100, -50)
    panel.form.contrast.setValue(100)
    assert limits() == pytest.approx((-81.25, -68.75))
    panel.form.contrast.setValue(0)
    panel.form.gain.setValue(50)
    assert limits() == pytest.approx((-125, -75))
    own = panel._layer().renderer().contrastEnhancement()
    assert (own.minimumValue(), own.maximumValue()) == (-100, -50)


def click(panel: EchogramPanel, x: float, y: float, button: Qt.MouseButton) -> None:
    canvas = panel.view.canvas
    place = canvas.getCoordinateTransform().transform(x, y)
    event = QgsMapMouseEvent(
        canvas,
        QEvent.Type.MouseButtonRelease,
        QPoint(round(place.x()), round(place.y())),
        button,
    )
    canvas.mapTool().canvasReleaseEvent(event)


def test_a_drawn_layer_is_in_the_edits_of_its_layer_and_can_be_undone(
    panel: EchogramPanel,
) -> None:
    layer = line_layer()
    panel.show_lines(layer)
    assert not panel.form.draw_button.isEnabled()
    panel.form.edit_button.click()
    panel.form.draw_button.setChecked(True)
    for x, y in ((5.5, -19.0), (45.5, -26.0)):
        click(panel, x, y, Qt.MouseButton.LeftButton)
    click(panel, 50, -26, Qt.MouseButton.RightButton)

    (feature,) = layer.getFeatures()
    assert (feature["frame_id"], feature["layer_id"], feature["kind"]) == (FRAME, 3, "layer")
    assert feature["origin"] == "drawn"
    vertices = list(feature.geometry().vertices())
    assert len(vertices) == 41
    assert all(v.y() == -(bright_row(math.floor(v.x())) + 0.5) for v in vertices)
    assert panel.form.number.currentText() == "Layer 3"
    layer.undoStack().undo()
    assert layer.featureCount() == 0
    layer.rollBack()


def test_drawing_over_a_layer_replaces_that_stretch_only(panel: EchogramPanel) -> None:
    layer = line_layer((7, "LineString (0.5 -30, 59.5 -30)"), (8, "LineString (0.5 -35, 59.5 -35)"))
    layer.startEditing()
    put(layer, list(layer.getFeatures()), FRAME, 7, [(20.5, -22.5), (30.5, -23.5)])

    shapes = {f["layer_id"]: f.geometry().asWkt() for f in layer.getFeatures()}
    assert shapes[7] == "LineString (0.5 -30, 20.5 -22.5, 30.5 -23.5, 59.5 -30)"
    assert shapes[8] == "LineString (0.5 -35, 59.5 -35)"
    layer.undoStack().undo()
    assert all(f.geometry().asWkt().count(",") == 1 for f in layer.getFeatures())
    layer.rollBack()


def test_a_drawn_line_is_cut_where_the_stretch_ends(panel: EchogramPanel) -> None:
    layer = line_layer()
    panel.show_stretch(panel._layer(), layer, 20, 40, 30)
    layer.startEditing()
    panel.form.snapping.setValue(0)
    panel._finish([(10.0, -10.0), (30.0, -30.0)])
    panel.form.number.setCurrentIndex(0)
    panel._finish([(45.0, -5.0), (5.0, -5.0)])
    panel._finish([(45.0, -5.0), (55.0, -5.0)])
    assert "lies outside the stretch" in panel.form.status.text()
    assert [each.geometry().asWkt() for each in layer.getFeatures()] == [
        "LineString (20 -20, 30 -30)",
        "LineString (20 -5, 40 -5)",
    ]
    layer.rollBack()


def test_the_surface_and_the_bed_have_the_ids_of_open_polar_radar() -> None:
    layer: QgsVectorLayer = line_layer()
    layer.startEditing()
    numbers = [
        put(layer, list(layer.getFeatures()), FRAME, each, [(0.5, -3), (9.5, -3)])
        for each in (1, 2, None)
    ]
    assert numbers == [1, 2, 3]
    assert [f["kind"] for f in layer.getFeatures()] == ["surface", "bed", "layer"]
    layer.rollBack()


@pytest.mark.parametrize("factor", [0.5, 1, 4])
def test_a_stretched_echogram_takes_the_mouse_where_it_shows(
    panel: EchogramPanel, factor: float
) -> None:
    layer = line_layer()
    panel.show_lines(layer)
    panel.form.edit_button.click()
    panel.form.draw_button.setChecked(True)
    panel.form.stretch.setValue(factor)
    panel.view.fit_all()
    sight = panel.view._sight.viewport()
    view = panel.view.canvas.extent()
    assert view.width() / view.height() == pytest.approx(
        sight.width() / factor / sight.height(), rel=0.02
    )

    def place(x: float, y: float) -> QPoint:
        across = (x - view.xMinimum()) / view.width() * sight.width()
        down = (view.yMaximum() - y) / view.height() * sight.height()
        return QPoint(round(across), round(down))

    for x, y in ((5.5, -19.5), (45.5, -25.5)):
        QTest.mouseMove(sight, place(x, y))
        QTest.mouseClick(sight, Qt.MouseButton.LeftButton, pos=place(x, y))
    QTest.mouseClick(sight, Qt.MouseButton.RightButton, pos=place(50, -26))

    (feature,) = layer.getFeatures()
    ends = feature.geometry().boundingBox()
    assert (ends.xMinimum(), ends.xMaximum()) == (
        pytest.approx(5.5, abs=1),
        pytest.approx(45.5, abs=1),
    )
    assert ends.yMaximum() == pytest.approx(-20.5, abs=1)
    layer.rollBack()


def test_a_layer_that_is_not_in_editing_refuses_a_line() -> None:
    with pytest.raises(ValueError, match="did not take the line"):
        put(line_layer(), [], FRAME, None, [(0.5, -3), (9.5, -3)])


def test_a_raster_that_is_not_an_echogram_is_named(panel: EchogramPanel, tmp_path: Path) -> None:
    panel.show_layer(echogram_layer(tmp_path / "other.tif", axes=False))
    assert "other.tif has no axes beside it" in panel.form.status.text()
    assert not panel.form.all_button.isEnabled()
    assert not panel.view.canvas.layers()
