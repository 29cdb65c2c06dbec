"""The job that lets a glacier evolve, in this process and as a real engine process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
import torch
from pydantic import ValidationError

import glacier_qgis
from glacier_qgis.models.engine.errors import EngineError, explain
from glacier_qgis.models.iceflow.jobs import common
from glacier_qgis.models.iceflow.jobs.simulate import SimulateGlacier
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from kit.engine.jobs import JOB_ID, run_job
from kit.engine.listener import Listener
from kit.engine.reports import HOSTILE, Report, assert_shown_as_text, read_report
from kit.iceflow.small_valley import UPRIGHT, Inputs, tongue, valley
from kit.other_device import CPU, other_device

LAUNCHER = Path(glacier_qgis.__file__).parent / "launch.py"
RASTERS = (
    "thickness",
    "velocity",
    "velocity_x",
    "velocity_y",
    "surface_out",
    "mass_balance_out",
)


@pytest.mark.slow
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
        assert raster.tags()["EMULATOR"] == "blatter_pattyn"
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
    assert_offline_and_balanced(read_report(Path(files["report"])))


def test_a_run_without_accumulation_says_that_it_ended_ice_free(
    valley_files: Inputs, tmp_path: Path, f15: Emulator, listener: Listener
) -> None:
    report = tmp_path / "r.html"
    files = {"report": report, "outlines": tmp_path / "o.gpkg", "thickness": tmp_path / "h.tif"}
    result = run_job(SimulateGlacier(**valley_files, ela=5000, end=60, **files), listener)
    assert result["AREA"] == result["VOLUME"] == 0
    assert any("ended ice-free in year 60: no cell gains ice" in w for w in listener.warnings)
    assert "the run ended ice-free" in report.read_text(encoding="utf-8")
    assert geopandas.read_file(files["outlines"])["time"].max() < 60


def test_the_name_of_a_layer_stays_text(
    valley_files: Inputs, tmp_path: Path, f15: Emulator
) -> None:
    report = tmp_path / "r.html"
    layers = {name: {**layer, "name": HOSTILE} for name, layer in valley_files.items()}
    run_job(SimulateGlacier(**layers, end=2, save_interval=1, report=report))
    assert_shown_as_text(report)


def assert_offline_and_balanced(report: Report) -> None:
    assert not [address for address in report.addresses if address.startswith("http")]
    (rows,) = (table for table in report.tables if "Term" in table[0])
    budget = {row["Term"]: float(row["Ice (km³)"]) for row in rows}
    *terms, end, residual = budget.values()
    assert sum(terms) == pytest.approx(end, abs=1e-5)
    assert abs(residual) < 1e-5


def test_the_log_has_a_line_per_saved_year_and_ends_with_the_result(
    valley_files: Inputs, f15: Emulator, listener: Listener
) -> None:
    result = run_job(SimulateGlacier(**valley_files, end=6, save_interval=3), listener)
    size = f"volume {result['VOLUME']:.4g} km³, area {result['AREA']:.4g} km², highest speed "
    years = [line for line in listener.logs if line.startswith("Year ")]
    assert [line.partition(":")[0] for line in years] == ["Year 0", "Year 3", "Year 6"]
    assert size in years[-1]
    assert listener.logs[-1].startswith(f"Result in year 6: {size}")


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
    assert any("left across the border" in warning for warning in listener.warnings)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"start": 50, "end": 50}, r"END \(50\) must be later than START \(50\)"),
        ({"cfl": 1.5}, r"CFL: .*1\.5"),
        ({"cfl": 0}, "CFL: "),
        ({"resolution": -100}, "RESOLUTION: .*-100"),
        ({"rate_factor": 0}, "RATE_FACTOR: "),
        ({"sliding": float("nan")}, "SLIDING: "),
        ({"save_interval": 0.001}, r"SAVE_INTERVAL: .*0\.001"),
        ({"end": 20_000, "save_interval": 0.1}, r"SAVE_INTERVAL \(0\.1 years\)"),
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


@pytest.mark.slow
def test_a_smaller_cfl_number_takes_more_and_as_good_steps(
    valley_files: Inputs, f15: Emulator, listener: Listener
) -> None:
    careful, usual = (
        run_job(SimulateGlacier(**valley_files, end=20, cfl=cfl), listener) for cfl in (0.1, 0.3)
    )
    assert careful["STEPS"] > 2 * usual["STEPS"]
    assert careful["VOLUME"] == pytest.approx(usual["VOLUME"], rel=0.01)


def test_bands_of_close_years_have_different_names(
    valley_files: Inputs, tmp_path: Path, f15: Emulator, listener: Listener
) -> None:
    target = tmp_path / "h.tif"
    job = SimulateGlacier(
        **valley_files, start=100_000, end=100_001, save_interval=0.25, thickness=target
    )
    run_job(job, listener)
    with rasterio.open(target) as raster:
        assert raster.descriptions[1:3] == ("year 100000.25", "year 100000.5")


@pytest.mark.parametrize(
    ("device", "cells", "name"),
    [("automatic", 200, "cpu"), ("automatic", 1, "other"), ("gpu", 200, "other")],
)
def test_a_graphics_card_is_taken_where_it_is_faster_than_loops(
    device: str,
    cells: int,
    name: str,
    valley_files: Inputs,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sliding = np.full((64, 48), 5.0, "f4")
    monkeypatch.setattr(SimulateGlacier, "coefficients", lambda *given: (78.0, sliding))
    monkeypatch.setattr(common, "WORTH_A_GPU", cells**2)
    with other_device(monkeypatch) as other:
        asked = SimulateGlacier(**valley_files, device=device)
        model, _ = asked.ice_model(asked._topography(listener), 1, listener)
        chosen = other if name == "other" else CPU
        assert model.device == chosen
        assert torch.as_tensor(model.flow.parameters.sliding).device == chosen
        assert model.flow.ground is not None
        assert model.flow.ground.device == chosen
