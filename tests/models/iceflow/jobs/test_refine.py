"""`simulateglacier` with REFINE: what a run with it writes, and when it has nothing to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import geopandas
import netCDF4
import numpy as np
import pytest
import rasterio

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.jobs.simulate import SimulateGlacier
from glacier_qgis.models.iceflow.results.netcdf import MEMORY
from glacier_qgis.models.iceflow.velocity.catalogue import OWN
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.engine.reports import read_report
from kit.iceflow.small_valley import UPRIGHT, Inputs, tongue, valley

NAME = "blatter_pattyn"
ROWS, COLUMNS = 32, 24
QUICK = {
    "emulator": NAME,
    "sliding": 6.0,
    "ela": 3000,
    "start": 2000,
    "end": 2001,
    "save_interval": 0.5,
    "refine": 4,
    "refine_iterations": 15,
}


@pytest.fixture
def small(write_tif: Callable[..., Path]) -> Inputs:
    bed = write_tif("bed.tif", valley(ROWS, COLUMNS), UPRIGHT)
    ice = write_tif("ice.tif", tongue(ROWS, COLUMNS), UPRIGHT)
    return {"bed": {"path": str(bed)}, "initial_thickness": {"path": str(ice)}}


def digest() -> list[str]:
    return [sha256(path.read_bytes()).hexdigest() for path in sorted((OWN / NAME).iterdir())]


def test_the_report_says_how_far_the_emulator_was_and_is(
    small: Inputs, tmp_path: Path, listener: Listener
) -> None:
    files = {"report": tmp_path / "r.html", "basal_velocity": tmp_path / "b.tif"}
    before = digest()
    result = run_job(SimulateGlacier(**small, **QUICK, **files), listener)
    assert digest() == before
    assert result["ABOUT"]["MODEL"] == f"{NAME}, refined"
    (told,) = (words for words in listener.logs if "The emulator was refined" in words)
    assert "at first Eq. 7" in told
    table = next(rows for rows in read_report(tmp_path / "r.html").tables if "Eq. 7 (%)" in rows[0])
    states = [row["State"] for row in table]
    assert states == ["first refinement", "first refinement", "year 2001", "year 2001"]
    for published, refined in (table[:2], table[2:]):
        assert (published["Emulator"], refined["Emulator"]) == ("as published", "refined")
    published, refined = table[:2]  # later states are others than those that it was trained on
    assert float(refined["Eq. 7 (%)"]) < 3  # published: 1.2, which energy cannot tell from 1.7
    energy = "Energy (% of the solution's)"
    assert float(published[energy]) < float(refined[energy]) < 100


def test_a_resumed_run_refines_as_one_without_a_stop(
    small: Inputs, tmp_path: Path, listener: Listener
) -> None:
    whole, half, rest = (tmp_path / f"{name}.nc" for name in ("whole", "half", "rest"))
    quick = QUICK | {"end": 2000.5, "save_interval": 0.25, "refine": 2, "refine_iterations": 5}
    run_job(SimulateGlacier(**small, **quick, netcdf=whole), listener)
    run_job(SimulateGlacier(**small, **quick | {"end": 2000.25}, netcdf=half), listener)
    later = {name: value for name, value in quick.items() if name != "start"}
    run_job(SimulateGlacier(**later, resume=half, netcdf=rest), listener)
    with netCDF4.Dataset(whole) as one, netCDF4.Dataset(rest) as other:
        for name in ("model_year", "steps", "thk", "ubar", "vbar", MEMORY):
            np.testing.assert_array_equal(other[name][:], one[name][:], err_msg=name)
        assert json.loads(str(one[MEMORY][-1]))["refinements"] > 1
    assert not any("REFINE" in words for words in listener.warnings)


def test_without_ice_and_without_sliding_it_runs(
    small: Inputs, tmp_path: Path, listener: Listener
) -> None:
    """Ice appears later, and is frozen to its bed."""
    target = tmp_path / "b.tif"
    options = QUICK | {"sliding": 0.0, "end": 2020, "save_interval": 10, "basal_velocity": target}
    result = run_job(SimulateGlacier(bed=small["bed"], **options), listener)
    assert result["VOLUME"] > 0
    with rasterio.open(target) as raster:
        assert np.nanmax(raster.read(3)) == 0
    assert any("The emulator was refined" in words for words in listener.logs)
    listener.logs.clear()
    run_job(SimulateGlacier(bed=small["bed"], **QUICK | {"ela": 9000}), listener)
    assert any("never refined: there was no ice" in words for words in listener.logs)


def test_each_scenario_refines_its_own_emulator(
    small: Inputs, tmp_path: Path, listener: Listener
) -> None:
    """A run with two scenarios gives each what it gives alone."""
    (tmp_path / "two.csv").write_text("name,ela_offset\ncold,-200\nwarm,300\n")
    (tmp_path / "one.csv").write_text("name,ela_offset\nwarm,300\n")
    volumes = {}
    for name in ("two", "one"):
        series = tmp_path / f"{name}.gpkg"
        scenarios = {"path": str(tmp_path / f"{name}.csv")}
        options = QUICK | {"end": 2000.5, "refine": 2, "refine_iterations": 6}
        job = SimulateGlacier(**small, **options, scenarios=scenarios, series=series)
        run_job(job, listener)
        rows = geopandas.read_file(series)
        volumes[name] = list(rows.volume_km3[rows.scenario == "warm"])
    assert len(volumes["one"]) == 2
    assert volumes["two"] == volumes["one"]


def test_an_emulator_that_cannot_be_trained_is_refused(
    small: Inputs,
    read_emulator: Callable[[str], Emulator],
    listener: Listener,
) -> None:
    read_emulator("f12_cfsflow_GJ_21_a/100")
    job = SimulateGlacier(**small, **QUICK | {"emulator": "f12_cfsflow_GJ_21_a/100"})
    with pytest.raises(EngineError, match=r"REFINE: .* does not predict uvelbase"):
        run_job(job, listener)
