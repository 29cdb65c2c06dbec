"""Options, tables and rasters of mass balance that are refused, each with the remedy."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from pydantic import ValidationError

from glacier_qgis.models.engine.errors import EngineError, explain
from glacier_qgis.models.iceflow.jobs.balance import SurfaceMassBalance
from kit.engine.listener import Listener
from kit.iceflow.alpine_slope import ALPS, RAIN, SHAPE, STATION, Write, monthly


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("temperature", monthly(ALPS)[:11], "11 bands; 12 are needed"),
        ("temperature", monthly(ALPS) + 273.15, "kelvin.*Subtract 273.15"),
        ("temperature", monthly(ALPS) * 10, "cannot be temperatures in °C"),
        ("temperature", (monthly(ALPS) + 273.15) * 10, "tenths of kelvin.*Divide by 10"),
        ("temperature", monthly(ALPS) * np.nan, "no data in this area"),
        ("precipitation", monthly(-RAIN), "negative precipitation"),
        ("precipitation", monthly(RAIN) * 1000, "on any glacier.*PRECIPITATION_UNIT"),
    ],
)
def test_a_climate_in_the_wrong_unit_is_refused(
    balance: Callable[..., np.ndarray],
    write_bands: Write,
    name: str,
    values: np.ndarray,
    message: str,
) -> None:
    options = {key: value for key, value in STATION.items() if key != f"monthly_{name}"}
    options[name] = write_bands("climate.tif", values.astype("f4"))
    with pytest.raises(EngineError, match=f"{name.upper()}.*{message}"):
        balance(**options)


@pytest.mark.parametrize(
    ("text", "years", "message"),
    [
        ("year,ela\n1900,2800\n1990,2900\n", "1950 2000", "1900 to 1990, but 1950 to 2000"),
        ("year,ela\n1900,2800\n1990,2900\n", None, "YEARS is missing"),
        ("year,ela\n1900,2800\n1900,2900\n", "1900", "1900 twice"),
        ("year,ela\n1900,high\n1990,2900\n", "1900", "row 1.*'high' as 'ela'"),
        ("time,ela\n1900,2800\n", "1900", "columns time, ela.*needs 'year'"),
        ("year,temperature_offset\n1900,2\n", "1900", "at least one of ela"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    balance: Callable[..., np.ndarray],
    table: Callable[[str], dict[str, str]],
    text: str,
    years: str | None,
    message: str,
) -> None:
    with pytest.raises(EngineError, match=message):
        balance(balance_table=table(text), years=years)


@pytest.mark.parametrize(
    ("scale", "names", "years", "message"),
    [
        (1000, ("year 1990", "year 2010"), "1990", "BALANCE_UNIT"),
        (1, ("first", "last"), "1990", r"'first'\) does not include.*BAND_YEARS"),
        (1, ("year 1990", "year 2010"), "2020", "1990 to 2010, but 2020 to 2020"),
        (1, ("year 2010", "year 1990"), "2000", "1990 comes after 2010"),
    ],
)
def test_a_series_that_does_not_fit_is_refused(
    balance: Callable[..., np.ndarray],
    write_bands: Write,
    scale: float,
    names: tuple[str, ...],
    years: str,
    message: str,
) -> None:
    fields = np.full((2, *SHAPE), 0.7 * scale, dtype="f4")
    raster = write_bands("series.tif", fields, names)
    with pytest.raises(EngineError, match=message):
        balance(mass_balance="raster series", balance_raster=raster, years=years)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"mass_balance": "raster series"}, None),
        ({"mass_balance": "degree days"}, "either TEMPERATURE .* or MONTHLY_TEMPERATURE"),
        ({**STATION, "monthly_temperature": "1 2 3"}, "has 3 numbers; 12 are needed"),
        ({**STATION, "monthly_temperature": "1 2 x"}, "'x' is not a number"),
        ({**STATION, "climate_height": None}, "CLIMATE_HEIGHT is missing"),
        ({**STATION, "all_rain": -1}, r"ALL_RAIN \(-1 °C\) must be warmer"),
        ({**STATION, "mass_balance": "ELA"}, "choose 'degree days', or leave it blank"),
        ({"balance_raster": {"path": "b.tif"}}, "choose 'raster series'"),
        ({"refreezing": 1.2}, "REFREEZING"),
        ({"first_month": 13}, "FIRST_MONTH"),
        ({"ablation_gradient": -1}, "ABLATION_GRADIENT"),
        ({"band_years": "1990 2000"}, "BAND_YEARS was given, but no raster"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(
    parameters: dict[str, object], message: str | None
) -> None:
    whole = {"surface": {"path": "dem.tif"}, "output": "out.tif", **parameters}
    if message is None:
        SurfaceMassBalance(**whole)
        return
    with pytest.raises(ValidationError) as caught:
        SurfaceMassBalance(**whole)
    assert re.search(message, explain(caught.value) or "")


@pytest.mark.parametrize(
    ("options", "text", "message"),
    [
        (
            STATION,
            "year,precipitation_offset\n0,0\n9,-150\n",
            "-150 as 'precipitation_offset'.*-100",
        ),
        (STATION, "year,temperature_offset\n0,280\n9,281\n", "280 as 'temperature_offset'.*50"),
        ({}, "year,ablation_gradient\n0,0.009\n9,-0.009\n", "-0.009 as 'ablation_gradient'"),
        ({}, "year,max_accumulation\n0,-1\n9,2\n", "-1 as 'max_accumulation'"),
    ],
)
def test_a_table_is_held_to_the_bounds_of_the_numbers_that_it_replaces(
    balance: Callable[..., np.ndarray],
    table: Callable[[str], dict[str, str]],
    options: dict[str, object],
    text: str,
    message: str,
) -> None:
    with pytest.raises(EngineError, match=f"BALANCE_TABLE has {message}"):
        balance(**options, balance_table=table(text), years="5")


def test_millimetres_a_month_taken_for_metres_a_year_are_found_in_a_dry_climate_too(
    balance: Callable[..., np.ndarray],
) -> None:
    dry = {**STATION, "monthly_precipitation": "40 " * 12}
    assert np.isfinite(balance(**dry)).all()
    with pytest.raises(EngineError, match=r"40 m per year in the mean.*PRECIPITATION_UNIT"):
        balance(**dry | {"precipitation_unit": "m per year"})


def test_what_interpolation_leaves_below_zero_is_no_precipitation(
    balance: Callable[..., np.ndarray], write_bands: Write
) -> None:
    options = {key: value for key, value in STATION.items() if key != "monthly_precipitation"}
    none, less = (
        balance(**options, precipitation=write_bands(f"{name}.tif", monthly(RAIN * 0 + value)))
        for name, value in (("none", 0.0), ("less", -1e-6))
    )
    np.testing.assert_array_equal(none, less)


@pytest.mark.parametrize("fill", [-32768, -9999])
@pytest.mark.parametrize("name", ["climate_surface", "ela_raster"])
def test_a_fill_value_is_no_elevation(
    balance: Callable[..., np.ndarray],
    write_bands: Write,
    listener: Listener,
    name: str,
    fill: float,
) -> None:
    heights = np.full((1, *SHAPE), 2500, dtype="f4")
    heights[0, 3, 4] = fill
    options: dict[str, object] = {name: write_bands("height.tif", heights)}
    if name == "climate_surface":
        climate = {
            "temperature": write_bands("temperature.tif", monthly(ALPS)),
            "precipitation": write_bands("rain.tif", monthly(RAIN * np.float32(12 / 1000))),
        }
        options |= {"mass_balance": "degree days", **climate}
    empty = np.isnan(balance(**options)[0])
    assert empty[3, 4]
    assert not empty.all()
    assert any(name.upper() in text and "1 pixel" in text for text in listener.warnings)
