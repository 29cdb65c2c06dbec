"""A project is closed, or layers are removed, while the panel shows a scene that it added."""

from __future__ import annotations

from pathlib import Path

import pytest
from qgis.core import QgsProject, QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtWidgets import QApplication

from glacier_qgis.review.review_panel import ReviewPanel
from glacier_qgis.wall.review import LINES, PREDICTED, TASKS
from kit.qgis.reviews import layer
from kit.qgis.waiting import until

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")


def scenes() -> list[QgsRasterLayer]:
    layers = QgsProject.instance().mapLayers().values()
    return [each for each in layers if isinstance(each, QgsRasterLayer)]


@pytest.fixture
def added(review_panel: ReviewPanel) -> ReviewPanel:
    assert len(scenes()) == 1, "the panel has added none"
    return review_panel


def test_a_project_is_closed(added: ReviewPanel) -> None:
    QgsProject.instance().clear()
    QApplication.processEvents()
    assert added.queue is None
    assert not QgsProject.instance().mapLayers()


def test_another_project_is_opened_and_leaves_no_review(added: ReviewPanel, tmp_path: Path) -> None:
    other = tmp_path / "other.qgs"
    QgsProject.instance().write(str(other))
    assert QgsProject.instance().read(str(other))
    until(lambda: added.queue is not None and len(scenes()) == 1)


@pytest.mark.parametrize("name", [TASKS, LINES, PREDICTED])
def test_a_layer_of_the_review_is_removed_and_its_scene_follows(
    added: ReviewPanel, name: str
) -> None:
    QgsProject.instance().removeMapLayer(layer(name))
    assert added.queue is None
    until(lambda: not scenes())
    assert added.queue is None


def test_all_layers_are_removed_at_once(added: ReviewPanel) -> None:
    QgsProject.instance().removeAllMapLayers()
    QApplication.processEvents()
    assert added.queue is None
    assert not QgsProject.instance().mapLayers()


def test_the_scene_is_removed_and_comes_back_with_the_next_task(added: ReviewPanel) -> None:
    QgsProject.instance().removeMapLayer(scenes()[0])
    QApplication.processEvents()
    added.step(1)
    assert [each.source() for each in scenes()] == [added.queue.current.scene]


def test_the_other_review_of_the_project_follows_one_that_is_removed(
    added: ReviewPanel, review_beside_scenes: Path
) -> None:
    other = review_beside_scenes.with_name("other.gpkg")
    other.write_bytes(review_beside_scenes.read_bytes())
    project = QgsProject.instance()
    second = QgsVectorLayer(f"{other}|layername=tasks", "other", "ogr")
    shown = {each.id() for each in added.queue.layers.every()}
    project.addMapLayer(second)
    QApplication.processEvents()
    project.removeMapLayers([*shown])
    until(lambda: added.queue is not None)
    assert added.form.layers.currentLayer() is second
    assert added.queue.layers.tasks is second
    assert len(scenes()) == 1
