"""Groups of scenes: from a table, their labels, or the first word of their name."""

from __future__ import annotations

import csv
from collections.abc import Container
from pathlib import Path

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.training.preparation.labels import Labels
from glacier_qgis.models.training.preparation.scenes import SceneFile


class Grouping:
    """Finds the groups of scenes, and records those not named by labels.

    Args:
        labels: Of all scenes.
        table: The group of each scene by name; empty to use labels and names.
    """

    def __init__(self, labels: Labels, table: dict[str, str]) -> None:
        self._labels = labels
        self._table = table
        self._guessed: dict[str, str] = {}
        self._spelt: dict[str, str] = {}

    def of(self, scene: SceneFile) -> frozenset[str]:
        """Return the groups of a scene: from the table, its labels, or the first word of its name.

        Case-insensitive; the first spelling is used.

        Raises:
            EngineError: None of these has one.
        """
        return frozenset(map(self._spell, self._found(scene)))

    def doubts(self, scenes: Container[str]) -> list[str]:
        """Warn of scenes without a group in the group field."""
        field = self._labels.group_field
        guessed = [f"{name} ({group})" for name, group in self._guessed.items() if name in scenes]
        if not field or not guessed:
            return []
        return [
            f"GROUP_FIELD: {field!r} is empty for {len(guessed)} scene(s), so the first word of "
            f"the name (in brackets) is used: {listed(guessed)}. A glacier with different names "
            "may end up in two parts: fill in the field, or give a GROUP_TABLE."
        ]

    def _spell(self, group: str) -> str:
        return self._spelt.setdefault(group.casefold(), group)

    def _found(self, scene: SceneFile) -> frozenset[str]:
        if self._table:
            group = self._table.get(scene.name, "")
            if not group:
                raise EngineError(
                    f"The scene {scene.name} has no group in GROUP_TABLE: add a line "
                    f"'{scene.name},NAME OF THE GLACIER', or leave the scene out."
                )
            return frozenset({group})
        if named := self._labels.groups(scene):
            return named
        if scene.first_word:
            self._guessed[scene.name] = self._spell(scene.first_word)
            return frozenset({scene.first_word})
        raise EngineError(
            f"The scene {scene.name} has no group: neither its labels nor the first word of its "
            "name give a glacier. Fill in a field of the labels and set GROUP_FIELD, or give a "
            "GROUP_TABLE."
        )


def read_group_table(path: Path) -> dict[str, str]:
    """Read a table of comma-separated values: the scene's name, its group, with a header.

    Raises:
        EngineError: It cannot be read, or has less than two columns.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            _, *rows = list(csv.reader(lines))
            table = {row[0].strip(): row[1].strip() for row in rows if row}
            return {Path(name).stem: group for name, group in table.items()} | table
    except (OSError, ValueError, IndexError) as error:
        raise EngineError(
            f"GROUP_TABLE: {path} cannot be read ({error}). Give a comma-separated table with a "
            "header and two columns, the scene's name and its group."
        ) from error
