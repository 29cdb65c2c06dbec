"""Runs that resume from a saved state, as if there had been no interruption."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import geopandas
import netCDF4
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pydantic import ValidationError

import glacier_qgis
from glacier_qgis.models.engine.errors import EngineError, explain
from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.iceflow.jobs import evolution_files
from glacier_qgis.models.iceflow.jobs.simulate import SimulateGlacier
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from kit.engine.jobs import run_job
from kit.engine.listener import Listener

LAUNCHER = Path(glacier_qgis.__file__).parent / "launch.py"
UPRIGHT = Affine(100, 0, 400_000, 0, -100, 5_150_000)
BOUNDS = (400_000, 5_145_200, 403_200, 5_150_000)
Options = dict[str, object]
FIELDS = ("thk", "usurf", "ubar", "vbar", "smb")


@pytest.fixture
def valley(write_tif: Callable[..., Path], f15: Emulator) -> Options:
    """A glacier in a valley that ends at the border of the domain."""
    row, column = np.indices((48, 32), dtype="f4")
    bed = 3300 - 18 * row + 1.5 * (column - 16) ** 2
    ice = (160 - ((row - 40) / 1.2) ** 2 - (1.6 * (column - 16)) ** 2).clip(0)
    return {
        "bed": {"path": str(write_tif("bed.tif", bed, UPRIGHT))},
        "initial_thickness": {"path": str(write_tif("ice.tif", ice, UPRIGHT))},
        "end": 12.0,
        "save_interval": 2.5,
    }


def onwards(options: Options, file: Path) -> Options:
    """Return the options of a run that resumes from a file."""
    kept = {name: value for name, value in options.items() if name not in ("bed", "start")}
    del kept["initial_thickness"]
    return kept | {"resume": file}


def simulate(listener: Listener, **options: object) -> Result:
    return run_job(SimulateGlacier(**options), listener)


DEGREE_DAYS = {
    "mass_balance": "degree days",
    "monthly_temperature": "-12 -11 -9 -5 0 3 6 6 3 -1 -7 -10",
    "monthly_precipitation": "1.2 1.2 1.3 1.4 1.6 1.6 1.7 1.7 1.3 1.2 1.3 1.3",
    "climate_height": 2800.0,
    "update_interval": 0.5,
}
COURSES = {"constant line": {}, "degree days": DEGREE_DAYS, "second": {"transport": "second order"}}


@pytest.mark.slow
@pytest.mark.parametrize("options", COURSES.values(), ids=COURSES)
def test_a_resumed_run_is_the_uninterrupted_one_to_the_bit(
    valley: Options, options: Options, tmp_path: Path, listener: Listener
) -> None:
    files = {name: tmp_path / f"{name}.nc" for name in ("whole", "half", "rest")}
    rasters = {name: tmp_path / f"{name}.tif" for name in ("whole", "rest")}
    valley |= options
    whole = simulate(listener, **valley, netcdf=files["whole"], thickness=rasters["whole"])
    simulate(listener, **valley | {"end": 5.0}, netcdf=files["half"])
    rest = simulate(
        listener,
        **onwards(valley, files["half"]),
        netcdf=files["rest"],
        thickness=rasters["rest"],
    )
    with netCDF4.Dataset(files["whole"]) as one, netCDF4.Dataset(files["rest"]) as other:
        for name in ("model_year", "topg", *FIELDS, "steps"):
            np.testing.assert_array_equal(one[name][:], other[name][:], err_msg=name)
        for name in ("gained", "lost", "added"):
            np.testing.assert_allclose(one[name][:], other[name][:], rtol=1e-12)
    for name in ("VOLUME", "AREA", "MAX_SPEED", "STEPS", "TIMES"):
        assert rest[name] == whole[name], name
    with rasterio.open(rasters["whole"]) as one, rasterio.open(rasters["rest"]) as other:
        assert one.descriptions == other.descriptions
        np.testing.assert_array_equal(one.read(), other.read())


def test_a_run_can_branch_off_at_any_saved_year(
    valley: Options, tmp_path: Path, listener: Listener
) -> None:
    whole, branch = tmp_path / "whole.nc", tmp_path / "branch.nc"
    simulate(listener, **valley, netcdf=whole)
    result = simulate(
        listener, **onwards(valley, whole) | {"start": 7.5, "ela": 3300.0}, netcdf=branch
    )
    assert result["TIMES"] == [0, 2.5, 5, 7.5, 10, 12]
    assert any("ELA was 2900 and is now 3300" in told for told in listener.warnings)
    with netCDF4.Dataset(whole) as one, netCDF4.Dataset(branch) as other:
        np.testing.assert_array_equal(one["thk"][:4], other["thk"][:4])
        assert float(other["thk"][5].sum()) < float(one["thk"][5].sum())


def test_scenarios_branch_off_from_a_saved_year(
    valley: Options, tmp_path: Path, listener: Listener
) -> None:
    past, table, folder = tmp_path / "past.nc", tmp_path / "futures.csv", tmp_path / "futures"
    simulate(listener, **valley | {"end": 5.0}, netcdf=past)
    table.write_text("name,ela_offset\ncold,-100\nwarm,300\n")
    futures = {"scenarios": {"path": str(table)}, "scenario_folder": folder}
    simulate(listener, **onwards(valley, past), **futures)
    with (
        netCDF4.Dataset(past) as before,
        netCDF4.Dataset(folder / "cold" / "simulation.nc") as cold,
        netCDF4.Dataset(folder / "warm" / "simulation.nc") as warm,
    ):
        for future in (cold, warm):
            assert future["model_year"][:].tolist() == [0, 2.5, 5, 7.5, 10, 12]
            np.testing.assert_array_equal(future["thk"][:3], before["thk"][:])
        assert float(cold["thk"][5].sum()) > float(warm["thk"][5].sum())
    assert sum("left over the border" in told for told in listener.logs) == 3


@pytest.mark.slow
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM])
def test_an_engine_that_is_killed_leaves_what_it_saved(
    blow: signal.Signals, valley: Options, tmp_path: Path, listener: Listener
) -> None:
    folder = tmp_path / "Läufe"
    folder.mkdir()
    target, kept = folder / "run.nc", folder / "run.unfinished.nc"
    order = {
        "job": "simulateglacier",
        "id": "abcdef123456",
        "parameters": valley | {"end": 300.0, "save_interval": 1.0, "netcdf": str(target)},
    }
    (tmp_path / "job.json").write_text(json.dumps(order))
    command = [sys.executable, "-I", LAUNCHER, tmp_path / "job.json"]
    engine = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 120
    while not (kept.exists() and kept.stat().st_size > 150_000) and time.monotonic() < limit:
        assert engine.poll() is None
        time.sleep(0.05)
    os.kill(engine.pid, blow)
    engine.wait()
    assert [path.name for path in folder.iterdir()] == [kept.name]
    with netCDF4.Dataset(kept) as file:
        saved = file["model_year"][:].tolist()
    assert len(saved) >= 2
    end = saved[-1] + 2
    rest = simulate(
        listener,
        **onwards(valley | {"save_interval": 1.0, "end": end}, kept),
        netcdf=target,
    )
    assert rest["TIMES"] == [*saved, end - 1, end]
    assert sorted(path.name for path in folder.iterdir()) == ["run.nc", kept.name]
    whole = simulate(listener, **valley | {"save_interval": 1.0, "end": end})
    assert rest["VOLUME"] == whole["VOLUME"]
    assert rest["STEPS"] == whole["STEPS"]


def test_a_full_disk_loses_no_saved_year(
    valley: Options, tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = iter([10**12] * 4)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 0, next(room, 1000)))
    target, kept = tmp_path / "run.nc", tmp_path / "run.unfinished.nc"
    with pytest.raises(OSError, match="No space left") as caught:
        simulate(listener, **valley, netcdf=target)
    monkeypatch.undo()
    assert "disk is full" in str(explain(caught.value))
    assert any(str(kept) in told and "RESUME" in told for told in listener.warnings)
    assert not target.exists()
    rest = simulate(listener, **onwards(valley, kept), netcdf=target)
    whole = simulate(listener, **valley)
    assert rest["TIMES"] == whole["TIMES"]
    assert rest["VOLUME"] == whole["VOLUME"]


class StopError(Exception):
    """What a person does."""


class Stopping(Listener):
    """Stops the run past 70 % of it."""

    def progress(self, fraction: float, message: str = "") -> None:
        super().progress(fraction, message)
        if fraction > 0.7:
            raise StopError


def test_each_scenario_of_an_interrupted_batch_resumes_from_its_last_saved_year(
    valley: Options, tmp_path: Path, listener: Listener
) -> None:
    table, one, futures = tmp_path / "two.csv", tmp_path / "one.csv", tmp_path / "futures"
    table.write_text("name,ela_offset\nas now,0\nwarm,300\n")
    one.write_text("name,ela_offset\nwarm,300\n")
    batch = valley | {"scenarios": {"path": str(table)}, "thickness": tmp_path / "h.tif"}
    stopping = Stopping()
    with pytest.raises(StopError):
        simulate(stopping, **batch, scenario_folder=futures)
    kept = tmp_path / "futures.unfinished"
    files = [kept / name / "simulation.nc" for name in ("as now", "warm")]
    assert sorted(path for path in kept.rglob("*") if path.is_file()) == files
    assert not (tmp_path / "h.tif").exists()
    assert all(str(file) in stopping.warnings[-1] for file in files)
    rest = simulate(
        listener,
        **onwards(valley, files[1]),
        scenarios={"path": str(one)},
        netcdf=tmp_path / "w.nc",
    )
    assert rest["TIMES"] == [0, 2.5, 5, 7.5, 10, 12]
    simulate(listener, **batch, scenario_folder=futures)
    with (
        netCDF4.Dataset(tmp_path / "w.nc") as resumed,
        netCDF4.Dataset(futures / "warm" / "simulation.nc") as whole,
    ):
        np.testing.assert_allclose(resumed["thk"][:], whole["thk"][:], rtol=1e-4, atol=1e-3)


def test_the_results_of_what_was_saved_can_be_had_without_another_step(
    valley: Options, tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, kept = tmp_path / "run.nc", tmp_path / "run.unfinished.nc"
    whole = simulate(listener, **valley, thickness=tmp_path / "whole.tif")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(evolution_files, "write_report", full)
    wanted = {"thickness": tmp_path / "rest.tif", "report": tmp_path / "run.html"}
    with pytest.raises(OSError, match="No space left"):
        simulate(listener, **valley, **wanted, netcdf=target)
    monkeypatch.undo()
    assert str(kept) in listener.warnings[-1]
    rest = simulate(listener, **onwards(valley, kept), **wanted)
    assert (rest["STEPS"], rest["VOLUME"]) == (whole["STEPS"], whole["VOLUME"])
    with rasterio.open(tmp_path / "whole.tif") as one, rasterio.open(tmp_path / "rest.tif") as two:
        np.testing.assert_array_equal(one.read(), two.read())
    assert (tmp_path / "run.html").stat().st_size > 1000


def test_a_run_that_goes_on_tells_what_is_different_and_nothing_else(
    valley: Options, tmp_path: Path, listener: Listener
) -> None:
    past, table, mask = tmp_path / "past.nc", tmp_path / "line.csv", tmp_path / "mask.gpkg"
    table.write_text("year,ela\n0,2900\n12,3300\n")
    outline = geopandas.GeoSeries([shapely.box(*BOUNDS)], crs="EPSG:32632")
    outline.to_file(mask)
    given = {"balance_table": {"path": str(table)}, "ice_mask": {"path": str(mask)}}
    coarse = {"resolution": 200.0, "vertical_unit": "metres"}
    simulate(listener, **valley | given | coarse | {"end": 5.0}, netcdf=past)
    onward = onwards(valley, past)
    listener.logs.clear()
    simulate(listener, **onward, **given, thickness=tmp_path / "h.tif")
    assert not [told for told in listener.warnings if "differs from the earlier run" in told]
    with rasterio.open(tmp_path / "h.tif") as raster:
        assert json.loads(raster.tags()["PARAMETERS"])["resolution"] == raster.res[0] == 200
    simulate(listener, **onward)
    changes = [told for told in listener.warnings if "differs from the earlier run" in told]
    assert len(changes) == 2
    assert f"BALANCE_TABLE was {table} and is now blank" in "".join(changes)
    assert f"ICE_MASK was {mask} and is now blank" in "".join(changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": 6.0}, r"START \(6\) is not among the years saved .*0, 2.5, 5"),
        ({"end": 4.0}, r"END \(4\) is before year 5"),
    ],
)
def test_what_cannot_be_resumed_is_reported(
    valley: Options, changes: Options, message: str, tmp_path: Path, listener: Listener
) -> None:
    file = tmp_path / "half.nc"
    simulate(listener, **valley | {"end": 5.0}, netcdf=file)
    with pytest.raises(EngineError, match=message):
        simulate(listener, **onwards(valley, file) | changes)


def test_files_that_are_no_earlier_run_are_refused(
    valley: Options, tmp_path: Path, listener: Listener
) -> None:
    text, other = tmp_path / "text.nc", tmp_path / "other.nc"
    text.write_text("no NetCDF")
    netCDF4.Dataset(other, "w").close()
    for file, message in ((text, "is not a NetCDF file"), (other, "has no topg")):
        with pytest.raises(EngineError, match=message):
            simulate(listener, **onwards(valley, file))
    with pytest.raises(ValidationError, match="leave BED and INITIAL_THICKNESS blank"):
        SimulateGlacier(**valley, resume=other)


def test_a_table_need_not_hold_the_years_that_have_passed(
    valley: Options, tmp_path: Path, listener: Listener
) -> None:
    past, table = tmp_path / "past.nc", tmp_path / "line.csv"
    simulate(listener, **valley | {"end": 5.0}, netcdf=past)
    table.write_text("year,ela\n5,2900\n12,3300\n")
    rest = simulate(listener, **onwards(valley, past), balance_table={"path": str(table)})
    assert rest["TIMES"] == [0, 2.5, 5, 7.5, 10, 12]
    table.write_text("year,ela\n6,2900\n12,3300\n")
    with pytest.raises(EngineError, match="covers the years 6 to 12, but 5 to 12"):
        simulate(listener, **onwards(valley, past), balance_table={"path": str(table)})


def test_the_years_to_save_are_counted_from_where_the_earlier_run_began(
    valley: Options, tmp_path: Path, listener: Listener
) -> None:
    past = tmp_path / "past.nc"
    late = valley | {"start": 20_000.0, "end": 20_001.0, "save_interval": 1.0}
    simulate(listener, **late, netcdf=past)
    rest = simulate(listener, **onwards(late, past) | {"end": 20_002.0})
    assert rest["TIMES"] == [20_000, 20_001, 20_002]
    with pytest.raises(EngineError, match="would save more than 10000 times"):
        simulate(listener, **onwards(late, past) | {"end": 20_200.0, "save_interval": 0.01})
