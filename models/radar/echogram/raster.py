"""Echograms on disk: a tiled GeoTIFF with overviews, written and read by ranges of traces."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import DatasetWriter
from rasterio.windows import Window

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.gdal.file import RasterFile
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.coordinates import LOCAL_CRS, TRANSFORM
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.sink import BLOCK, create_raster
from glacier_qgis.models.raster.source import open_source

TRACES = BLOCK
"""Traces to write at once: the width of a tile."""
SMALLEST_OVERVIEW = 256
"""An overview is not larger than this, traces or samples."""
UNITS = {"power_db": "dB", "power": "", "amplitude": "", "intensity": ""}


@dataclass(frozen=True)
class EchogramWriter:
    """Takes an echogram from left to right."""

    dataset: DatasetWriter
    axes: Axes

    def write(self, first: int, values: NDArray[np.generic]) -> None:
        """Write traces from `first` on, shape (samples, traces); NaN where there is no echo."""
        samples, traces = values.shape
        window = Window(first, 0, traces, samples)
        self.dataset.write(values.astype(np.float32, copy=False), 1, window=window)


@contextmanager
def create_echogram(path: Path, axes: Axes, tags: Mapping[str, str]) -> Iterator[EchogramWriter]:
    """Write an echogram with its axes; overviews are built at the end.

    Args:
        path: A staged path (see `Outputs.stage`); the axes go beside it and are moved with it.
        axes: Its axes.
        tags: Provenance for the file's metadata.
    """
    grid = Grid(LOCAL_CRS, TRANSFORM, axes.samples + _extra_rows(axes), axes.traces)
    with upright():
        with create_raster(
            path,
            grid,
            dtype="float32",
            nodata=np.nan,
            bands=["echo"],
            tags={"FRAME_ID": axes.frame_id, **tags},
            unit=UNITS[axes.values],
        ) as dataset:
            yield EchogramWriter(dataset, axes)
        with rasterio.open(path, "r+") as dataset:
            dataset.build_overviews(_overviews(dataset.width, dataset.height), Resampling.average)
    axes.write(path)


def _extra_rows(axes: Axes) -> int:
    """Return the rows that traces moved down need below the last sample."""
    return int(axes.shift.max()) if axes.shift.size else 0


def _overviews(width: int, height: int) -> list[int]:
    factors = [2]
    while max(width, height) / factors[-1] > SMALLEST_OVERVIEW:
        factors.append(2 * factors[-1])
    return factors


@contextmanager
def upright() -> Iterator[None]:
    """Ignore that the flipped identity counts as no geotransform: it is stored all the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


@dataclass(frozen=True)
class Echogram:
    """An open echogram."""

    axes: Axes
    dataset: RasterFile

    @property
    def traces(self) -> int:
        """Columns."""
        return self.axes.traces

    @property
    def samples(self) -> int:
        """Rows: those of the time axis, and what levelling the surface added."""
        return int(self.dataset.height)

    def read(self, first: int, last: int) -> NDArray[np.float32]:
        """Read the traces from `first` up to, not including, `last`: shape (samples, traces)."""
        window = Window(first, 0, last - first, self.samples)
        values: NDArray[np.float32] = self.dataset.read(1, window=window)
        return values

    def as_recorded(self, first: int, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return traces from `first` on without what levelling the surface moved.

        Args:
            first: The first trace.
            values: Rows of the echogram, shape (rows, traces).

        Returns:
            Shape (samples of the time axis, traces).
        """
        if not self.axes.shift.size:
            return values
        shift = self.axes.shift[first : first + values.shape[1]]
        rows = np.arange(self.axes.samples)[:, np.newaxis] + shift
        return np.take_along_axis(values, rows, 0)

    def blocks(self, traces: int = TRACES) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Read from left to right: the first trace of a block, and its values."""
        for first in range(0, self.traces, traces):
            yield first, self.read(first, min(first + traces, self.traces))


@contextmanager
def open_echogram(source: RasterInput, role: str = "INPUT") -> Iterator[Echogram]:
    """Open an echogram with its axes.

    Raises:
        EngineError: It is not a raster, has no axes, or does not fit them.
    """
    with upright(), open_source(source, role) as dataset:
        axes = Axes.read(Path(source.path), role)
        expected = (axes.samples + _extra_rows(axes), axes.traces)
        if (dataset.height, dataset.width) != expected:
            raise EngineError(
                f"{role}: {source.shown} has {dataset.width} traces of {dataset.height} samples, "
                f"its axes {expected[1]} of {expected[0]}. Import the radargram again."
            )
        yield Echogram(axes, dataset)
