"""The last touch to a result, once QGIS has put it on the map."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from qgis import utils
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsLayerTreeGroup,
    QgsLayerTreeLayer,
    QgsLayerTreeNode,
    QgsMapLayer,
    QgsMapLayerUtils,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProject,
    QgsRasterLayer,
)
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QTimer

from glacier_qgis.results.coordinates import definition_of, learn, renew
from glacier_qgis.results.project_time import offer_time
from glacier_qgis.results.run import Run

MARGIN = 1.05
"""Size of the map, in sizes of what it shows."""

Style = Callable[[Any, Mapping[str, Any]], None]
"""Dresses a layer of its own kind, by the values that the engine gave back."""


class Presenter(QgsProcessingLayerPostProcessorInterface):
    """Finishes a layer when QGIS loads it; QGIS does not own it, so the latest are kept here.

    Attributes:
        run: Where the layer comes from.
        style: How it looks, if neither its file nor the layer itself holds all of that.
        in_file: Whether its file holds what it can.
        crs: The definition of its CRS, if that was first met in another thread.
        covers: Whether nothing shows through it.
        backdrop: Whether it only lies under the results: folded, and with no say in time.
        aside: Whether it lies in a system of its own, off the map: unchecked, and without a CRS,
            so that the project does not take its system and QGIS does not transform it.
    """

    _alive: ClassVar[deque[Presenter]] = deque(maxlen=1000)

    run: Run
    style: Style | None
    in_file: bool
    crs: str
    covers: bool
    backdrop: bool
    aside: bool

    @classmethod
    def create(
        cls,
        run: Run,
        *,
        style: Style | None = None,
        in_file: bool = False,
        crs: str = "",
        covers: bool = False,
        backdrop: bool = False,
        aside: bool = False,
    ) -> Presenter:
        """Return a post-processor that lives until long after it has run."""
        presenter = cls()
        presenter.run, presenter.style, presenter.in_file = run, style, in_file
        presenter.crs, presenter.covers = crs, covers
        presenter.backdrop, presenter.aside = backdrop, aside
        cls._alive.append(presenter)
        return presenter

    def postProcessLayer(  # type: ignore[override]  # never None
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Style the layer, place it among those of its run, and let time play."""
        project = layer.project() or context.project()
        if self.aside:
            layer.setCrs(QgsCoordinateReferenceSystem())
        elif self.crs:
            self._renew_crs(layer, project)
        if self.in_file:  # Processing opens files without what lies beside them
            layer.loadDefaultStyle()
            layer.loadDefaultMetadata()
        if self.style is not None:
            self.style(layer, self.run.values)
        node = project.layerTreeRoot().findLayer(layer.id()) if project else None
        if node is not None:
            self._arrange(layer, node, project)
        layer.triggerRepaint()

    def _arrange(self, layer: QgsMapLayer, node: QgsLayerTreeLayer, project: QgsProject) -> None:
        """Place a layer among those of its run, and let time play."""
        group = _group_of(node)
        _name_group(group, self.run, project)
        if group.name() != self.run.subject:
            _tell_apart(layer, group.name(), self.run.subject)
        hidden = self.aside or (self.covers and _raster_above(node))
        node.setItemVisibilityChecked(not hidden)
        node.setExpanded(not (hidden or self.backdrop))
        if self.aside:
            QTimer.singleShot(0, lambda: _show_rest(project, group))
        if not self.backdrop:
            offer_time(project, layer, self.run.values.get("TIMES") or [])

    def _renew_crs(self, layer: QgsMapLayer, project: QgsProject | None) -> None:
        learn(self.crs)
        renew(layer, self.crs)
        if project is not None and definition_of(project.crs()) == self.crs:
            renew(project, self.crs)


def _group_of(node: QgsLayerTreeNode) -> QgsLayerTreeGroup:
    return cast(QgsLayerTreeGroup, node.parent())


def _name_group(group: QgsLayerTreeGroup, run: Run, project: QgsProject) -> None:
    """Give a run's group, on which all of its layers are by now, a name for people."""
    if group.name() != run.token:
        return
    taken = {other.name() for other in project.layerTreeRoot().findGroups(True)}
    names = (run.subject, *(f"{run.subject} ({number})" for number in range(2, len(taken) + 2)))
    group.setName(next(name for name in names if name not in taken))


def _tell_apart(layer: QgsMapLayer, group: str, subject: str) -> None:
    """Number a layer like its group, for lists that show no groups."""
    if group.startswith(subject) and layer.name().endswith(subject):
        layer.setName(layer.name().removesuffix(subject) + group)


def _show_rest(project: QgsProject, group: QgsLayerTreeGroup) -> None:
    """Let the map of a new project show what of a run lies on it.

    When QGIS comes to it, it counts in what is aside, and the map is much too large. This is
    called later than that, when all may be closed already.
    """
    if sip.isdeleted(group) or sip.isdeleted(project):
        return
    nodes = group.findLayers()
    if utils.iface is None or len(project.mapLayers()) > len(nodes):
        return
    layers = [node.layer() for node in nodes if node.layer() and node.itemVisibilityChecked()]
    canvas = utils.iface.mapCanvas()
    crs = canvas.mapSettings().destinationCrs()
    extent = QgsMapLayerUtils.combinedExtent(layers, crs, project.transformContext())
    if not extent.isEmpty():
        extent.scale(MARGIN)
        canvas.setExtent(extent)
        canvas.refresh()


def _raster_above(node: QgsLayerTreeLayer) -> bool:
    """Whether a raster lies above a layer in its group."""
    siblings = _group_of(node).findLayers()
    above = siblings[: [one.layerId() for one in siblings].index(node.layerId())]
    return any(isinstance(one.layer(), QgsRasterLayer) for one in above)
