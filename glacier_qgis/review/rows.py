"""Rows that a person edits, of which a read may leave none out unnoticed."""

from __future__ import annotations

from qgis.core import QgsFeature, QgsFeatureRequest, QgsVectorLayer


class KnownRows:
    """The rows of a layer; those seen before are asked for by their key if a read lacks them.

    A read can end early without a word: one of a GeoPackage has, on a busy machine, just after
    editing had begun, and so does the first one from a server that was away.

    Args:
        layer: The layer.
        stored: Read what is in the database, without the edits of the layer.
    """

    def __init__(self, layer: QgsVectorLayer, *, stored: bool = False) -> None:
        self._provider = layer.dataProvider()
        self._source = self._provider if stored else layer
        self._known: dict[int | None, set[int]] = {}

    def of(self, task: int | None = None) -> list[QgsFeature]:
        """Return the rows of a task, or all of them."""
        request = QgsFeatureRequest()
        if task is not None:
            request.setFilterExpression(f'"task" = {task}')
        known = self._known.get(task, set())
        found = self._read(request, again=bool(known))
        for key in (each for each in known - found.keys() if each >= 0):  # others are edits
            row = self.by_key(key)
            if row is None and not found:
                break  # nothing can be read, and asking for each row may take a minute each
            if row is not None and task in (None, row["task"]):
                found[key] = row
        self._known[task] = set(found) or known
        return [*found.values()]

    def by_key(self, key: int) -> QgsFeature | None:
        """Return one row; None if it cannot be read, or is gone."""
        return self._read(QgsFeatureRequest(key), again=True).get(key)

    def _read(self, request: QgsFeatureRequest, *, again: bool) -> dict[int, QgsFeature]:
        """Return rows by their key; where there are none, read `again` by a new connection."""
        found = {each.id(): each for each in self._source.getFeatures(request)}
        if found or not again:
            return found
        self._provider.reloadData()
        return self._read(request, again=False)
