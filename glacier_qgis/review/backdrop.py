"""The scene of the current task, under its lines."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsProject,
    QgsRasterLayer,
    QgsVectorTileLayer,
)
from qgis.PyQt.QtGui import QPainter

from glacier_qgis.review.task import Task
from glacier_qgis.translation import tr
from glacier_qgis.wall.fingerprint import fingerprint
from glacier_qgis.wall.same_file import is_same_file

MADE_HERE = "glacier/review_scene"
"""Property of a layer that the panel has added, and takes away again."""
BEFORE = "glacier/visible_before_review"
"""Property of a layer or group in the layer tree whose visibility the panel has changed."""

NORMAL = QPainter.CompositionMode.CompositionMode_SourceOver
"""Layers are drawn over one another."""


class Backdrop:
    """One scene at a time at the bottom of the map; an echogram in the project, off the map."""

    def __init__(self) -> None:
        self.layer: QgsRasterLayer | None = None
        """What is shown; None for nothing."""

    def show(self, task: Task, scenes: Collection[str] = ()) -> str:
        """Show the scene of a task, and hide the others of the review and what covers it.

        Args:
            task: Whose scene it is.
            scenes: Paths of the scenes of all tasks.

        Returns:
            What is wrong with it, blank for nothing.
        """
        self.layer, project = None, QgsProject.instance()
        layer = next((each for each in _in_tree() if _same(each, task.scene)), None)
        _remove_added(but=layer)
        if layer is None:
            layer = QgsRasterLayer(task.scene, task.title)
            layer.setCustomProperty(MADE_HERE, True)
            if task.trace is not None:
                layer.setCrs(QgsCoordinateReferenceSystem())  # it lies in a system of its own
            if not layer.isValid() or project.addMapLayer(layer, False) is None:
                return tr("The scene {path} is not there. Bring it back, or skip the task.").format(
                    path=task.scene
                )
            node = project.layerTreeRoot().addLayer(layer)  # at the end: at the bottom of the map
            node.setItemVisibilityChecked(task.trace is None)
        self.layer = layer
        if task.trace is None:
            _uncover(layer, scenes)
        return _changed(task)

    def clear(self) -> None:
        """Take away the scene that was added here, and show the others as before.

        That goes for a project, too, that was saved while a scene was shown.
        """
        self.layer = None
        _remove_added()
        root = QgsProject.instance().layerTreeRoot()
        nodes = [*root.findGroups(True), *root.findLayers()]
        changed = [node for node in nodes if node.customProperty(BEFORE) is not None]
        for node in sorted(changed, key=lambda node: bool(node.customProperty(BEFORE))):
            # what was visible comes last: in some groups it hides the others
            node.setItemVisibilityChecked(bool(node.customProperty(BEFORE)))
            node.removeCustomProperty(BEFORE)


def _remove_added(but: QgsRasterLayer | None = None) -> None:
    """Take away the scenes that were added here, except one."""
    added = [each.id() for each in _rasters() if each.customProperty(MADE_HERE) and each is not but]
    QgsProject.instance().removeMapLayers(added)


def _uncover(scene: QgsRasterLayer, others: Collection[str]) -> None:
    """Show a scene, hide others and what covers it, and note in the layer tree how it was."""
    root = QgsProject.instance().layerTreeRoot()
    nodes = [*root.findGroups(True), *root.findLayers()]
    before = [node.itemVisibilityChecked() for node in nodes]
    known = {Path(path).absolute() for path in others}
    above = True
    for layer in root.layerOrder():
        if layer.id() == scene.id():
            above = False
        elif (above and _covers(layer)) or Path(layer.source()).absolute() in known:
            root.findLayer(layer.id()).setItemVisibilityChecked(False)
    root.findLayer(scene.id()).setItemVisibilityCheckedParentRecursive(True)
    for node, was in zip(nodes, before, strict=True):
        if node.itemVisibilityChecked() != was and node.customProperty(BEFORE) is None:
            node.setCustomProperty(BEFORE, int(was))


def _covers(layer: QgsMapLayer) -> bool:
    """Whether nothing is seen through a layer: another scene, a relief, a map of the world."""
    picture = isinstance(layer, (QgsRasterLayer, QgsVectorTileLayer))
    return picture and layer.opacity() == 1 and layer.blendMode() == NORMAL


def _rasters() -> list[QgsRasterLayer]:
    layers = QgsProject.instance().mapLayers().values()
    return [layer for layer in layers if isinstance(layer, QgsRasterLayer)]


def _in_tree() -> list[QgsRasterLayer]:
    root = QgsProject.instance().layerTreeRoot()
    return [layer for layer in _rasters() if root.findLayer(layer.id()) is not None]


def _same(layer: QgsRasterLayer, scene: str) -> bool:
    return layer.source() == scene or is_same_file(layer.source(), scene)


def _changed(task: Task) -> str:
    if not task.scene_hash:
        return ""
    try:
        found = fingerprint(task.scene)
    except OSError as error:
        return tr("The scene {path} cannot be read ({error}).").format(
            path=task.scene, error=error.strerror
        )
    if found == task.scene_hash:
        return ""
    return tr(
        "The scene {path} has changed since the queue was made, so its lines may not fit it: they "
        "will not be recorded. Bring the old file back, or skip the task."
    ).format(path=task.scene)
