"""The list of terminus lines beside the map."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas

from glacier_qgis.panel.line_list import LineList
from kit.qgis.panel import (
    current,
    lines_layer,
    texts,
)
from kit.qgis.waiting import until

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")


@pytest.fixture
def lines(canvas: QgsMapCanvas) -> Iterator[LineList]:
    lines = LineList(canvas)
    yield lines
    lines.close_down()


def test_lines_are_listed_with_the_least_certain_first(lines: LineList) -> None:
    lines.show_layer(lines_layer(0.9, 0.2, 0.55))
    assert texts(lines) == ["0.20", "0.55", "0.90"]
    assert lines._model.item(0, 2).text() == "1,236 m"
    assert lines._place.text() == "3 lines"


def test_stepping_goes_through_the_list_and_shows_each_line_on_the_map(
    lines: LineList, canvas: QgsMapCanvas
) -> None:
    lines.show_layer(lines_layer(0.9, 0.2, 0.55))
    seen = []
    for action in (lines.next_action,) * 4 + (lines.previous_action,):
        action.trigger()
        seen.append(current(lines))
        number = {"0.90": 0, "0.20": 1, "0.55": 2}[current(lines)]
        assert canvas.extent().contains(QgsPointXY(10_000 * number + 500, 250))
        assert not canvas.extent().contains(QgsPointXY(10_000 * (number + 1) + 500, 250))
    assert seen == ["0.20", "0.55", "0.90", "0.90", "0.55"]
    assert lines._place.text() == "2 of 3"


def test_the_list_follows_edits_and_the_current_line_stays(lines: LineList) -> None:
    layer = lines_layer(0.9, 0.2, 0.55)
    lines.show_layer(layer)
    lines.step(1)
    lines.step(1)
    layer.startEditing()
    layer.changeAttributeValue(next(layer.getFeatures("confidence=0.2")).id(), 0, 0.95)
    until(lambda: texts(lines) == ["0.55", "0.90", "0.95"])
    assert current(lines) == "0.55"
    layer.deleteFeature(next(layer.getFeatures("confidence=0.9")).id())
    until(lambda: texts(lines) == ["0.55", "0.95"])
    layer.rollBack()
    until(lambda: texts(lines) == ["0.20", "0.55", "0.90"])
    assert current(lines) == "0.55"


def test_a_layer_that_goes_takes_its_lines_along(lines: LineList) -> None:
    layer = lines_layer(0.9)
    lines.show_layer(layer)
    QgsProject.instance().removeMapLayer(layer.id())
    until(lambda: texts(lines) == [])
    lines.step(1)
    assert lines._place.text() == ""


def test_only_lines_with_a_confidence_are_offered(lines: LineList) -> None:
    QgsProject.instance().addMapLayer(QgsVectorLayer("LineString?crs=EPSG:3413", "roads", "memory"))
    lines_layer(0.5, name="fronts")
    names = [lines._layers.itemText(index) for index in range(lines._layers.count())]
    assert names == ["No lines yet", "fronts"]


def test_lines_without_values_are_listed_too(lines: LineList) -> None:
    layer = lines_layer(0.5)
    feature = QgsFeature(layer.fields())
    feature.setGeometry(QgsGeometry.fromPolylineXY([QgsPointXY(0, 0), QgsPointXY(9, 9)]))
    layer.dataProvider().addFeatures([feature])
    lines.show_layer(layer)
    assert texts(lines) == ["", "0.50"]
    lines.step(1)
