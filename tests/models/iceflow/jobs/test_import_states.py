"""The output of other models through the job: the same snapshots as those of an instructor."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
from pydantic import ValidationError

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.jobs.instruct import RunInstructor
from glacier_qgis.models.iceflow.snapshots.reader import open_snapshots
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.iceflow.cf_checker import complaints
from kit.iceflow.other_models import GRID, glacier, write_elmer, write_igm, write_pism


def test_states_become_snapshots_rasters_and_a_series(tmp_path: Path, listener: Listener) -> None:
    source = write_pism(tmp_path / "pism.nc", glacier(), glacier(30.0))
    files = {
        name: tmp_path / f"{name}.tif"
        for name in ("thickness", "velocity", "basal_velocity", "surface_velocity", "surface_out")
    }
    job = RunInstructor(
        model_output=source,
        snapshots=tmp_path / "states.nc",
        series=tmp_path / "series.gpkg",
        **files,
    )
    result = run_job(job, listener)
    wanted = [glacier(), glacier(30.0)]
    assert complaints(tmp_path / "states.nc") == []
    with open_snapshots(tmp_path / "states.nc") as file:
        assert file.grid == GRID
        assert file.instructor == "PISM v2.1 (pism.nc)"
        for state, other in zip(file, wanted, strict=True):
            ice = other.thickness > 0
            for name, field in other.fields.items():
                np.testing.assert_allclose(
                    state.fields[name][ice], field[ice], rtol=2e-5, atol=2e-3
                )
    with rasterio.open(files["thickness"]) as raster:
        assert raster.descriptions == ("year 2000", "year 2010")
        assert raster.tags()["INSTRUCTOR"] == "PISM v2.1 (pism.nc)"
        np.testing.assert_array_equal(raster.read(2), wanted[1].thickness)
    with rasterio.open(files["basal_velocity"]) as raster:
        ice = wanted[0].thickness > 0
        speed = np.hypot(*wanted[0].base)
        np.testing.assert_allclose(raster.read(1)[ice], speed[ice], rtol=1e-4)
    table: pd.DataFrame = pyogrio.read_dataframe(tmp_path / "series.gpkg")
    assert list(table["time"]) == pytest.approx([2000, 2010])
    volume = wanted[1].thickness.sum(dtype=float) * 100**2 / 1e9
    assert result["VOLUME"] == pytest.approx(volume, rel=1e-5)
    assert table["volume_km3"].iloc[1] == pytest.approx(volume, rel=1e-5)
    assert result["SNAPSHOTS"] == str(tmp_path / "states.nc")


def test_coefficients_that_a_file_lacks_are_those_of_the_job(
    tmp_path: Path, listener: Listener
) -> None:
    source = write_elmer(tmp_path / "mesh.nc", glacier())
    job = RunInstructor(
        model_output=source,
        model_crs="EPSG:32632",
        resolution=100,
        sliding=5.0,
        rate_factor=60.0,
        snapshots=tmp_path / "states.nc",
    )
    run_job(job, listener)
    with open_snapshots(tmp_path / "states.nc") as file:
        state = file[0]
    assert (state.sliding == 5).all()
    assert (state.rate_factor == 60).all()
    assert any("smaller than the patches of 32 × 32" in words for words in listener.warnings)


def test_names_come_through_the_job(tmp_path: Path, listener: Listener) -> None:
    source = write_igm(tmp_path / "output.nc", glacier())
    with netCDF4.Dataset(source, "a") as file:
        file.renameVariable("thk", "ice")
    options = {"model_output": source, "model_crs": "EPSG:32632"}
    named = RunInstructor(**options, model_variables="thk=ice", thickness=tmp_path / "h.tif")
    run_job(named, listener)
    with rasterio.open(tmp_path / "h.tif") as raster:
        np.testing.assert_array_equal(raster.read(1), glacier().thickness)
    with pytest.raises(EngineError, match=r"has no thk \(ice thickness\) .* it has .*ice"):
        run_job(RunInstructor(**options, snapshots=tmp_path / "s.nc"), listener)
    with pytest.raises(EngineError, match="'depth=ice' is not FIELD=VARIABLE"):
        run_job(RunInstructor(**options, model_variables="depth=ice"), listener)


def test_velocities_that_a_file_lacks_are_not_written(tmp_path: Path, listener: Listener) -> None:
    source = write_igm(tmp_path / "output.nc", glacier())
    job = RunInstructor(
        model_output=source, model_crs="EPSG:32632", basal_velocity=tmp_path / "base.tif"
    )
    with pytest.raises(EngineError, match=r"BASAL_VELOCITY: .* has no uvelbase and vvelbase"):
        run_job(job, listener)
    assert not list(tmp_path.glob("*.tif"))


def test_what_goes_with_a_run_does_not_go_with_a_file(tmp_path: Path) -> None:
    for name, value in (
        ("netcdf", tmp_path / "run.nc"),
        ("report", tmp_path / "run.html"),
        ("bed", {"path": "bed.tif"}),
        ("resume", tmp_path / "old.nc"),
    ):
        with pytest.raises(ValidationError, match=f"leave {name.upper()} blank"):
            RunInstructor(model_output=tmp_path / "output.nc", **{name: value})
