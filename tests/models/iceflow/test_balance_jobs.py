"""Mass balance through both jobs: options, tables and rasters, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
import torch
from affine import Affine
from pydantic import ValidationError

from glacier_qgis.models.engine.errors import EngineError, explain
from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.engine.job import Job
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.iceflow.balance_jobs import SurfaceMassBalance
from glacier_qgis.models.iceflow.degree_days import MeltModel, annual_balance
from glacier_qgis.models.iceflow.emulator import Emulator
from glacier_qgis.models.iceflow.mass_balance import ICE_PER_WATER
from glacier_qgis.models.iceflow.simulate_job import SimulateGlacier

if TYPE_CHECKING:
    from listener import Listener

UPRIGHT = Affine(100, 0, 400_000, 0, -100, 5_150_000)
SHAPE = (30, 24)
ALPS = np.array([-9, -9, -7, -4, 1, 4, 7, 7, 4, 1, -5, -8], dtype="f4")
"""°C at 2500 m."""
RAIN = np.array([120, 110, 130, 140, 160, 170, 180, 170, 130, 120, 140, 130], dtype="f4")
"""mm per month."""
STATION = {
    "mass_balance": "degree days",
    "monthly_temperature": ", ".join(f"{value:g}" for value in ALPS),
    "monthly_precipitation": " ".join(f"{value:g}" for value in RAIN),
    "precipitation_unit": "mm per month",
    "climate_height": 2500,
}
Write = Callable[..., dict[str, str]]


def slope() -> np.ndarray:
    """A surface from 3400 m in the north to 2240 m in the south."""
    return (3400 - 40 * np.indices(SHAPE, dtype="f4")[0]).astype("f4")


def monthly(values: np.ndarray) -> np.ndarray:
    return np.broadcast_to(values[:, None, None], (len(values), *SHAPE)).astype("f4")


@pytest.fixture
def write_bands(tmp_path: Path) -> Write:
    def write(
        name: str,
        values: np.ndarray,
        names: Sequence[str] = (),
        scale: float = 1.0,
        offset: float = 0.0,
    ) -> dict[str, str]:
        path = tmp_path / name
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            height=values.shape[1],
            width=values.shape[2],
            count=len(values),
            dtype=values.dtype,
            crs="EPSG:32632",
            transform=UPRIGHT,
        ) as target:
            target.write(values)
            target.scales, target.offsets = (scale,) * len(values), (offset,) * len(values)
            if names:
                target.descriptions = tuple(names)
        return {"path": str(path)}

    return write


@pytest.fixture
def surface(write_bands: Write) -> dict[str, str]:
    return write_bands("surface.tif", slope()[None])


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    def write(text: str) -> dict[str, str]:
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return {"path": str(path)}

    return write


def run_job(job: Job, listener: Listener) -> Result:
    with Outputs("0123456789ab") as outputs:
        return job.run(listener, outputs)


@pytest.fixture
def balance(
    surface: dict[str, str], tmp_path: Path, listener: Listener
) -> Callable[..., np.ndarray]:
    """Run the job on the slope and return its bands."""

    def compute(**options: object) -> np.ndarray:
        target = tmp_path / "balance.tif"
        job = SurfaceMassBalance(surface=surface, output=target, **options)
        result = run_job(job, listener)
        with rasterio.open(target) as raster:
            assert set(raster.units) == {"m/a"}
            values = raster.read()
        assert result["MEAN_BALANCE"] == pytest.approx(
            np.nanmean(values, dtype=np.float64), rel=1e-9
        )
        return values

    return compute


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


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("temperature", monthly(ALPS)[:11], "11 bands; 12 are needed"),
        ("temperature", monthly(ALPS) + 273.15, "kelvin.*Subtract 273.15"),
        ("temperature", monthly(ALPS) * 10, "no temperatures in °C"),
        ("temperature", monthly(ALPS) * np.nan, "no data in this area"),
        ("precipitation", monthly(-RAIN), "negative precipitation"),
        ("precipitation", monthly(RAIN) * 1000, "anywhere on Earth.*PRECIPITATION_UNIT"),
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
        (1, ("first", "last"), "1990", r"'first'\) does not tell.*BAND_YEARS"),
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


@pytest.fixture
def glacier(write_bands: Write, f15: Emulator) -> dict[str, dict[str, str]]:
    """A slab of ice in the upper half of the slope."""
    ice = np.zeros((1, *SHAPE), dtype="f4")
    ice[:, 4:16, 4:-4] = 80
    return {
        "bed": write_bands("bed.tif", slope()[None]),
        "initial_thickness": write_bands("ice.tif", ice),
    }


def test_a_field_that_is_the_same_everywhere_is_the_number(
    glacier: dict[str, dict[str, str]],
    write_bands: Write,
    table: Callable[[str], dict[str, str]],
    listener: Listener,
) -> None:
    raster = write_bands("ela.tif", np.full((1, *SHAPE), 2800, dtype="f4"))
    number, field = (
        run_job(SimulateGlacier(**glacier, end=4, save_interval=2, **options), listener)
        for options in ({"ela": 2800}, {"ela_raster": raster})
    )
    assert field["VOLUME"] == number["VOLUME"]
    assert field["STEPS"] == number["STEPS"]


def test_a_simulation_starts_from_the_balance_of_its_surface_and_feels_warming(
    glacier: dict[str, dict[str, str]],
    write_bands: Write,
    table: Callable[[str], dict[str, str]],
    tmp_path: Path,
    listener: Listener,
) -> None:
    target, still = tmp_path / "smb.tif", tmp_path / "still.tif"
    rows = table("year,temperature_offset\n0,0\n4,4\n")
    warm = SimulateGlacier(
        **glacier, **STATION, end=4, save_interval=2, balance_table=rows, mass_balance_out=target
    )
    warmed = run_job(warm, listener)
    usual = run_job(SimulateGlacier(**glacier, **STATION, end=4, save_interval=2), listener)
    assert warmed["VOLUME"] < usual["VOLUME"]
    ice = np.zeros(SHAPE, dtype="f4")
    ice[4:16, 4:-4] = 80
    surface = write_bands("top.tif", (slope() + ice)[None])
    run_job(SurfaceMassBalance(surface=surface, output=still, **STATION), listener)
    with rasterio.open(target) as run, rasterio.open(still) as once:
        np.testing.assert_array_equal(run.read(1), once.read(1))
        assert run.read(3)[4:16].mean() < run.read(1)[4:16].mean() - 1


def test_ice_without_climate_is_refused_and_elsewhere_none_can_be(
    glacier: dict[str, dict[str, str]], write_bands: Write, tmp_path: Path, listener: Listener
) -> None:
    options = {key: value for key, value in STATION.items() if "temperature" not in key}
    holes = monthly(ALPS).copy()
    holes[5, 10, 10] = np.nan
    options["temperature"] = write_bands("holes.tif", holes)
    with pytest.raises(EngineError, match=r"TEMPERATURE has no data in \d+ cells with ice"):
        run_job(SimulateGlacier(**glacier, **options, end=1), listener)
    holes[5, 10, 10] = 5
    holes[:, -5:] = np.nan
    options["temperature"] = write_bands("holes.tif", holes)
    target = tmp_path / "smb.tif"
    job = SimulateGlacier(**glacier, **options, end=1, mass_balance_out=target)
    run_job(job, listener)
    with rasterio.open(target) as raster:
        assert (raster.read(1)[-5:] == -10).all()
    assert any("no ice is possible there" in line for line in listener.logs)
