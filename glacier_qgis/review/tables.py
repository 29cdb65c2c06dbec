"""The layers of one review in the project, whether in a GeoPackage or in PostGIS."""

from __future__ import annotations

from dataclasses import dataclass

from qgis.core import QgsDataSourceUri, QgsProject, QgsProviderRegistry, QgsVectorLayer

from glacier_qgis.wall.review import LINES, PREDICTED

MARKS = {"task", "rank", "status", "scene_hash"}
"""Fields by which a layer of tasks is known."""
USUAL_PORT = "5432"
"""Of PostgreSQL."""


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


def review_of(tasks: QgsVectorLayer) -> dict[str, str]:
    """Return the review of a layer of tasks as the algorithms of the toolbox take it."""
    if tasks.providerType() != "postgres":
        return {"REVIEW": str(_parts(tasks).get("path", ""))}
    uri = QgsDataSourceUri(tasks.source())
    return {"CONNECTION": _connection(uri), "SCHEMA": uri.schema()}


def _connection(uri: QgsDataSourceUri) -> str:
    """Return the name of a connection of QGIS' browser; a URI without password if it has none."""
    metadata = QgsProviderRegistry.instance().providerMetadata("postgres")
    for name, known in metadata.connections().items():
        other = QgsDataSourceUri(known.uri())
        if _place(other) == _place(uri):
            return str(name)
    plain = QgsDataSourceUri(uri)
    plain.setPassword("")
    return str(plain.connectionInfo(False))


def _place(uri: QgsDataSourceUri) -> tuple[str, ...]:
    """Return what tells databases apart; the usual port need not be said."""
    return uri.service(), uri.host(), uri.port() or USUAL_PORT, uri.database(), uri.username()


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
