"""Mass balance of a surface that stays as it is: options, tables and rasters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas
import numpy as np
import shapely
import torch

from glacier_qgis.models.iceflow.balance.degree_days import MeltModel, annual_balance
from glacier_qgis.models.iceflow.balance.model import ICE_PER_WATER
from kit.iceflow.alpine_slope import ALPS, RAIN, SHAPE, STATION, Write, monthly, slope


def test_the_surface_alone_gives_the_balance_by_height(
    balance: Callable[..., np.ndarray],
) -> None:
    height = slope() - 2900
    expected = np.where(height < 0, 0.009 * height, (0.005 * height).clip(max=2))
    np.testing.assert_allclose(balance(), expected[None], atol=1e-5)


def test_a_station_gives_every_height_its_year(balance: Callable[..., np.ndarray]) -> None:
    values = balance(**STATION, temperature_offset=1, precipitation_offset=-20, refreezing=0.3)
    colder = 1 - 6.5e-3 * (slope() - 2500)
    melt = MeltModel(0.003, 0.008, 0.3, 5.0, 0.0, 2.0, 10)
    expected = annual_balance(
        torch.from_numpy(monthly(ALPS) + colder),
        torch.from_numpy(monthly(RAIN) * np.float32(0.8 * 12 / 1000)),
        melt,
    )
    np.testing.assert_allclose(values[0], expected, atol=1e-4)
    assert values.max() > 0.3
    assert values.min() < -3


def test_rasters_of_one_climate_are_that_station(
    balance: Callable[..., np.ndarray], write_bands: Write
) -> None:
    packed = (monthly(ALPS) * 100 + 27315).astype("i2")
    rasters = {
        "temperature": write_bands("temperature.tif", packed, scale=0.01, offset=-273.15),
        "precipitation": write_bands("rain.tif", monthly(RAIN * np.float32(12 / 1000))),
        "climate_surface": write_bands("height.tif", np.full((1, *SHAPE), 2500, dtype="f4")),
    }
    expected = balance(**STATION)
    values = balance(mass_balance="degree days", **rasters)
    np.testing.assert_allclose(values, expected, atol=2e-3)


def test_temperatures_without_a_height_hold_at_the_surface(
    balance: Callable[..., np.ndarray], write_bands: Write
) -> None:
    lapsed = monthly(ALPS) - np.float32(6.5e-3) * (slope() - 2500)
    own = {key: value for key, value in STATION.items() if "temperature" not in key}
    own |= {"temperature": write_bands("temperature.tif", lapsed), "climate_height": None}
    np.testing.assert_allclose(balance(**own), balance(**STATION), atol=1e-4)


def test_a_table_moves_the_line_through_time(
    balance: Callable[..., np.ndarray], table: Callable[[str], dict[str, str]]
) -> None:
    rows = table("Year,ELA,note\n2000,3100,warm\n1900,2700,cold\n")
    values = balance(balance_table=rows, years="1900; 1950; 2000")
    for band, ela in zip(values, (2700, 2900, 3100), strict=True):
        np.testing.assert_array_equal(band, balance(ela=ela)[0])


def test_a_table_of_offsets_drives_degree_days(
    balance: Callable[..., np.ndarray], table: Callable[[str], dict[str, str]]
) -> None:
    rows = table("year,temperature_offset\n1900,0\n2100,4\n")
    values = balance(**STATION, balance_table=rows, years=[2000])
    np.testing.assert_allclose(values, balance(**STATION, temperature_offset=2), atol=1e-5)


def test_a_series_is_interpolated_in_metres_of_ice(
    balance: Callable[..., np.ndarray], write_bands: Write
) -> None:
    fields = np.stack([np.full(SHAPE, 0.5), np.full(SHAPE, -1.5)]).astype("f4")
    fields[:, :3] = np.nan
    series = {
        "mass_balance": "raster series",
        "balance_raster": write_bands("series.tif", fields, ["year 1990", "year 2010"]),
        "balance_unit": "m water per year",
    }
    values = balance(**series, years="1990 1995")
    assert np.isnan(values[:, :3]).all()
    np.testing.assert_allclose(values[0, 3:], 0.5 * ICE_PER_WATER, rtol=1e-6)
    np.testing.assert_allclose(values[1, 3:], 0.0, atol=1e-6)
    renamed = balance(**series, band_years="0, 20", years="20")
    np.testing.assert_allclose(renamed[0, 3:], -1.5 * ICE_PER_WATER, rtol=1e-6)


def test_an_outline_limits_the_result(balance: Callable[..., np.ndarray], tmp_path: Path) -> None:
    outline = tmp_path / "outline.gpkg"
    box = shapely.box(400_000, 5_149_000, 401_000, 5_150_000)
    geopandas.GeoDataFrame(geometry=[box], crs="EPSG:32632").to_file(outline)
    values = balance(ice_mask={"path": str(outline)})[0]
    assert np.isfinite(values[:10, :10]).all()
    assert np.isfinite(values).sum() == 100
