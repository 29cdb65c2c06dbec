"""The layers of one review in the project, whether in a GeoPackage or in PostGIS."""

from __future__ import annotations

from dataclasses import dataclass

from qgis.core import QgsDataSourceUri, QgsProject, QgsProviderRegistry, QgsVectorLayer

from glacier_qgis.wall.review import LINES, PREDICTED

MARKS = {"task", "rank", "status", "scene_hash"}
"""Fields by which a layer of tasks is known."""


@dataclass(frozen=True)
class ReviewLayers:
    """The layers of a review."""

    tasks: QgsVectorLayer
    lines: QgsVectorLayer
    predicted: QgsVectorLayer

    def every(self) -> tuple[QgsVectorLayer, ...]:
        """Return the three layers."""
        return self.lines, self.predicted, self.tasks


def is_tasks(layer: object) -> bool:
    """Whether a layer holds the tasks of a review."""
    return isinstance(layer, QgsVectorLayer) and {*layer.fields().names()} >= MARKS


def layers_of(tasks: QgsVectorLayer) -> ReviewLayers | None:
    """Return the layers of a review; those that the project lacks are added to it.

    Args:
        tasks: Its layer of tasks.

    Returns:
        None if the tables of the lines cannot be opened.
    """
    lines, predicted = (_sibling(tasks, table) for table in (LINES, PREDICTED))
    if lines is None or predicted is None:
        return None
    return ReviewLayers(tasks, lines, predicted)


def _sibling(tasks: QgsVectorLayer, table: str) -> QgsVectorLayer | None:
    project, source = QgsProject.instance(), _source(tasks, table)
    for layer in project.mapLayers().values():
        if not isinstance(layer, QgsVectorLayer) or layer.providerType() != tasks.providerType():
            continue
        name = _parts(layer).get("layerName") or _parts(layer).get("table")
        if name == table and _source(layer, table) == source:
            return layer
    layer = QgsVectorLayer(source, table, tasks.providerType())
    if not layer.isValid() or project.addMapLayer(layer) is None:
        return None
    return layer


def _source(layer: QgsVectorLayer, table: str) -> str:
    """Return by what a provider opens another table of the database that a layer lies in."""
    if layer.providerType() == "postgres":
        uri = QgsDataSourceUri(layer.source())
        geometry = uri.geometryColumn() or "geom"
        uri.setDataSource(uri.schema(), table, geometry, "", "fid")
        plain = QgsDataSourceUri(uri.connectionInfo(False))
        plain.setDataSource(uri.schema(), table, geometry, "", "fid")
        return str(plain.uri(False))
    parts = {"path": _parts(layer).get("path"), "layerName": table}
    return str(QgsProviderRegistry.instance().encodeUri(layer.providerType(), parts))


def _parts(layer: QgsVectorLayer) -> dict[str, str]:
    parts = QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source())
    return {name: str(value) for name, value in parts.items() if value}
