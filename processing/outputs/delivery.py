"""Atomic outputs: files are written beside their destinations and moved when all are complete."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from qgis.PyQt.QtCore import QLockFile

from glacier_qgis.processing.outputs.geopackages import Database, is_database, settle

FOLDER = "-outputs"
"""Ending of the name of a folder with what is on its way."""
LOCK = ".lock"
"""File in it that says which process it is of."""
SIDECARS = (".aux.xml", ".ovr", ".msk")
"""What GDAL and QGIS put beside a file, behind its whole name, about what it held."""
INDEXES = (".qix", ".sbn", ".sbx", ".idm", ".ind", ".qpj", ".cpg")
"""What belongs to a shapefile that is replaced, in place of its ending."""
LOGS = ("-wal", "-shm", "-journal")
"""Endings of what SQLite keeps beside a database while it is open."""


class Delivery:
    """The files of one run on their way to where they were asked for.

    They are written in a hidden folder beside their destinations, under the names that they get,
    and moved when all of them are whole. What they replace is kept there until then.
    """

    def __init__(self) -> None:
        self._name = f".{uuid.uuid4().hex}{FOLDER}"
        self._folders: dict[Path, QLockFile] = {}
        self._databases: dict[Path, Database] = {}
        self._before: dict[Path, Path | None] = {}

    def beside(self, destination: Path) -> Path:
        """Return the path to write instead of a file."""
        folder = destination.absolute().parent / self._name
        if folder not in self._folders:
            _sweep(folder.parent)
            folder.mkdir()
            self._folders[folder] = QLockFile(str(folder / LOCK))
            self._folders[folder].tryLock()
        return folder / destination.name

    def container(self, destination: Path) -> Path:
        """Return the path to write instead of a database, with the layers that it has."""
        draft = self.beside(destination)
        if draft not in self._databases and is_database(destination):
            self._databases[draft] = Database(destination)
            self._databases[draft].copy_to(draft)
        return draft

    def remember(self, destination: Path) -> None:
        """Keep what is at a destination that another process will replace, for `undo`."""
        for path in {destination, *_sidecars(destination)} - self._before.keys():
            self._before[path] = None
            if path.is_file():
                kept = self.beside(destination).with_name(f"before-{path.name}")
                try:
                    os.link(path, kept)
                except OSError:  # a file system without links: what was replaced stays replaced
                    del self._before[path]
                else:
                    self._before[path] = kept

    def commit(self) -> None:
        """Move everything to its destination.

        Raises:
            OSError: A file cannot be replaced; all are as before then.
            LockedError: Another program uses a database; it is as before then.
        """
        drafts = [draft for draft in self._drafts() if not draft.name.endswith(LOGS)]
        databases = [draft for draft in drafts if is_database(draft)]
        for draft in databases:
            settle(draft)
            target = _destination(draft)
            if draft not in self._databases and is_database(target):
                self._databases[draft] = Database(target)
        try:
            for draft, database in self._databases.items():
                database.replace_by(draft)
            self._move([draft for draft in drafts if draft not in self._databases])
        except Exception:
            self.undo()
            raise

    def undo(self) -> None:
        """Bring back what was replaced; a database is never half replaced."""
        for path, kept in self._before.items():
            if kept is None:
                path.unlink(missing_ok=True)
            else:
                kept.replace(path)
        self._before.clear()

    def _move(self, drafts: Sequence[Path]) -> None:
        targets = {draft: _destination(draft) for draft in drafts}
        for draft, target in targets.items():
            self.remember(target)
            for stale in _sidecars(target) - set(targets.values()):
                stale.unlink(missing_ok=True)
            draft.replace(target)

    def _drafts(self) -> Iterator[Path]:
        for folder in self._folders:
            others = {folder / LOCK, *self._before.values()}
            yield from (draft for draft in sorted(folder.iterdir()) if draft not in others)

    def close(self) -> None:
        """Remove the folders and let go of databases."""
        for database in self._databases.values():
            database.close()
        for folder, lock in self._folders.items():
            lock.unlock()
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove the folders of runs that were killed."""
    for folder in parent.glob(f".*{FOLDER}"):
        lock = QLockFile(str(folder / LOCK))
        lock.setStaleLockTime(0)  # however old it is, it counts while its process lives
        if lock.tryLock():
            lock.unlock()
            shutil.rmtree(folder, ignore_errors=True)


def _destination(draft: Path) -> Path:
    return draft.parent.parent / draft.name


def _sidecars(path: Path) -> set[Path]:
    beside = {path.with_name(path.name + ending) for ending in SIDECARS}
    if path.suffix.lower() == ".shp":
        beside |= {path.with_suffix(ending) for ending in INDEXES}
    return beside
