"""What lies over the map and not in the project."""

from __future__ import annotations

import pytest
from qgis.core import (
    QgsRectangle,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QPoint
from qgis.PyQt.QtGui import QColor

from glacier_qgis.panel.overlay import Line, Overlay, coloured
from kit.qgis.panel import (
    added,
    png,
)

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")


def test_codes_become_colours_and_all_others_are_transparent() -> None:
    image = coloured(png([[0, 1, 4, 200]]), {1: QColor(1, 2, 3, 40), 4: QColor("#1f6fb4")})
    seen = [image.pixelColor(column, 0) for column in range(4)]
    assert [colour.alpha() for colour in seen] == [0, 40, 255, 0]
    assert seen[2] == QColor("#1f6fb4")


@pytest.mark.parametrize("rotation", [0.0, 90.0])
def test_a_picture_keeps_its_place_on_a_turned_map(canvas: QgsMapCanvas, rotation: float) -> None:
    canvas.setExtent(QgsRectangle(0, 0, 4000, 3000))
    canvas.setRotation(rotation)
    overlay = Overlay(canvas)
    red, blue = QColor(255, 0, 0), QColor(0, 0, 255)
    image = coloured(png([[1, 2]]), {1: red, 2: blue})
    overlay.show(image, QgsRectangle(1000, 1000, 3000, 2000), [])
    picture = canvas.grab().toImage()
    transform = canvas.getCoordinateTransform()

    def at(x: float, y: float) -> QColor:
        place = transform.transform(x, y)
        return picture.pixelColor(QPoint(round(place.x()), round(place.y())))

    try:
        assert at(1500, 1500) == red
        assert at(2500, 1500) == blue
        assert at(1500, 2200) not in (red, blue)
        canvas.setExtent(QgsRectangle(0, 0, 8000, 6000))
        assert overlay.is_shown()
    finally:
        overlay.close()
        canvas.setRotation(0)


def test_an_overlay_replaces_the_one_before(canvas: QgsMapCanvas) -> None:
    overlay = Overlay(canvas)
    image = coloured(png([[1]]), {})
    before = canvas.scene().items()
    for _ in range(3):
        overlay.show(image, QgsRectangle(0, 0, 1, 1), [Line([(0, 0), (1, 1)], QColor("red"))])
    assert len(added(canvas, before)) == 3
    overlay.close()
    assert not added(canvas, before)
