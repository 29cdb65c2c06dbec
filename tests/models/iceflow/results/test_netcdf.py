from __future__ import annotations

from calendar import isleap
from datetime import date
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import rasterio
import xarray
from affine import Affine
from hypothesis import example, given
from hypothesis import strategies as st
from pyproj import CRS

from glacier_qgis.models.iceflow.calendar import days, iso_date
from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot
from glacier_qgis.models.iceflow.results.netcdf import create_simulation_file
from glacier_qgis.models.raster.grid import Grid
from kit.iceflow.cf_checker import complaints

PROVENANCE = {
    "SOFTWARE": "glacier_qgis 1.0",
    "CREATED": "2026-01-01T00:00:00+00:00",
    "ALGORITHM": "SimulateGlacier",
    "PARAMETERS": "{}",
    "EMULATOR": "f15/100",
}
YEARS = (-1_000_000, 1_000_000)
"""First and last year that a run can have."""
TIMES = (1880.0, 1880.5, 1890.0)
CF_NAMES = {
    "thk": ("land_ice_thickness", "m"),
    "usurf": ("surface_altitude", "m"),
    "topg": ("bedrock_altitude", "m"),
    "ubar": ("land_ice_vertical_mean_x_velocity", "m year-1"),
    "vbar": ("land_ice_vertical_mean_y_velocity", "m year-1"),
    "smb": ("land_ice_surface_specific_mass_balance_rate", "m year-1"),
}


@pytest.fixture(params=["EPSG:2056", "EPSG:32632", "EPSG:3413", "EPSG:3031"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Grid]:
    grid = Grid(CRS.from_user_input(request.param), Affine(50, 0, 4e5, 0, -50, 1.2e6), 7, 11)
    rows, columns = np.indices(grid.shape, dtype=np.float32)
    path = tmp_path / "süd run.nc"
    with create_simulation_file(
        path, grid, 1000 + columns, PROVENANCE, ["surface_velocity"]
    ) as file:
        for time in TIMES:
            thickness = (columns + np.float32(time - 1880)) * (rows > 2)
            file.append(
                Snapshot(time, thickness, 1000 + columns + thickness, columns, rows, rows, 1, 1, 1),
                {"surface_velocity": 2 * rows},
            )
    return path, grid


def test_xarray_decodes_times_places_and_values(written: tuple[Path, Grid]) -> None:
    path, grid = written
    with xarray.open_dataset(path) as data:
        np.testing.assert_array_equal(data["x"], grid.x)
        np.testing.assert_array_equal(data["y"], grid.y)
        dates = [str(time)[:10] for time in data["time"].values]
        assert dates == ["1880-01-01", "1880-07-02", "1890-01-01"]
        place = data["thk"].sel(x=grid.x[6], y=grid.y[4]).isel(time=2)
        assert float(place) == 16.0
        assert np.isnan(data["ubar"].isel(time=0, y=0)).all()
        assert float(data["vbar"].isel(time=1, y=5, x=3)) == 5.0
        assert float(data["velsurf_mag"].isel(time=1, y=5, x=3)) == 10.0
        assert np.isnan(data["velsurf_mag"].isel(time=1, y=0)).all()
        assert "velbase_mag" not in data
        assert CRS.from_wkt(data["crs"].attrs["crs_wkt"]) == grid.crs


def test_gdal_opens_it_in_the_right_place_with_one_band_per_time(
    written: tuple[Path, Grid],
) -> None:
    path, grid = written
    with rasterio.open(f'NETCDF:"{path}":thk') as raster:
        assert raster.transform.almost_equals(grid.transform)
        assert CRS.from_user_input(raster.crs.to_wkt()).equals(grid.crs, ignore_axis_order=True)
        assert raster.count == len(TIMES)
        assert raster.read(3)[4, 6] == 16.0


def test_the_structure_is_that_of_the_cf_conventions(written: tuple[Path, Grid]) -> None:
    path, _ = written
    with xarray.open_dataset(path, decode_times=False, decode_cf=False) as data:
        assert data.attrs["Conventions"] == "CF-1.10"
        assert {"title", "source", "history", "references"} <= set(data.attrs)
        assert data["time"].attrs["units"] == "days since 1850-01-01"
        assert data["time"].attrs["calendar"] == "proleptic_gregorian"
        for axis, name in (("x", "projection_x_coordinate"), ("y", "projection_y_coordinate")):
            assert data[axis].attrs["standard_name"] == name
            assert data[axis].attrs["units"] == "m"
            assert "_FillValue" not in data[axis].attrs
            assert np.all(np.diff(data[axis].values)) or data[axis].size == 1
        for name, (standard, unit) in CF_NAMES.items():
            attributes = data[name].attrs
            assert (attributes["standard_name"], attributes["units"]) == (standard, unit)
            mapping = data[attributes["grid_mapping"]]
            assert mapping.attrs["grid_mapping_name"] != "unknown"
            assert data[name].dims[-2:] == ("y", "x")


@pytest.mark.slow
def test_a_cf_checker_finds_nothing_wrong(written: tuple[Path, Grid]) -> None:
    """It asks an oblique Mercator for `azimuth`, which is `azimuth_of_central_line` in CF 1.10.

    (Appendix F of the conventions.)
    """
    path, grid = written
    messages = complaints(path)
    if grid.crs == CRS("EPSG:2056"):
        messages.remove("azimuth is a required attribute for grid mapping oblique_mercator")
    assert messages == []


@pytest.mark.slow
def test_the_checker_would_have_found_something(written: tuple[Path, Grid]) -> None:
    path, _ = written
    with netCDF4.Dataset(path, "a") as file:
        file["thk"].standard_name = "thickness_of_the_ice"
        file["time"].units = "fortnights"
    found = " ".join(complaints(path))
    assert "thickness_of_the_ice" in found
    assert "fortnights" in found


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (0, "0000-01-01"),
        (1880.5, "1880-07-02"),
        (-12, "-0012-01-01"),
        (2024 + 59.5 / 366, "2024-02-29"),
        (2023 + 59.5 / 365, "2023-03-01"),
        (99.99999999999, "0100-01-01"),
        (2000 - 2e-9, "2000-01-01"),
    ],
)
def test_years_become_dates(year: float, expected: str) -> None:
    assert iso_date(year) == expected


@given(st.dates(), st.floats(0, 0.999))
def test_days_are_those_of_the_proleptic_gregorian_calendar(day: date, part: float) -> None:
    beginning = date(day.year, 1, 1)
    length = 366 if isleap(day.year) else 365
    year = day.year + ((day - beginning).days + part) / length
    assert days(year) == pytest.approx((day - date(1850, 1, 1)).days + part, abs=1e-3)


@given(st.integers(*YEARS))
@example(YEARS[0])
@example(YEARS[1])
def test_years_are_as_long_as_their_leap_days_say_as_far_as_a_run_can_reach(year: int) -> None:
    assert days(year + 1) - days(year) == (366 if isleap(year) else 365)
    assert days(year + 400) - days(year) == 146_097
    assert iso_date(year) == f"{'-' * (year < 0)}{abs(year):04d}-01-01"
