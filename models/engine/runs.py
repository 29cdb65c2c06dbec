"""A note of each run on this machine, so that the next one can clear away what a killed one left.

A note says where a run writes; while the run lives it holds a lock beside the note, which the
system opens whatever ends the process. Nothing of a run that lives, or that is not known here, is
ever touched.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

NOTE, LOCK = ".json", ".lock"
SCRATCH = "glacier-"
"""What the names of folders for temporary files begin with."""


def notes_folder() -> Path:
    """Return the folder of notes, where the system keeps what can be made again."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "glacier_qgis" / "runs"


class RunNote:
    """What a run may leave behind.

    Attributes:
        scratch: Its own folder for temporary files; None if it has none.
    """

    def __init__(self, job_id: str, scratch: Path | None = None) -> None:
        self.scratch = _own(scratch)
        self._id = job_id
        self._folders: set[str] = set()

    def writes_in(self, folder: Path) -> None:
        """Note that drafts lie in a folder."""
        place = str(folder.absolute())
        if place not in self._folders:
            self._folders.add(place)
            self._write()

    def clear(self) -> None:
        """Remove the folder of temporary files and the note."""
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)
        for ending in (NOTE, LOCK):
            with suppress(OSError):
                (notes_folder() / f"{self._id}{ending}").unlink(missing_ok=True)

    @contextmanager
    def alive(self) -> Iterator[RunNote]:
        """Hold the lock that says so, and clear away in the end."""
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
    """Remove what runs left that were killed, with their notes."""
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
    if all(folder.is_dir() for folder in folders):  # else a disk may be away for now
        note.unlink(missing_ok=True)


def _own(scratch: Path | None) -> Path | None:
    """Return a folder for temporary files if it is one that was made for a run."""
    return scratch if scratch is not None and scratch.name.startswith(SCRATCH) else None


def _open_and_remove(lock: FileLock) -> None:
    lock.release()
    with suppress(OSError):
        Path(lock.lock_file).unlink(missing_ok=True)
