"""Ice flow from Python, on the sample data that comes with the plugin."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
from pyproj import CRS

import glacier_qgis
from glacier_qgis.models import EngineError, GlacierWarning, ice_velocity, mass_balance, simulate

SAMPLE = Path(glacier_qgis.__file__).parent / "sample" / "aletsch"
SURFACE, THICKNESS = SAMPLE / "aletsch.tif", SAMPLE / "aletsch_thickness.tif"


def test_mass_balance_is_that_of_its_gradients_in_memory_too() -> None:
    found = mass_balance(SURFACE, ela=2900, ablation_gradient=0.01)
    with rasterio.open(SURFACE) as raster:
        heights = raster.read(1, masked=True)
        assert found.smb.shape == raster.shape
        assert CRS.from_wkt(found.crs.attrs["crs_wkt"]) == CRS.from_wkt(raster.crs.to_wkt())
    below = np.where(heights < 2900, 0.01 * (heights - 2900), np.nan)
    assert np.nanmax(abs(found.smb.to_numpy() - below)) < 1e-3
    assert found.smb.attrs["units"] == "m year-1"
    surface = xr.DataArray(
        heights.filled(np.nan), {"y": found.y, "x": found.x, "crs": found.crs}, ("y", "x")
    )
    again = mass_balance(surface, ela=2900, ablation_gradient=0.01)
    np.testing.assert_allclose(again.smb, found.smb, atol=1e-4)


@pytest.mark.filterwarnings("ignore:The cell size")
def test_a_switch_for_an_output_writes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "smb" in mass_balance(SURFACE, output=True)
    assert "surface_velocity" not in ice_velocity(
        SURFACE, THICKNESS, surface_velocity=False, resolution=800
    )
    with pytest.raises(EngineError, match="OUTPUT is 3: give the path of a file"):
        mass_balance(SURFACE, output=3)
    assert not list(tmp_path.iterdir())


def test_a_warning_points_to_the_line_of_the_caller() -> None:
    with pytest.warns(GlacierWarning, match="The cell size is 800 m") as said:
        ice_velocity(SURFACE, THICKNESS, resolution=800, emulator="f15_cfsflow_GJ_22_a/200")
    assert {warning.filename for warning in said} == {__file__}


@pytest.mark.filterwarnings("ignore:The surface slope")
def test_arrays_of_one_result_are_inputs_of_the_next() -> None:
    run = simulate(surface=SURFACE, initial_thickness=THICKNESS, resolution=200, end=2001)
    last = run.isel(time=-1)
    flow = ice_velocity(last.usurf, last.thk)
    ice = last.thk.to_numpy() > 1
    assert np.isfinite(flow.velocity.to_numpy()[ice]).mean() > 0.99
    given = mass_balance(last.usurf, ela=2900)
    assert given.smb.shape == last.thk.shape
    again = simulate(
        bed=run.topg,
        initial_thickness=last.thk,
        balance_raster=given.smb,
        mass_balance="raster series",
        resolution=200,
        start=2001,
        end=2002,
    )
    np.testing.assert_allclose(again.thk[0], last.thk, atol=1e-2)


def test_velocity_has_its_components_and_levels() -> None:
    found = ice_velocity(SURFACE, THICKNESS, surface_velocity=True, sliding=12)
    speed = np.hypot(found.velocity_x, found.velocity_y)
    np.testing.assert_allclose(speed, found.velocity, rtol=1e-5)
    assert float(found.surface_velocity.mean()) > float(found.velocity.mean())
    assert found.attrs["max_speed"] == pytest.approx(float(found.velocity.max()))


@pytest.mark.filterwarnings("ignore:The surface slope")
def test_a_run_is_its_states_after_cf_and_keeps_its_mass() -> None:
    found = simulate(surface=SURFACE, initial_thickness=THICKNESS, resolution=200, end=2020)
    assert list(found.time.dt.year) == [2000, 2010, 2020]
    assert found.thk.attrs["standard_name"] == "land_ice_thickness"
    assert "crs" in found.coords
    volume = found.thk.sum(("y", "x")) * 200.0**2 / 1e9
    account = found.gained + found.added - found.lost
    np.testing.assert_allclose(volume - volume[0], account, atol=1e-3 * float(volume[0]))
    np.testing.assert_allclose(found.thk + found.topg, found.usurf, atol=1e-2)


def test_what_a_run_needs_is_said() -> None:
    with pytest.raises(EngineError, match="SURFACE"):
        simulate(initial_thickness=THICKNESS)


@pytest.mark.filterwarnings("ignore:The surface slope")
def test_what_a_stopped_run_saved_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def stop_half_way(fraction: float, _: str) -> None:
        if fraction > 0.5:
            raise KeyboardInterrupt

    inputs = {"surface": SURFACE, "initial_thickness": THICKNESS, "resolution": 200}
    with (
        pytest.warns(GlacierWarning, match="ended early") as said,
        pytest.raises(KeyboardInterrupt),
    ):
        simulate(**inputs, end=2020, save_interval=5, progress=stop_half_way)
    (saved,) = tmp_path.rglob("*.nc")
    assert any(str(saved) in str(warning.message) for warning in said)
    assert simulate(resume=saved, end=2020, save_interval=5).time.dt.year[-1] == 2020
    saved.unlink()
    saved.parent.rmdir()
    assert not list(tmp_path.iterdir())
