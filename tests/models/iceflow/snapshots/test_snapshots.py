from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.snapshots.reader import open_snapshots
from glacier_qgis.models.iceflow.snapshots.state import TrainingState
from glacier_qgis.models.iceflow.snapshots.writer import create_snapshots
from glacier_qgis.models.raster.grid import Grid
from kit.iceflow.cf_checker import complaints

GRID = Grid(CRS.from_epsg(32632), Affine(50, 0, 400_000, 0, -50, 5_200_000), 4, 6)
FACTS = {"SOFTWARE": "glacier_qgis 1", "CREATED": "2026-01-01", "ALGORITHM": "Test"}
LEVELS = ("uvelbase", "vvelbase", "uvelsurf", "vvelsurf")


def state(seed: int, **values: object) -> TrainingState:
    numbers = np.random.default_rng(seed)

    def field(*shape: int) -> np.ndarray:
        return numbers.uniform(1, 100, (*shape, *GRID.shape)).astype(np.float32)

    return TrainingState(
        field(), field(), field(), field(), field(2), **{"base": field(2), "top": field(2)} | values
    )


def write(path: Path, *states: TrainingState, more: tuple[str, ...] = LEVELS) -> Path:
    with create_snapshots(path, GRID, "Blatter-Pattyn", FACTS, more) as file:
        for one in states:
            file.append(one)
    return path


def test_states_come_back_as_they_were_written(tmp_path: Path) -> None:
    states = [state(1, year=2000.5, residual=1e-5), state(2, year=2010.0, run="warm")]
    with open_snapshots(write(tmp_path / "states.nc", *states)) as file:
        assert (file.grid, file.grid.cell_size, file.instructor) == (GRID, 50, "Blatter-Pattyn")
        assert len(file) == len(states)
        for found, wanted in zip(file, states, strict=True):
            for name, values in wanted.fields.items():
                np.testing.assert_array_equal(found.fields[name], values)
            assert (found.year, found.run) == (wanted.year, wanted.run)
            np.testing.assert_equal(found.residual, wanted.residual)


def test_velocities_at_bed_and_surface_may_be_absent(tmp_path: Path) -> None:
    lean = state(1, base=None, top=None)
    with open_snapshots(write(tmp_path / "states.nc", lean, more=())) as file:
        assert file[0].base is None
        assert file[0].top is None
        np.testing.assert_array_equal(file[0].mean, lean.mean)


def test_gdal_sees_where_the_fields_lie(tmp_path: Path) -> None:
    one = state(1)
    path = write(tmp_path / "states.nc", one)
    with rasterio.open(f"NETCDF:{path}:thk") as raster:
        assert (raster.transform, raster.crs.to_epsg(), raster.count) == (GRID.transform, 32632, 1)
        np.testing.assert_array_equal(raster.read(1), one.thickness)


@pytest.mark.slow
def test_a_cf_checker_finds_nothing_wrong(tmp_path: Path) -> None:
    assert complaints(write(tmp_path / "states.nc", state(1), state(2, year=10.0))) == []


def test_a_missing_variable_is_named_beside_what_is_there(tmp_path: Path) -> None:
    path = write(tmp_path / "states.nc", state(1))
    with netCDF4.Dataset(path, "a") as file:
        file.renameVariable("slidingco", "friction")
    with pytest.raises(EngineError, match=r"has no slidingco: it has .*friction"), \
            open_snapshots(path):  # fmt: skip
        pass


def test_gaps_are_refused(tmp_path: Path) -> None:
    holed = state(1)
    holed.thickness[1, 1] = np.nan
    path = write(tmp_path / "states.nc", holed)
    with (
        open_snapshots(path) as file,
        pytest.raises(EngineError, match=r"thk has no data in 1 cells of state 0"),
    ):
        file[0]


@pytest.mark.parametrize("content", [b"", b"no NetCDF", b"\x89HDF\r\n\x1a\n damaged"])
def test_what_is_no_netcdf_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "states.nc"
    path.write_bytes(content)
    with pytest.raises(EngineError, match=r"states\.nc"), open_snapshots(path):
        pass
