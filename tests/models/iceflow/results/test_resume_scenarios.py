"""Scenarios that resume from their saved states, as if there had been no interruption."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import geopandas
import netCDF4
import numpy as np
import pytest
import rasterio
from affine import Affine

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.iceflow.jobs.simulate import SimulateGlacier
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from kit.engine.jobs import run_job
from kit.engine.listener import Listener

UPRIGHT = Affine(100, 0, 400_000, 0, -100, 5_150_000)
Options = dict[str, object]
ELA = "name,ela_offset\nas now,0\nwarm,300\ncold,-200\n"
WARMING = "name,temperature_offset,precipitation_offset\nas now,0,0\nwarm,2.5,10\ncold,-1,0\n"
NAMES = ("as now", "warm", "cold")
DEGREE_DAYS = {
    "mass_balance": "degree days",
    "monthly_temperature": "-12 -11 -9 -5 0 3 6 6 3 -1 -7 -10",
    "monthly_precipitation": "1.2 1.2 1.3 1.4 1.6 1.6 1.7 1.7 1.3 1.2 1.3 1.3",
    "climate_height": 2800.0,
    "update_interval": 0.5,
}
BATCHES = {
    "constant line": (ELA, {}),
    "degree days": (WARMING, DEGREE_DAYS),
    "second order": (ELA, {"transport": "second order"}),
}


def simulate(listener: Listener, **options: object) -> Result:
    return run_job(SimulateGlacier(**options), listener)


@pytest.fixture
def batch(
    write_tif: Callable[..., Path], tmp_path: Path, f15: Emulator
) -> Callable[[str], tuple[Options, Options]]:
    """Return the options of a batch, and of one that goes on, for a table of scenarios."""
    row, column = np.indices((48, 32), dtype="f4")
    bed = 3300 - 18 * row + 1.5 * (column - 16) ** 2
    ice = (160 - ((row - 40) / 1.2) ** 2 - (1.6 * (column - 16)) ** 2).clip(0)
    ground = {
        "bed": {"path": str(write_tif("bed.tif", bed, UPRIGHT))},
        "initial_thickness": {"path": str(write_tif("ice.tif", ice, UPRIGHT))},
    }

    def options(text: str) -> tuple[Options, Options]:
        table = tmp_path / "Szenarien.csv"
        table.write_text(text, encoding="utf-8")
        onwards = {"scenarios": {"path": str(table)}, "end": 12.0, "save_interval": 2.5}
        return ground | onwards, onwards

    return options


class StopError(Exception):
    """What a person does."""


class Stopping(Listener):
    """Stops the run past 70 % of it."""

    def progress(self, fraction: float, message: str = "") -> None:
        super().progress(fraction, message)
        if fraction > 0.7:
            raise StopError


def assert_same_file(one: Path, other: Path) -> None:
    with netCDF4.Dataset(one) as first, netCDF4.Dataset(other) as second:
        for name in ("model_year", "topg", "thk", "usurf", "ubar", "vbar", "smb", "steps"):
            np.testing.assert_array_equal(first[name][:], second[name][:], err_msg=name)
        for name in ("gained", "lost", "added"):
            np.testing.assert_allclose(first[name][:], second[name][:], rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("table", "options"), BATCHES.values(), ids=BATCHES)
def test_a_resumed_batch_is_the_uninterrupted_one_to_the_bit(
    batch: Callable[[str], tuple[Options, Options]],
    table: str,
    options: Options,
    tmp_path: Path,
    listener: Listener,
) -> None:
    begin, onwards = batch(table)
    whole, rest = tmp_path / "whole", tmp_path / "rest"
    rasters = {name: tmp_path / f"{name}.tif" for name in ("whole", "rest")}
    series = {name: tmp_path / f"{name}.gpkg" for name in ("whole", "rest")}
    expected = simulate(
        listener,
        **begin | options,
        scenario_folder=whole,
        thickness=rasters["whole"],
        series=series["whole"],
    )
    stopping = Stopping()
    with pytest.raises(StopError):
        simulate(stopping, **begin | options, scenario_folder=rest)
    kept = tmp_path / "rest.unfinished"
    assert "RESUME, and the same SCENARIOS" in stopping.warnings[-1]
    found = simulate(
        listener,
        **onwards | options,
        resume=kept / "warm" / "simulation.nc",
        scenario_folder=rest,
        thickness=rasters["rest"],
        series=series["rest"],
    )
    for name in NAMES:
        assert_same_file(whole / name / "simulation.nc", rest / name / "simulation.nc")
        assert any(f"{Path(name, 'simulation.nc')}" in told for told in listener.logs)
    for name in ("VOLUME", "AREA", "MAX_SPEED", "STEPS", "TIMES"):
        assert found[name] == expected[name], name
    with rasterio.open(rasters["whole"]) as one, rasterio.open(rasters["rest"]) as other:
        np.testing.assert_array_equal(one.read(), other.read())
        assert one.tags()["SCENARIO"] == "as now"
    rows = {name: geopandas.read_file(file, layer="series") for name, file in series.items()}
    columns = ["scenario", "time", "volume_km3", "area_km2", "mean_speed"]
    assert rows["rest"][columns].equals(rows["whole"][columns])
    assert not any("earlier run" in told for told in listener.warnings)


def cut(file: Path, years: int) -> None:
    """Leave but the first `years` saved ones, as if the engine had died before the next."""
    with netCDF4.Dataset(file) as source, netCDF4.Dataset(f"{file}.cut", "w") as target:
        target.setncatts({name: source.getncattr(name) for name in source.ncattrs()})
        for name, dimension in source.dimensions.items():
            target.createDimension(name, None if name == "time" else len(dimension))
        for name, field in source.variables.items():
            copy = target.createVariable(name, field.dtype, field.dimensions)
            copy.setncatts({k: field.getncattr(k) for k in field.ncattrs() if k != "_FillValue"})
            copy[:] = field[:years] if field.dimensions[:1] == ("time",) else field[:]
    Path(f"{file}.cut").replace(file)


@pytest.mark.slow
def test_a_batch_resumes_from_the_last_year_that_all_have_saved(
    batch: Callable[[str], tuple[Options, Options]], tmp_path: Path, listener: Listener
) -> None:
    begin, onwards = batch(ELA)
    folders = {name: tmp_path / name for name in ("whole", "part", "rest", "two")}
    simulate(listener, **begin, scenario_folder=folders["whole"])
    simulate(listener, **begin | {"end": 7.5}, scenario_folder=folders["part"])
    cut(folders["part"] / "cold" / "simulation.nc", 3)
    source = folders["part"] / "as now" / "simulation.nc"
    simulate(listener, **onwards, resume=source, scenario_folder=folders["rest"])
    assert any("Continuing from year 5 of" in told for told in listener.logs)
    for name in NAMES:
        assert_same_file(*(folders[which] / name / "simulation.nc" for which in ("whole", "rest")))
    fewer = batch("name,ela_offset\ncold,-200\nwarm,350\n")[1]
    simulate(listener, **fewer, resume=source, start=2.5, scenario_folder=folders["two"])
    assert {path.name for path in folders["two"].iterdir()} == {"cold", "warm"}
    told = [line for line in listener.warnings if "differs from the earlier run" in line]
    assert told == [
        "SCENARIOS: 'warm' was ela_offset +300 and is now ela_offset +350: this differs from "
        "the earlier run from year 2.5 on."
    ]


def test_a_table_that_does_not_match_is_refused_with_the_remedy(
    batch: Callable[[str], tuple[Options, Options]], tmp_path: Path, listener: Listener
) -> None:
    begin, onwards = batch("name,ela_offset\nas now,0\nwarm,300\n")
    folder, single, other = (tmp_path / name for name in ("futures", "first.nc", "other"))
    simulate(listener, **begin | {"end": 5.0}, scenario_folder=folder, netcdf=single)
    source = folder / "warm" / "simulation.nc"
    added = batch("name,ela_offset\nas now,0\nhot,600\n")[1]
    with pytest.raises(EngineError, match=r"no results of 'hot', only of 'as now', 'warm'"):
        simulate(listener, **added, resume=source)
    onwards = batch("name,ela_offset\nas now,0\nwarm,300\n")[1]
    with pytest.raises(
        EngineError,
        match=r"first.nc has no results of 'warm'.*give the simulation.nc of a scenario",
    ):
        simulate(listener, **onwards, resume=single)
    moved = np.indices((48, 32), dtype="f4")[0]
    with rasterio.open(begin["bed"]["path"], "r+") as bed:
        bed.write(3300 - 17 * moved, 1)
    simulate(listener, **begin | {"end": 5.0}, scenario_folder=other)
    shutil.copy(other / "as now" / "simulation.nc", folder / "as now" / "simulation.nc")
    with pytest.raises(EngineError, match="not the scenario 'as now' of the run that"):
        simulate(listener, **onwards, resume=source)


def test_a_scenario_that_goes_on_without_its_offset_says_so(
    batch: Callable[[str], tuple[Options, Options]], tmp_path: Path, listener: Listener
) -> None:
    begin, onwards = batch("name,ela_offset\nwarm,300\nas now,0\n")
    simulate(listener, **begin | {"end": 5.0}, netcdf=tmp_path / "first.nc")
    del onwards["scenarios"]
    simulate(listener, **onwards, resume=tmp_path / "first.nc")
    assert any(
        "'warm' was ela_offset +300 and is now as given" in told for told in listener.warnings
    )
