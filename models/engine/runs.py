"""Records of the runs on this machine, so that the next run can remove what a killed one left.

A record lists the folders that a run writes to. While the run is alive it holds a lock beside the
record, which the system releases when the process ends. Files of a run that is alive, or that has
no record, are never touched.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from glacier_qgis.models.engine.folders import cache_folder

NOTE, LOCK = ".json", ".lock"
SCRATCH = "glacier-"
"""Prefix of the names of temporary folders."""


def notes_folder() -> Path:
    """Return the folder of records, in the system's cache."""
    return cache_folder() / "runs"


class RunNote:
    """The files that a run may leave behind.

    Attributes:
        scratch: Its folder of temporary files; None if it has none.
    """

    def __init__(self, job_id: str, scratch: Path | None = None) -> None:
        self.scratch = _own(scratch)
        self._id = job_id
        self._folders: set[str] = set()

    def writes_in(self, folder: Path) -> None:
        """Record a folder of drafts."""
        place = str(folder.absolute())
        if place not in self._folders:
            self._folders.add(place)
            self._write()

    def clear(self) -> None:
        """Remove the folder of temporary files and the record."""
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)
        for ending in (NOTE, LOCK):
            with suppress(OSError):
                (notes_folder() / f"{self._id}{ending}").unlink(missing_ok=True)

    @contextmanager
    def alive(self) -> Iterator[RunNote]:
        """Hold the lock, and remove temporary files at the end."""
        lock = None
        with suppress(OSError):
            notes_folder().mkdir(parents=True, exist_ok=True)
            lock = FileLock(notes_folder() / f"{self._id}{LOCK}")
            lock.acquire(timeout=0)
            self._write()
        try:
            yield self
        finally:
            self.clear()
            if lock is not None:
                _open_and_remove(lock)

    def _write(self) -> None:
        scratch = str(self.scratch) if self.scratch else None
        content = {"folders": sorted(self._folders), "scratch": scratch}
        with suppress(OSError):
            note = notes_folder() / f"{self._id}{NOTE}"
            draft = note.with_suffix(".draft")
            draft.write_text(json.dumps(content), encoding="utf-8")
            draft.replace(note)


def clear_dead_runs() -> None:
    """Remove what killed runs left, with their records."""
    with suppress(OSError):
        for note in notes_folder().glob(f"*{NOTE}"):
            lock = FileLock(note.with_suffix(LOCK))
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue  # it lives
            try:
                _clear(note)
            finally:
                _open_and_remove(lock)


def drafts(folder: Path, job_id: str) -> list[Path]:
    """Return what a run has staged in a folder."""
    return list(folder.glob(f".{job_id}-*"))


def _clear(note: Path) -> None:
    try:
        content = json.loads(note.read_text(encoding="utf-8"))
        folders = [Path(folder) for folder in content["folders"]]
        scratch = _own(Path(content["scratch"]) if content["scratch"] else None)
    except (ValueError, KeyError, TypeError):
        note.unlink(missing_ok=True)
        return
    leftovers = [draft for folder in folders for draft in drafts(folder, note.stem)]
    for leftover in [*leftovers, *([scratch] if scratch else [])]:
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
    if all(folder.is_dir() for folder in folders):  # otherwise a disk may be disconnected for now
        note.unlink(missing_ok=True)


def _own(scratch: Path | None) -> Path | None:
    """Return a temporary folder if it was made for a run."""
    return scratch if scratch is not None and scratch.name.startswith(SCRATCH) else None


def _open_and_remove(lock: FileLock) -> None:
    lock.release()
    with suppress(OSError):
        Path(lock.lock_file).unlink(missing_ok=True)
