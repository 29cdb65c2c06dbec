"""The groups of scenes: by a table, by their labels, or by the first word of a name."""

from __future__ import annotations

import csv
from collections.abc import Container
from pathlib import Path

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.training.preparation.labels import Labels
from glacier_qgis.models.training.preparation.scenes import SceneFile


class Grouping:
    """Finds the groups of scenes, and remembers which labels did not name.

    Args:
        labels: Of all scenes.
        table: The group of each scene by name; empty to ask labels and names.
    """

    def __init__(self, labels: Labels, table: dict[str, str]) -> None:
        self._labels = labels
        self._table = table
        self._guessed: dict[str, str] = {}
        self._spelt: dict[str, str] = {}

    def of(self, scene: SceneFile) -> frozenset[str]:
        """Return the groups of a scene: from the table, its labels, or its name's first word.

        Small and capital letters are the same; the first spelling counts.

        Raises:
            EngineError: None of these tells.
        """
        return frozenset(map(self._spell, self._found(scene)))

    def doubts(self, scenes: Container[str]) -> list[str]:
        """Say which of these scenes, by name, a field that names groups leaves without."""
        field = self._labels.group_field
        guessed = [f"{name} ({group})" for name, group in self._guessed.items() if name in scenes]
        if not field or not guessed:
            return []
        return [
            f"GROUP_FIELD: {field!r} is blank for {len(guessed)} scene(s): {listed(guessed)}. The "
            "first word of the name became the group, in brackets; a glacier that has another "
            "name elsewhere may end up in two parts. Fill the field, or give a GROUP_TABLE."
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
            f"The scene {scene.name} has no group: its labels name no glacier, and neither does "
            "the first word of its name. Fill a field of the labels and name it in GROUP_FIELD, "
            "or give a GROUP_TABLE."
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
            f"GROUP_TABLE: {path} cannot be read as a table with a header and two columns, the "
            f"scene's name and its group, with commas between ({error})."
        ) from error
