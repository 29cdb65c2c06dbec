"""Training snapshots from a file, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.gdal.hdf5 import check_self_contained
from glacier_qgis.models.iceflow.snapshots.layout import (
    BASE,
    EACH,
    FIELDS,
    MEAN,
    NEEDED,
    SURFACE,
)
from glacier_qgis.models.iceflow.snapshots.state import TrainingState
from glacier_qgis.models.iceflow.snapshots.writer import STATE
from glacier_qgis.models.raster.cf import MAPPING, read_grid
from glacier_qgis.models.raster.grid import Grid

DAMAGE = (OSError, RuntimeError, LookupError, AttributeError, TypeError, ValueError)
"""What netCDF4 makes of a file that is no NetCDF or is damaged."""


@dataclass(frozen=True)
class SnapshotReader:
    """An open file of training snapshots; ``file[i]`` is a state.

    Attributes:
        path: of the file.
        grid: of all its fields, north-up.
        instructor: what found the velocities.
        names: of the fields that it has.
    """

    path: Path
    grid: Grid
    instructor: str
    names: frozenset[str]
    _file: netCDF4.Dataset

    def __len__(self) -> int:
        """Return how many states there are."""
        return len(self._file.dimensions[STATE])

    def __getitem__(self, index: int) -> TrainingState:
        """Return a state.

        Raises:
            IndexError: There is none of this index.
            EngineError: It has gaps, or the file is damaged.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        with readable(self.path):
            return TrainingState(
                thickness=self._field("thk", index),
                surface=self._field("usurf", index),
                rate_factor=self._field("arrhenius", index),
                sliding=self._field("slidingco", index),
                mean=self._pair(MEAN, index),
                base=self._pair(BASE, index) if self.names.issuperset(BASE) else None,
                top=self._pair(SURFACE, index) if self.names.issuperset(SURFACE) else None,
                year=float(self._file["model_year"][index]),
                run=str(self._file["run"][index]),
                residual=float(np.ma.filled(self._file["residual"][index], np.nan)),
            )

    def __iter__(self) -> Iterator[TrainingState]:
        """Yield all states in their order."""
        return (self[index] for index in range(len(self)))

    def _pair(self, names: Sequence[str], index: int) -> Float32Array:
        return np.stack([self._field(name, index) for name in names])

    def _field(self, name: str, index: int) -> Float32Array:
        values = np.ma.filled(self._file[name][index], np.nan).astype(np.float32)
        gaps = int((~np.isfinite(values)).sum())
        if gaps:
            raise EngineError(
                f"{self.path}: {name} has no data in {gaps} cells of state {index}. Training "
                "snapshots have no gaps: make the file again with 'Run instructor'."
            )
        return values


@contextmanager
def open_snapshots(path: Path) -> Iterator[SnapshotReader]:
    """Open a file of training snapshots.

    Raises:
        EngineError: It is not such a file, or damaged.
    """
    check_self_contained(path, str(path))
    with readable(path):
        file = netCDF4.Dataset(path)
    with file:
        with readable(path):
            missing = [name for name in (*NEEDED, *EACH, MAPPING, STATE) if not _has(file, name)]
            if missing:
                raise EngineError(
                    f"{path} has no {', '.join(missing)}: it has {_contents(file)}. Give a file of "
                    "training snapshots; 'Run instructor' makes one, also from the output of PISM, "
                    "Elmer/Ice or IGM."
                )
            grid = read_grid(file[MAPPING], file["thk"].shape[1:])
            names = frozenset(FIELDS).intersection(file.variables)
        yield SnapshotReader(path, grid, str(getattr(file, "instructor", "")), names, file)


def is_snapshots(path: Path) -> bool:
    """Return whether a file is made as one of training snapshots, complete or not.

    Raises:
        EngineError: It is not NetCDF, or damaged.
    """
    check_self_contained(path, str(path))
    with readable(path), netCDF4.Dataset(path) as file:
        return STATE in file.dimensions and "residual" in file.variables


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Call by one name what damage of a file makes of reading it."""
    try:
        yield
    except (EngineError, IndexError):
        raise
    except DAMAGE as error:
        reason = (getattr(error, "strerror", None) or str(error) or repr(error)).splitlines()[0]
        raise EngineError(
            f"{path} cannot be read as NetCDF, or is damaged ({reason}): copy or make it again."
        ) from error


def _has(file: netCDF4.Dataset, name: str) -> bool:
    return name in file.variables or name in file.dimensions


def _contents(file: netCDF4.Dataset) -> str:
    return ", ".join(file.variables) or "no variables"
