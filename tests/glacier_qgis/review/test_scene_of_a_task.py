"""The scene of a task is seen under its lines, and everything is as before afterwards."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from qgis.core import QgsLayerTreeLayer, QgsProject, QgsRasterLayer

from glacier_qgis.review.review_panel import ReviewPanel

pytestmark = pytest.mark.usefixtures("qgis_new_project", "window")


def test_the_scene_alone_is_shown_where_the_map_is(review_panel: ReviewPanel) -> None:
    (shown,) = review_panel.form.original.layers()
    assert shown.source() == review_panel.queue.current.scene
    review_panel.step(1)
    (shown,) = review_panel.form.original.layers()
    assert shown.source() == review_panel.queue.current.scene
    review_panel.canvas.zoomByFactor(0.5)
    alone, there = review_panel.form.original.extent(), review_panel.canvas.extent()
    assert alone.contains(there.center())
    assert min(alone.width() / there.width(), alone.height() / there.height()) < 1.5
    review_panel._take(None)
    assert review_panel.form.original.layers() == []


def test_other_scenes_of_the_review_do_not_cover_that_of_the_task(
    review_panel: ReviewPanel,
) -> None:
    project = QgsProject.instance()
    own = {task.scene: QgsRasterLayer(task.scene, task.title) for task in review_panel.queue.tasks}
    project.addMapLayers([*own.values()])
    review_panel.step(1)
    review_panel.step(1)
    root = project.layerTreeRoot()
    visible = [path for path, each in own.items() if root.findLayer(each.id()).isVisible()]
    assert visible == [review_panel.queue.current.scene]
    review_panel._take(None)
    assert all(root.findLayer(each.id()).isVisible() for each in own.values())


def test_a_raster_that_would_cover_the_scene_is_hidden_meanwhile(
    review_panel: ReviewPanel, tmp_path: Path
) -> None:
    """Another date may have no task; a transparent map was meant to lie there."""
    project, scene = QgsProject.instance(), review_panel.queue.current.scene
    copies = [Path(shutil.copy(scene, tmp_path / f"{name}.tif")) for name in ("date", "speed")]
    date, speed = (QgsRasterLayer(str(path), path.stem) for path in copies)
    speed.setOpacity(0.5)
    project.addMapLayers([date, speed])
    review_panel.step(0)
    root = project.layerTreeRoot()
    assert not root.findLayer(date.id()).isVisible()
    assert root.findLayer(speed.id()).isVisible()
    review_panel.hide()
    assert root.findLayer(date.id()).isVisible()


def test_scenes_of_other_reviewers_do_not_cover_that_of_the_task(review_panel: ReviewPanel) -> None:
    project = QgsProject.instance()
    project.addMapLayers(
        [QgsRasterLayer(each.scene, each.title) for each in review_panel.queue.tasks]
    )
    for task in review_panel.queue.every:
        review_panel.queue.tasks = [task]
        review_panel._show(task)
        nodes = project.layerTreeRoot().findLayers()
        rasters = [each for each in nodes if isinstance(each.layer(), QgsRasterLayer)]
        visible = [each.layer().source() for each in rasters if each.isVisible()]
        assert visible == [task.scene]


@pytest.mark.parametrize("exclusive", [False, True])
def test_groups_are_as_before_afterwards(review_panel: ReviewPanel, exclusive: bool) -> None:
    project = QgsProject.instance()
    rasters = [QgsRasterLayer(each.scene, each.title) for each in review_panel.queue.tasks]
    review_panel.hide()
    project.addMapLayers(rasters, False)
    group = project.layerTreeRoot().insertGroup(0, "scenes")
    nodes = [group, *(group.addLayer(each) for each in rasters)]
    group.setIsMutuallyExclusive(exclusive, 1)
    if not exclusive:
        group.setItemVisibilityChecked(False)
    before = [node.itemVisibilityChecked() for node in nodes]
    review_panel.show()
    for _ in rasters:
        shown = [each for each in rasters if project.layerTreeRoot().findLayer(each).isVisible()]
        assert [each.source() for each in shown] == [review_panel.queue.current.scene]
        review_panel.step(1)
    review_panel.hide()
    assert [node.itemVisibilityChecked() for node in nodes] == before


def test_long_addresses_and_layers_outside_the_tree_disturb_nothing(
    review_panel: ReviewPanel,
) -> None:
    """A signed address is longer than a file may be named."""
    project = QgsProject.instance()
    long = QgsRasterLayer(f"/vsicurl/https://example.org/scene.tif?signature={'x' * 500}", "far")
    hidden = QgsRasterLayer(review_panel.queue.tasks[1].scene, "of another plugin")
    project.addMapLayer(long)
    project.addMapLayer(hidden, False)
    review_panel.step(1)
    assert review_panel._backdrop.layer.source() == review_panel.queue.current.scene
    assert review_panel._backdrop.layer is not hidden


def test_a_project_that_was_saved_meanwhile_shows_the_scenes_as_before(
    review_panel: ReviewPanel, tmp_path: Path
) -> None:
    """The panel shows the scene of a task and hides the others; both end with it."""
    project = QgsProject.instance()
    scenes = [each.scene for each in review_panel.queue.tasks]
    last = len(scenes) - 1
    project.addMapLayers([QgsRasterLayer(scene, scene) for scene in scenes])

    def nodes() -> list[QgsLayerTreeLayer]:
        root = project.layerTreeRoot()
        return [root.findLayer(project.mapLayersByName(scene)[0]) for scene in scenes]

    def shown() -> list[bool]:
        return [node.itemVisibilityChecked() for node in nodes()]

    review_panel.hide()
    nodes()[1].setItemVisibilityChecked(False)
    nodes()[last].setItemVisibilityChecked(False)
    before = shown()
    review_panel.show()
    review_panel.step(last)
    assert shown() == [False, False, False, True]
    assert project.write(str(tmp_path / "open.qgz"))
    review_panel.hide()
    assert shown() == before
    project.clear()
    assert project.read(str(tmp_path / "open.qgz"))
    assert shown() == before
