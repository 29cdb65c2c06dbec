"""Atomic outputs: written beside their destinations, moved when all are complete."""

from __future__ import annotations

import glob
import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.runs import RunNote

SIDECARS = (".aux.xml", ".ovr", ".msk", "-wal", "-shm", "-journal")
"""Files beside a file that was there before: GDAL's of a raster, and SQLite's of a GeoPackage.

SQLite would read a journal that a crash left behind into the new file, and damage it.
"""


class Outputs:
    """The output files and folders of a job.

    Drafts carry the job's id in their name (``.<id>-<name>``), so that the process that started the
    job, or the next run, can remove those of an engine that was killed.

    Attributes:
        folders: Folders with drafts.
    """

    def __init__(self, job_id: str, run: RunNote | None = None) -> None:
        """Begin without outputs.

        Args:
            job_id: For the names of drafts.
            run: Records the folders of drafts.
        """
        self._prefix = f".{job_id}-"
        self._run = run
        self.folders: set[Path] = set()
        self._staged: dict[Path, Path] = {}
        self._lasting: dict[Path, str] = {}
        self._scratch: list[Path] = []
        self._afterwards: list[Callable[[], None]] = []

    def stage(self, destination: Path) -> Path:
        """Return the path to write instead of `destination`.

        Raises:
            EngineError: The folder is missing or cannot be written to, or another output has the
                same name.
        """
        if destination in self._staged:
            raise EngineError(
                f"{destination} was given for two outputs: choose a different file for each."
            )
        folder = destination.parent
        if not folder.is_dir():
            raise EngineError(f"The folder {folder} does not exist: create it or choose another.")
        if destination.is_dir():
            raise EngineError(f"{destination} is a folder: enter the name of a file.")
        draft = self._draft(destination.name, folder)
        try:
            draft.touch()
        except OSError as error:
            raise EngineError(
                f"The folder {folder} cannot be written to ({error.strerror}): choose another."
            ) from error
        draft.unlink()
        self._staged[destination] = draft
        return draft

    def stage_lasting(self, destination: Path, source: Path | None = None) -> Path:
        """Return a path to write instead of `destination`; the file stays if the job ends early.

        It is named ``<name>.unfinished<suffix>``, or ``….unfinished-2…`` if that is the file
        `source` from which the job resumes. An existing file is overwritten.

        Raises:
            EngineError: As :meth:`stage`.
        """
        self.stage(destination)
        draft = destination.with_name(f"{destination.stem}.unfinished{destination.suffix}")
        if source is not None and draft.exists() and draft.samefile(source):
            draft = draft.with_name(f"{destination.stem}.unfinished-2{destination.suffix}")
        self._staged[destination] = draft
        self._lasting[draft] = ""
        return draft

    def stage_folder(self, destination: Path, lasting: str = "") -> Path:
        """Return an empty folder to fill instead of `destination`.

        Args:
            destination: A folder that is empty or does not exist.
            lasting: Pattern of the files that stay if the job ends early; the folder is then named
                ``<name>.unfinished``, with a number if that exists.

        Raises:
            EngineError: The destination exists and is not empty, or its parent cannot be written
                to.
        """
        if destination.exists() and not (destination.is_dir() and _is_empty(destination)):
            raise EngineError(
                f"{destination} exists and is not empty: choose a new folder, or empty this one."
            )
        if destination.is_dir():
            destination.rmdir()
        draft = self.stage(destination)
        if lasting:
            names = (f"{destination.name}.unfinished{end}" for end in _endings())
            draft = next(
                path for name in names if not (path := destination.with_name(name)).exists()
            )
            self._staged[destination] = draft
            self._lasting[draft] = lasting
        draft.mkdir()
        return draft

    def scratch(self, beside: Path, name: str) -> Path:
        """Return a path beside the output `beside` for a temporary file."""
        draft = self._draft(name, beside.parent)
        self._scratch.append(draft)
        return draft

    def afterwards(self, action: Callable[[], None]) -> None:
        """Do something once all is delivered; never, if the job ends early."""
        self._afterwards.append(action)

    def _draft(self, name: str, folder: Path) -> Path:
        self.folders.add(folder)
        if self._run is not None:
            self._run.writes_in(folder)
        return folder / f"{self._prefix}{name}"

    def commit(self) -> None:
        """Move every draft to its destination, with the files that a driver wrote beside it."""
        for destination, draft in self._staged.items():
            for ending in SIDECARS:
                destination.with_name(destination.name + ending).unlink(missing_ok=True)
            if draft in self._lasting:
                draft.replace(destination)
                continue
            for part in _with_sidecars(draft):
                part.replace(destination.parent / part.name.removeprefix(self._prefix))
        self._staged.clear()
        self._lasting.clear()
        for action in self._afterwards:
            action()

    def discard(self) -> None:
        """Remove drafts (except lasting ones) and temporary files, with those beside them."""
        for draft, lasting in self._lasting.items():
            if lasting:
                _keep_only(draft, lasting)
        for draft in {*self._staged.values(), *self._scratch} - self._lasting.keys():
            for leftover in _with_sidecars(draft):
                if leftover.is_dir():
                    shutil.rmtree(leftover)
                else:
                    leftover.unlink(missing_ok=True)
        self._staged.clear()

    def __enter__(self) -> Outputs:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Move all outputs to their destinations, or none."""
        try:
            if kind is None:
                self.commit()
        finally:
            self.discard()


def _endings() -> Iterator[str]:
    yield ""
    yield from (f"-{number}" for number in itertools.count(2))


def _keep_only(folder: Path, pattern: str) -> None:
    """Remove files that do not match, and folders that are then empty."""
    kept = {*folder.glob(pattern)}
    for path in sorted(folder.rglob("*"), reverse=True):
        if not path.is_dir() and path not in kept:
            path.unlink(missing_ok=True)
        elif path.is_dir() and _is_empty(path):
            path.rmdir()
    if folder.is_dir() and _is_empty(folder):
        folder.rmdir()


def _is_empty(folder: Path) -> bool:
    return next(folder.iterdir(), None) is None


def _with_sidecars(draft: Path) -> list[Path]:
    return list(draft.parent.glob(f"{glob.escape(draft.name)}*"))
