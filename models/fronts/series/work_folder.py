"""The work folder of a series: results of a run, from which the next one resumes."""

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
"""Prefixes of the names of incomplete folders and of complete ones; a work folder may hold other
files too."""
MASK, ROCK = f"{DRAFT}mask.gpkg", f"{DRAFT}rock.gpkg"
_CRS = "crs.wkt"
_DAY = 86_400.0
_FORGET_AFTER = 30 * _DAY
"""Seconds after which the files of a stopped run are removed from the cache."""


def scene_identity(source: RasterInput) -> str:
    """Return a text that changes when a scene does, or how it is read.

    It has the path, size and modification time, the CRS, and what was set for reading it.
    """
    path = Path(source.path)
    try:
        status = path.stat()
        state = f"{path.absolute()} {status.st_size} {status.st_mtime_ns}"
    except OSError:  # a GDAL name, or missing
        state = source.path
    reading = source.model_dump_json(include={"options", "no_data"}, exclude_defaults=True)
    return f"{state} {source.crs or ''}{'' if reading == '{}' else reading}"


def digest(*texts: str) -> str:
    """Return a short name for texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class WorkFolder:
    """The work folder of a series.

    Attributes:
        path: The folder.
        kept: Whether the user chose it, so that it stays.
    """

    path: Path
    kept: bool

    @classmethod
    def open(cls, asked: Path | None, sources: Sequence[RasterInput], settings: str) -> WorkFolder:
        """Create or find the folder.

        Args:
            asked: Chosen by the user; None for one in the cache, the same for the same scenes and
                settings.
            sources: The scenes.
            settings: Everything else that affects the results.

        Raises:
            EngineError: It cannot be created or written to.
        """
        identities = sorted(scene_identity(source) for source in sources)
        cache = cache_folder() / "time_series"
        path = asked.absolute() if asked else cache / digest(settings, *identities)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EngineError(
                f"WORK_FOLDER: {path} cannot be created ({error.strerror}): choose another."
            ) from error
        if not os.access(path, os.W_OK):
            raise EngineError(f"WORK_FOLDER: {path} cannot be written to: choose another.")
        if asked is None:
            _remove_older(path.parent, "*", _FORGET_AFTER)
        _remove_older(path, f"{DRAFT}*", _DAY)
        return cls(path, asked is not None)

    @property
    def crs(self) -> CRS | None:
        """The CRS of the scenes; None before it is chosen."""
        stored = self.path / _CRS
        return CRS.from_wkt(stored.read_text(encoding="utf-8")) if stored.is_file() else None

    def keep_crs(self, crs: CRS) -> None:
        """Store the CRS for later scenes."""
        draft = self.path / f"{DRAFT}{_CRS}-{os.getpid()}"
        draft.write_text(crs.to_wkt(), encoding="utf-8")
        draft.replace(self.path / _CRS)

    def finish(self) -> None:
        """Remove the folder, unless the user chose it."""
        if not self.kept:
            shutil.rmtree(self.path, ignore_errors=True)


def _remove_older(folder: Path, names: str, age: float) -> None:
    """Remove folders that have not changed for `age` seconds."""
    for path in folder.glob(names):
        if path.is_dir() and time.time() - path.stat().st_mtime > age:
            shutil.rmtree(path, ignore_errors=True)
