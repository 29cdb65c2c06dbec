"""Both jobs end to end, in this process and as real engine processes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pydantic import ValidationError
from rasterio.features import rasterize

import glacier_qgis
from glacier_qgis.models.engine.errors import EngineError, explain
from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.engine.job import Job
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.iceflow.emulator import Emulator
from glacier_qgis.models.iceflow.jobs import IceVelocity
from glacier_qgis.models.iceflow.simulate_job import SimulateGlacier

if TYPE_CHECKING:
    from listener import Listener


LAUNCHER = Path(glacier_qgis.__file__).parent / "launch.py"
Inputs = dict[str, dict[str, str]]
JOB_ID = "0123456789ab"
UPRIGHT = Affine(100, 0, 400_000, 0, -100, 5_150_000)
RASTERS = (
    "thickness",
    "velocity",
    "velocity_x",
    "velocity_y",
    "surface_out",
    "mass_balance_out",
)


def run_job(job: Job, listener: Listener) -> Result:
    with Outputs(JOB_ID) as outputs:
        return job.run(listener, outputs)


def valley(rows: int = 64, columns: int = 48) -> np.ndarray:
    """A valley that falls to the south, m."""
    row, column = np.indices((rows, columns), dtype="f4")
    return 3400 - 18 * row + 1.2 * (column - columns / 2) ** 2


def tongue(rows: int = 64, columns: int = 48) -> np.ndarray:
    """Ice in that valley, m."""
    row, column = np.indices((rows, columns), dtype="f4")
    return (180 - ((row - 25) / 1.5) ** 2 - (1.3 * (column - columns / 2)) ** 2).clip(0)


@pytest.fixture
def valley_files(write_tif: Callable[..., Path]) -> dict[str, dict[str, str]]:
    bed = write_tif("bed.tif", valley(), UPRIGHT)
    ice = write_tif("ice.tif", tongue(), UPRIGHT)
    return {"bed": {"path": str(bed)}, "initial_thickness": {"path": str(ice)}}


def test_a_glacier_appears_on_a_real_dem(aletsch_dem: Path, tmp_path: Path) -> None:
    folder = tmp_path / "Ergebnisse für Aletsch"
    folder.mkdir()
    files = {name: str(folder / f"{name}.tif") for name in RASTERS}
    files |= {"netcdf": str(folder / "run.nc"), "series": str(folder / "series.gpkg")}
    files |= {"report": str(folder / "report.html")}
    order = {
        "job": "simulateglacier",
        "id": JOB_ID,
        "parameters": {
            "bed": {"path": str(aletsch_dem)},
            "resolution": 200,
            "end": 60,
            "save_interval": 20,
            "ela": 3000,
            **files,
        },
    }
    (tmp_path / "job.json").write_text(json.dumps(order))
    done = subprocess.run(
        [sys.executable, "-I", LAUNCHER, tmp_path / "job.json"], capture_output=True, text=True
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    if "no ice-flow emulator is installed" in events[-1].get("message", ""):
        pytest.skip("no published emulator is installed")
    assert done.returncode == 0, done.stdout[-2000:]
    result = events[-1]["outputs"]
    assert result["TIMES"] == [0, 20, 40, 60]
    assert 3 < result["VOLUME"] < 60
    assert 50 < result["AREA"] < 800
    assert 20 < result["MAX_SPEED"] < 400
    assert result["ADDED_BY_CLIPPING"] < 1e-3 * result["VOLUME"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        Path(path).name for path in files.values()
    )
    with rasterio.open(aletsch_dem) as dem, rasterio.open(files["thickness"]) as raster:
        assert (raster.crs, raster.shape) == (dem.crs, dem.shape)
        assert raster.transform.almost_equals(dem.transform, 1e-6)
        assert raster.descriptions == ("year 0", "year 20", "year 40", "year 60")
        assert [raster.tags(band)["TIME"] for band in (1, 4)] == ["0000-01-01", "0060-01-01"]
        assert raster.tags()["EMULATOR"] == "f15_cfsflow_GJ_22_a/200"
        thickness, ground = raster.read(4), dem.read(1)
    assert thickness.sum() * 200**2 / 1e9 == pytest.approx(result["VOLUME"], rel=1e-5)
    assert ground[thickness > 100].mean() > ground.mean() + 300
    with rasterio.open(files["surface_out"]) as raster:
        np.testing.assert_allclose(raster.read(4), ground + thickness, atol=0.01)
    fields = {}
    for name in ("velocity", "velocity_x", "velocity_y"):
        with rasterio.open(files[name]) as raster:
            fields[name] = raster.read(4)
    np.testing.assert_array_equal(np.isnan(fields["velocity"]), thickness == 0)
    speed = np.hypot(fields["velocity_x"], fields["velocity_y"])
    np.testing.assert_allclose(fields["velocity"], speed, rtol=1e-5)
    with rasterio.open(f'NETCDF:"{files["netcdf"]}":thk') as raster:
        np.testing.assert_array_equal(raster.read(4), thickness)
    series = geopandas.read_file(files["series"], layer="series")
    assert series.columns.tolist()[-6:] == [
        "time",
        "volume_km3",
        "area_km2",
        "mean_speed",
        "lost_km3",
        "added_km3",
    ]
    assert series["volume_km3"].iloc[-1] == pytest.approx(result["VOLUME"])
    assert_offline_and_balanced(Path(files["report"]).read_text(encoding="utf-8"))


def test_a_run_is_compared_with_what_was_seen_in_a_year_between(
    valley_files: Inputs,
    write_tif: Callable[..., Path],
    tmp_path: Path,
    f15: Emulator,
    listener: Listener,
) -> None:
    seen = write_tif("seen.tif", valley() + tongue() - np.float32(7), UPRIGHT)
    outline = tmp_path / "seen.gpkg"
    box = shapely.box(400_000, 5_146_000, 404_800, 5_149_000)
    geopandas.GeoDataFrame(geometry=[box], crs="EPSG:32632").to_file(outline)
    names = ("thickness", "surface_out", "misfit")
    files = {name: tmp_path / f"{name}.tif" for name in names}
    files |= {"outlines": tmp_path / "o.gpkg", "series": tmp_path / "s.gpkg"}
    result = run_job(
        SimulateGlacier(
            **valley_files,
            end=6,
            save_interval=3,
            observed_time=4.25,
            observed_surface={"path": str(seen)},
            observed_outline={"path": str(outline)},
            report=tmp_path / "r.html",
            **files,
        ),
        listener,
    )
    assert result["TIMES"] == [0, 3, 4.25, 6]
    with rasterio.open(files["thickness"]) as raster:
        thickness = raster.read()
        transform = raster.transform
    with rasterio.open(files["surface_out"]) as raster:
        surface = raster.read(3)
    with rasterio.open(files["misfit"]) as raster:
        misfit = raster.read(1)
        assert raster.units == ("m",)
        assert raster.transform == UPRIGHT
    inside = np.zeros(misfit.shape, bool)
    inside[10:40] = True
    np.testing.assert_array_equal(np.isfinite(misfit), inside | (thickness[2] >= 1))
    expected = surface - (valley() + tongue() - 7)
    known = np.isfinite(misfit)
    np.testing.assert_allclose(misfit[known], expected[known], atol=1e-3)
    assert result["MISFIT_MEAN"] == pytest.approx(float(expected[known].mean()), abs=1e-3)
    rms = float(np.sqrt(np.mean(expected[known].astype("f8") ** 2)))
    assert result["MISFIT_RMS"] == pytest.approx(rms, abs=1e-3)
    ice = thickness[2] >= 1
    assert result["OVERLAP"] == pytest.approx((ice & inside).sum() / (ice | inside).sum())
    outlines = geopandas.read_file(files["outlines"])
    series = geopandas.read_file(files["series"], layer="series")
    np.testing.assert_allclose(outlines["area_km2"], series["area_km2"])
    np.testing.assert_allclose(outlines["volume_km3"], series["volume_km3"])
    for outline_of_time, cells in zip(outlines.geometry, thickness, strict=True):
        burnt = rasterize([(outline_of_time, 1)], out_shape=cells.shape, transform=transform)
        np.testing.assert_array_equal(burnt == 1, cells >= 1)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    for words in ("Hypsometry", "Against the observation of year 4.25", "VERTICAL_DATUM", "f15_"):
        assert words in page


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"observed_time": 120}, r"OBSERVED_TIME \(120\) is outside of the run, 0 to 100"),
        ({"misfit": "misfit.tif"}, "MISFIT needs OBSERVED_SURFACE"),
        ({"uniform_thickness": -1}, "UNIFORM_THICKNESS: .*-1"),
    ],
)
def test_an_observation_that_cannot_be_met_is_refused(
    parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        SimulateGlacier(bed={"path": "dem.tif"}, **parameters)
    assert re.search(message, explain(caught.value) or "")


def test_a_resumed_run_is_compared_with_what_was_seen_before_or_after(
    valley_files: Inputs,
    write_tif: Callable[..., Path],
    tmp_path: Path,
    f15: Emulator,
    listener: Listener,
) -> None:
    seen = {"path": str(write_tif("seen.tif", valley() + tongue(), UPRIGHT))}
    first, second = (
        tmp_path / "first.nc",
        {"observed_surface": seen, "resume": tmp_path / "first.nc"},
    )
    run_job(SimulateGlacier(**valley_files, end=4, save_interval=2, netcdf=first), listener)
    whole = {
        when: run_job(
            SimulateGlacier(
                **valley_files, end=6, save_interval=2, observed_surface=seen, observed_time=when
            ),
            listener,
        )
        for when in (2, 5.5)
    }
    for when, expected in whole.items():
        job = SimulateGlacier(**second, end=6, save_interval=2, observed_time=when)
        found = run_job(job, listener)
        assert found["TIMES"] == expected["TIMES"]
        assert found["MISFIT_RMS"] == pytest.approx(expected["MISFIT_RMS"], rel=1e-4)
    missed = SimulateGlacier(**second, end=6, observed_time=3)
    with pytest.raises(EngineError, match=r"OBSERVED_TIME \(3\) is not among the years saved"):
        run_job(missed, listener)


def test_a_run_without_accumulation_says_that_it_ended_ice_free(
    valley_files: Inputs, tmp_path: Path, f15: Emulator, listener: Listener
) -> None:
    report = tmp_path / "r.html"
    files = {"report": report, "outlines": tmp_path / "o.gpkg", "thickness": tmp_path / "h.tif"}
    result = run_job(SimulateGlacier(**valley_files, ela=5000, end=60, **files), listener)
    assert result["AREA"] == result["VOLUME"] == 0
    assert any("ended ice-free in year 60: no place gains ice" in w for w in listener.warnings)
    assert "the run ended ice-free" in report.read_text(encoding="utf-8")
    assert geopandas.read_file(files["outlines"])["time"].max() < 60


def assert_offline_and_balanced(page: str) -> None:
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="http', page)
    rows = re.findall(r'<td>([^<]+)</td><td class="number">([-+.\d]+)</td>', page)
    budget = {name: float(value) for name, value in rows}
    *terms, end, residual = budget.values()
    assert sum(terms) == pytest.approx(end, abs=1e-5)
    assert abs(residual) < 1e-5


def test_the_same_valley_in_feet_gives_the_same_glacier(
    valley_files: Inputs, write_tif: Callable[..., Path], f15: Emulator, listener: Listener
) -> None:
    feet = write_tif("feet.tif", valley() / np.float32(0.3048), UPRIGHT, unit="ft")
    in_feet = valley_files | {"bed": {"path": str(feet)}}
    volumes = [
        run_job(SimulateGlacier(**files, end=5), listener)["VOLUME"]
        for files in (valley_files, in_feet)
    ]
    assert volumes[0] == pytest.approx(volumes[1], rel=1e-4)


def test_outside_the_outline_the_ice_melts(
    valley_files: Inputs, tmp_path: Path, f15: Emulator, listener: Listener
) -> None:
    outline = tmp_path / "outline.gpkg"
    box = shapely.box(400_000, 5_148_000, 404_800, 5_150_000)
    geopandas.GeoDataFrame(geometry=[box], crs="EPSG:32632").to_file(outline)
    target = tmp_path / "thk.tif"
    job = SimulateGlacier(
        **valley_files, ice_mask={"path": str(outline)}, end=30, ela=2000, thickness=target
    )
    run_job(job, listener)
    with rasterio.open(target) as raster:
        first, last = raster.read(1), raster.read(raster.count)
    assert first[24:].max() > 100
    assert last[:20].max() > 50
    assert last[24:].max() < 0.3 * first[24:].max()


def test_ice_that_leaves_the_area_is_lost_and_told(
    write_tif: Callable[..., Path], f15: Emulator, listener: Listener
) -> None:
    bed = write_tif("bed.tif", valley(), UPRIGHT)
    ice = write_tif("ice.tif", np.full((64, 48), 150, "f4"), UPRIGHT)
    job = SimulateGlacier(bed={"path": str(bed)}, initial_thickness={"path": str(ice)}, end=10)
    result = run_job(job, listener)
    assert result["LOST_AT_BORDER"] > 1e-3 * result["VOLUME"]
    assert any("flowed over the border" in warning for warning in listener.warnings)


@pytest.fixture
def velocity_inputs(
    valley_files: Inputs, write_tif: Callable[..., Path]
) -> dict[str, dict[str, str]]:
    surface = write_tif("surface.tif", valley() + tongue(), UPRIGHT)
    return {"surface": {"path": str(surface)}, "thickness": valley_files["initial_thickness"]}


def test_velocity_points_down_the_valley_and_surface_is_faster_than_bed(
    velocity_inputs: Inputs, tmp_path: Path, f15: Emulator, listener: Listener
) -> None:
    names = ("velocity", "velocity_x", "velocity_y", "basal_velocity", "surface_velocity")
    files = {name: tmp_path / f"{name}.tif" for name in names}
    result = run_job(IceVelocity(**velocity_inputs, sliding=12, **files), listener)
    fields = {}
    for name, path in files.items():
        with rasterio.open(path) as raster:
            assert raster.transform == UPRIGHT
            assert raster.units == ("m/a",)
            fields[name] = raster.read(1)
    ice = tongue() > 60
    assert result["MAX_SPEED"] == pytest.approx(np.nanmax(fields["velocity"]))
    assert fields["velocity_y"][ice].mean() < -5
    assert abs(fields["velocity_x"][ice].mean()) < 0.3 * abs(fields["velocity_y"][ice].mean())
    means = [
        fields[name][ice].mean() for name in ("basal_velocity", "velocity", "surface_velocity")
    ]
    assert means == sorted(means)
    assert np.isnan(fields["velocity"][tongue() == 0]).all()


@pytest.mark.parametrize("emulator", ["f15_cfsflow_GJ_22_a/100", "dahunet_mini"])
def test_speeds_are_those_of_their_components_at_every_level(
    velocity_inputs: Inputs,
    tmp_path: Path,
    read_emulator: Callable[[str], Emulator],
    listener: Listener,
    emulator: str,
) -> None:
    read_emulator(emulator)
    levels = ("velocity", "basal_velocity", "surface_velocity")
    names = [level + part for level in levels for part in ("", "_x", "_y")]
    files = {name: tmp_path / f"{name}.tif" for name in names}
    run_job(IceVelocity(**velocity_inputs, emulator=emulator, sliding=12, **files), listener)
    fields = {}
    for name, path in files.items():
        with rasterio.open(path) as raster:
            fields[name] = raster.read(1)
    for level in levels:
        speed = np.hypot(fields[f"{level}_x"], fields[f"{level}_y"])
        np.testing.assert_allclose(fields[level], speed, rtol=1e-5)
        assert np.nanmean(fields[f"{level}_y"]) < -3


def test_an_emulator_without_basal_velocity_says_so(
    velocity_inputs: Inputs,
    tmp_path: Path,
    read_emulator: Callable[[str], Emulator],
    listener: Listener,
) -> None:
    read_emulator("f12_cfsflow_GJ_21_a/100")
    job = IceVelocity(
        **velocity_inputs, emulator="f12_cfsflow_GJ_21_a", basal_velocity=tmp_path / "b.tif"
    )
    with pytest.raises(EngineError, match=r"BASAL_VELOCITY: .* does not give it"):
        run_job(job, listener)
    assert not (tmp_path / "b.tif").exists()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"start": 50, "end": 50}, r"END \(50\) must be later than START \(50\)"),
        ({"cfl": 1.5}, r"CFL: .*1\.5"),
        ({"cfl": 0}, "CFL: "),
        ({"resolution": -100}, "RESOLUTION: .*-100"),
        ({"rate_factor": 0}, "RATE_FACTOR: "),
        ({"sliding": float("nan")}, "SLIDING: "),
        ({"save_interval": 1e-6}, r"SAVE_INTERVAL \(1e-06 years\)"),
        ({"vertical_unit": "yards"}, "VERTICAL_UNIT: .*'feet'"),
        ({"equilibrium": 3}, "EQUILIBRIUM is not a parameter"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_by_name(
    parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        SimulateGlacier(bed={"path": "dem.tif"}, **parameters)
    assert re.search(message, explain(caught.value) or "")


def test_a_failed_run_leaves_no_files(
    valley_files: Inputs, write_tif: Callable[..., Path], tmp_path: Path, listener: Listener
) -> None:
    bad = write_tif("negative.tif", -tongue(), UPRIGHT)
    target = tmp_path / "results"
    target.mkdir()
    job = SimulateGlacier(
        bed=valley_files["bed"],
        initial_thickness={"path": str(bad)},
        thickness=target / "thk.tif",
        netcdf=target / "run.nc",
    )
    with pytest.raises(EngineError, match="negative thickness"):
        run_job(job, listener)
    assert not list(target.iterdir())


def test_a_smaller_cfl_number_takes_more_and_as_good_steps(
    valley_files: Inputs, f15: Emulator, listener: Listener
) -> None:
    careful, usual = (
        run_job(SimulateGlacier(**valley_files, end=20, cfl=cfl), listener) for cfl in (0.1, 0.3)
    )
    assert careful["STEPS"] > 2 * usual["STEPS"]
    assert careful["VOLUME"] == pytest.approx(usual["VOLUME"], rel=0.01)
