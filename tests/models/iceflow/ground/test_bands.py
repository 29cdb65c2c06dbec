"""A raster with a band per year where one is needed: the right year, or none without a word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import rasterio
from affine import Affine

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.iceflow.ground.bands import choose_band, year_of_band
from glacier_qgis.models.iceflow.jobs.simulate import SimulateGlacier
from glacier_qgis.models.iceflow.jobs.velocity import IceVelocity
from glacier_qgis.models.raster.source import open_raster
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.engine.rasters import write_raster
from kit.iceflow.landscape import CELL, NORTH, SHAPE, UPRIGHT, WEST
from kit.iceflow.small_valley import UPRIGHT as VALLEY
from kit.iceflow.small_valley import tongue, valley

YEARS = (0, 20, 40, 60)


def stack(
    path: Path,
    fields: np.ndarray,
    names: Sequence[str] = (),
    years: Sequence[float] = (),
    transform: Affine = UPRIGHT,
) -> dict[str, str]:
    described = {"descriptions": tuple(names)} if names else None
    write_raster(path, fields.astype("float32"), transform, described=described)
    with rasterio.open(path, "r+") as target:
        for band, year in enumerate(years, 1):
            target.update_tags(band, YEAR=f"{year:g}")
    return {"path": str(path)}


def in_netcdf(path: Path, times: Sequence[float], unit: str, calendar: str) -> dict[str, str]:
    with netCDF4.Dataset(path, "w") as file:
        for name, values in (
            ("time", times),
            ("y", NORTH - (np.arange(SHAPE[0]) + 0.5) * CELL),
            ("x", WEST + (np.arange(SHAPE[1]) + 0.5) * CELL),
        ):
            file.createDimension(name, len(values))
            file.createVariable(name, "f8", (name,))[:] = values
        file["time"].setncatts({"units": unit, "calendar": calendar})
        for axis in "xy":
            file[axis].setncatts({"standard_name": f"projection_{axis}_coordinate", "units": "m"})
        field = file.createVariable("thk", "f4", ("time", "y", "x"))
        field.units = "m"
        field[:] = np.arange(len(times))[:, None, None] * np.ones(SHAPE)
    return {"path": f"NETCDF:{path}:thk", "crs": "EPSG:32632"}


FIELDS = np.arange(4)[:, None, None] * np.ones(SHAPE)


@pytest.mark.parametrize(
    "told",
    [
        {"names": [f"year {year}" for year in YEARS]},
        {"names": [f"thickness, year {year}" for year in YEARS]},
        {"years": YEARS},
    ],
)
def test_the_band_of_the_year_is_taken_and_said(
    tmp_path: Path, listener: Listener, told: dict[str, Sequence[str]]
) -> None:
    source = RasterInput.model_validate(stack(tmp_path / "a.tif", FIELDS, **told))
    with open_raster(source, "INITIAL_THICKNESS") as scene:
        assert choose_band(scene, 40.0, listener) == 3
        assert listener.logs == ["INITIAL_THICKNESS: using band 3 of 4, of the year 40."]
        for year in (30.0, None):
            with pytest.raises(EngineError, match=r"has 4 bands \(1.*, and one is needed.*Choose"):
                choose_band(scene, year, listener)
    chosen = source.model_copy(update={"band": 2})
    with open_raster(chosen, "INITIAL_THICKNESS") as scene:
        assert choose_band(scene, 40.0, listener) == 2
    with (
        pytest.raises(EngineError, match=r"band 9 of .* was chosen, but there are 4"),
        open_raster(source.model_copy(update={"band": 9}), "INITIAL_THICKNESS"),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("year 1850.5", 1850.5),
        ("Years since start: 20", None),
        ("year -20", -20),
        ("thk_2005", None),
        ("thickness 2005", 2005),
        ("2005", 2005),
        ("Band 1", None),
        ("B8", None),
        ("elevation", None),
        ("2005 minus 2000", None),
        ("20050812", None),
    ],
)
def test_a_number_in_a_name_is_a_year_where_it_can_be_nothing_else(
    tmp_path: Path, name: str, year: float | None
) -> None:
    stack(tmp_path / "a.tif", FIELDS[:1], [name])
    with rasterio.open(tmp_path / "a.tif") as dataset:
        found = year_of_band(dataset, 1)
    assert found == (pytest.approx(year) if year is not None else None)


@pytest.mark.parametrize(
    ("unit", "calendar", "times", "years"),
    [
        (
            "days since 1850-01-01",
            "proleptic_gregorian",
            [0, 54786, 54969],
            [1850, 2000, 2000.5],
        ),
        ("days since 1850-01-01", "noleap", [0, 150 * 365], [1850, 2000]),
        ("hours since 1900-01-01 00:00:00", "standard", [876576], [2000]),
        ("years since 1990-01-01", "standard", [10, 15], [2000, 2005]),
        ("year", "standard", [2000, 2005], [2000, 2005]),
        ("furlongs", "standard", [2000], [None]),
    ],
)
def test_a_time_axis_of_a_netcdf_tells_the_year(
    tmp_path: Path, unit: str, calendar: str, times: list[float], years: list[float | None]
) -> None:
    source = RasterInput.model_validate(in_netcdf(tmp_path / "a.nc", times, unit, calendar))
    with open_raster(source, "THICKNESS") as scene:
        found = [year_of_band(scene.dataset, band) for band in scene.dataset.indexes]
    assert found == [None if year is None else pytest.approx(year, abs=2e-3) for year in years]


def test_a_run_starts_with_the_ice_of_its_first_year(tmp_path: Path, listener: Listener) -> None:
    bed = stack(tmp_path / "bed.tif", valley()[None], transform=VALLEY)
    ages = np.stack([tongue() * share for share in (0, 0.3, 0.6, 1)])
    ice = stack(tmp_path / "ice.tif", ages, [f"year {year}" for year in YEARS], transform=VALLEY)
    out = tmp_path / "thickness.tif"
    job = {"bed": bed, "initial_thickness": ice, "thickness": out, "save_interval": 1}
    run_job(SimulateGlacier.model_validate({**job, "start": 60, "end": 61}), listener)
    with rasterio.open(out) as written:
        np.testing.assert_allclose(written.read(1).max(), tongue().max(), rtol=0.02)
    assert any("using band 4 of 4, of the year 60" in told for told in listener.logs)
    with pytest.raises(EngineError, match=r"INITIAL_THICKNESS: .* not exactly one of them is"):
        run_job(SimulateGlacier.model_validate({**job, "start": 50, "end": 61}), listener)


def test_a_velocity_is_not_of_the_first_year_by_chance(tmp_path: Path, listener: Listener) -> None:
    surface = stack(tmp_path / "s.tif", (valley() + tongue())[None], transform=VALLEY)
    ages = np.stack([tongue() * share for share in (0, 1)])
    ice = stack(tmp_path / "ice.tif", ages, ["year 0", "year 20"], transform=VALLEY)
    job = {"surface": surface, "thickness": ice, "velocity": tmp_path / "v.tif"}
    with pytest.raises(EngineError, match=r"THICKNESS: .* has 2 bands \(1: year 0, 2: year 20\)"):
        run_job(IceVelocity.model_validate(job), listener)
    job["thickness"] = {**ice, "band": 2}
    assert run_job(IceVelocity.model_validate(job), listener)["MAX_SPEED"] > 0


def test_each_band_has_its_own_scale_and_unit(
    read: Callable[..., object], tmp_path: Path, listener: Listener
) -> None:
    stack(tmp_path / "dem.tif", np.full((2, *SHAPE), 1000))
    with rasterio.open(tmp_path / "dem.tif", "r+") as target:
        target.scales, target.offsets, target.units = (1.0, 2.0), (0.0, 500.0), ("m", "ft")
    from glacier_qgis.models.iceflow.ground.topography import TopographyInputs, read_topography

    source = RasterInput(path=str(tmp_path / "dem.tif"), band=2)
    found = read_topography(TopographyInputs(bed=source, resolution=CELL), listener)
    np.testing.assert_allclose(found.bed, 2500 * 0.3048, rtol=1e-6)
