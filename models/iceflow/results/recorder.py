"""Writing saved states to files, one at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from rasterio.io import DatasetWriter

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.iceflow.calendar import iso_date
from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot
from glacier_qgis.models.iceflow.ground.topography import Topography
from glacier_qgis.models.iceflow.results.netcdf import (
    FIELDS,
    LEVEL_FIELDS,
    SimulationFile,
    create_simulation_file,
)
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.sink import create_raster


@dataclass(frozen=True)
class RasterKind:
    """A field that can be written as a raster with one band per saved time."""

    label: str
    unit: str
    needs_ice: bool


RASTERS = {
    "thickness": RasterKind("ice thickness", "m", needs_ice=False),
    "velocity": RasterKind("depth-averaged speed", "m/a", needs_ice=True),
    "velocity_x": RasterKind("depth-averaged velocity eastwards", "m/a", needs_ice=True),
    "velocity_y": RasterKind("depth-averaged velocity northwards", "m/a", needs_ice=True),
    "basal_velocity": RasterKind("basal speed", "m/a", needs_ice=True),
    "surface_velocity": RasterKind("surface speed", "m/a", needs_ice=True),
    "surface_out": RasterKind("surface elevation", "m", needs_ice=False),
    "mass_balance_out": RasterKind("surface mass balance", "m/a", needs_ice=False),
}


class Recorder:
    """Writes every saved state to the requested rasters and NetCDF.

    Attributes:
        series: one row per saved time.
        netcdf: the file with all states; None if not requested.
    """

    def __init__(
        self,
        rasters: Mapping[str, Path],
        netcdf: Path | None,
        topography: Topography,
        times: Sequence[float],
        tags: Mapping[str, str],
    ) -> None:
        """Prepare for states at `times` (a); paths are staged, `rasters` by key of `RASTERS`."""
        self.series: list[dict[str, float]] = []
        self.netcdf = netcdf
        self._rasters = rasters
        self._topography = topography
        self._times = times
        self._tags = tags
        self._open = ExitStack()
        self._targets: dict[str, DatasetWriter] = {}
        self._file: SimulationFile | None = None

    def __enter__(self) -> Recorder:
        """Create the files."""
        bands = [f"year {time:.10g}" for time in self._times]
        with self._open:
            for name, path in self._rasters.items():
                raster = create_raster(
                    path,
                    self._topography.grid,
                    dtype="float32",
                    nodata=np.nan,
                    bands=bands,
                    tags={**self._tags, "FIELD": RASTERS[name].label},
                    unit=RASTERS[name].unit,
                )
                self._targets[name] = self._open.enter_context(raster)
            if self.netcdf is not None:
                ground = self._topography
                levels = [name for name in LEVEL_FIELDS if name in self._rasters]
                file = create_simulation_file(
                    self.netcdf, ground.grid, ground.bed, self._tags, levels
                )
                self._file = self._open.enter_context(file)
            self._open = self._open.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the files."""
        self._open.__exit__(kind, error, traceback)

    def record(self, snapshot: Snapshot, levels: Mapping[str, Float32Array]) -> None:
        """Write the next saved state, with the requested speeds at bed and surface."""
        if self._file is not None:
            self._file.append(snapshot, levels)
        self.series.append(
            {
                "time": snapshot.time,
                "volume_km3": snapshot.volume,
                "area_km2": snapshot.area,
                "mean_speed": snapshot.mean_speed,
                "lost_km3": snapshot.budget.lost,
                "added_km3": snapshot.budget.added,
            }
        )
        band = len(self.series)
        for name, target in self._targets.items():
            target.write(_field(snapshot, name, levels), band)
            target.update_tags(band, TIME=iso_date(snapshot.time), YEAR=f"{snapshot.time:.10g}")


def sizes(
    rasters: Mapping[str, Path], netcdf: Path | None, grid: Grid, times: int
) -> dict[Path, int]:
    """Return the largest number of bytes for each folder, before compression."""
    field = grid.height * grid.width * np.dtype(np.float32).itemsize * times
    folders: Counter[Path] = Counter()
    for path in rasters.values():
        folders[path.parent] += field
    if netcdf is not None:
        folders[netcdf.parent] += field * len(
            FIELDS.keys() | (LEVEL_FIELDS.keys() & rasters.keys())
        )
    return dict(folders)


def _field(snapshot: Snapshot, name: str, others: Mapping[str, Float32Array]) -> Float32Array:
    values = {
        "thickness": snapshot.thickness,
        "velocity": snapshot.speed,
        "velocity_x": snapshot.u,
        "velocity_y": snapshot.v,
        "surface_out": snapshot.surface,
        "mass_balance_out": snapshot.balance,
        **others,
    }[name]
    if not RASTERS[name].needs_ice:
        return values
    return np.where(snapshot.thickness > 0, values, np.float32(np.nan))
