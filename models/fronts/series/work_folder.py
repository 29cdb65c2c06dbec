"""The work folder of a series: what a run has computed, for the next one to go on from."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyproj import CRS

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.folders import cache_folder
from glacier_qgis.models.engine.job import RasterInput

DRAFT = ".glacier-"
"""How the names of what is not whole begin, and of what is only ours: a work folder may hold
anything else."""
MASK = f"{DRAFT}mask.gpkg"
_CRS = "crs.wkt"
_DAY = 86_400.0
_FORGET_AFTER = 30 * _DAY
"""Seconds after which what a stopped run left in the cache is not waited for any more."""


def scene_identity(source: RasterInput) -> str:
    """Return what changes when a scene does: path, size and time of change, and its CRS."""
    path = Path(source.path)
    try:
        status = path.stat()
        state = f"{path.absolute()} {status.st_size} {status.st_mtime_ns}"
    except OSError:  # a name of GDAL's, or missing
        state = source.path
    return f"{state} {source.crs or ''}"


def digest(*texts: str) -> str:
    """Return a short name for texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class WorkFolder:
    """Where scenes are worked on.

    Attributes:
        path: The folder.
        kept: Whether it is a person's own and stays.
    """

    path: Path
    kept: bool

    @classmethod
    def open(cls, asked: Path | None, sources: Sequence[RasterInput], settings: str) -> WorkFolder:
        """Make or find the folder.

        Args:
            asked: A person's own; None for one in the cache that the same scenes and settings
                find again.
            sources: The scenes.
            settings: Everything else that the work depends on.

        Raises:
            EngineError: It cannot be made or written to.
        """
        identities = sorted(scene_identity(source) for source in sources)
        cache = cache_folder() / "time_series"
        path = asked.absolute() if asked else cache / digest(settings, *identities)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EngineError(
                f"WORK_FOLDER: {path} cannot be made ({error.strerror}): choose another."
            ) from error
        if not os.access(path, os.W_OK):
            raise EngineError(f"WORK_FOLDER: you may not write to {path}: choose another.")
        if asked is None:
            _remove_older(path.parent, "*", _FORGET_AFTER)
        _remove_older(path, f"{DRAFT}*", _DAY)
        return cls(path, asked is not None)

    @property
    def crs(self) -> CRS | None:
        """The CRS that the scenes here are in; None before it was chosen."""
        stored = self.path / _CRS
        return CRS.from_wkt(stored.read_text(encoding="utf-8")) if stored.is_file() else None

    def keep_crs(self, crs: CRS) -> None:
        """Remember the CRS for scenes that come later."""
        draft = self.path / f"{DRAFT}{_CRS}-{os.getpid()}"
        draft.write_text(crs.to_wkt(), encoding="utf-8")
        draft.replace(self.path / _CRS)

    def finish(self) -> None:
        """Remove the folder, unless a person wants to keep it."""
        if not self.kept:
            shutil.rmtree(self.path, ignore_errors=True)


def _remove_older(folder: Path, names: str, age: float) -> None:
    """Remove folders that nothing was written into for `age` seconds."""
    for path in folder.glob(names):
        if path.is_dir() and time.time() - path.stat().st_mtime > age:
            shutil.rmtree(path, ignore_errors=True)
