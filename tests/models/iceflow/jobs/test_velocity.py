"""The velocity of a glacier as it is now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.warp import transform_bounds

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.jobs.velocity import IceVelocity
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.engine.rasters import write_raster
from kit.iceflow.small_valley import UPRIGHT, Inputs, tongue, valley

BOUNDS = (399_000, 5_142_000, 406_000, 5_151_000)
"""More than the valley, UTM."""


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


@pytest.mark.parametrize("emulator", ["f15_cfsflow_GJ_22_a/100", "dahunet_mini", "blatter_pattyn"])
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
    with pytest.raises(EngineError, match=r"BASAL_VELOCITY: .* does not predict it"):
        run_job(job, listener)
    assert not (tmp_path / "b.tif").exists()


def test_sliding_comes_as_a_raster_of_another_crs_and_cell_size(
    velocity_inputs: Inputs, tmp_path: Path, f15: Emulator, listener: Listener
) -> None:
    """A raster that covers more than the ice, coarser, in longitude and latitude."""
    west, south, east, north = transform_bounds("EPSG:32632", "EPSG:4326", *BOUNDS)
    degrees = Affine((east - west) / 20, 0, west, 0, (south - north) / 20, north)
    path = write_raster(tmp_path / "c.tif", np.full((20, 20), 12.0, "f4"), degrees, "EPSG:4326")
    speed = {}
    for name, options in {
        "number": {"sliding": 12},
        "raster": {"sliding_raster": {"path": str(path)}},
    }.items():
        target = tmp_path / f"{name}.tif"
        run_job(
            IceVelocity(**velocity_inputs, **options, emulator=f15.name, velocity=target), listener
        )
        with rasterio.open(target) as raster:
            speed[name] = raster.read(1)
    np.testing.assert_array_equal(speed["raster"], speed["number"])
    assert not any("SLIDING_RASTER" in words for words in listener.warnings)


def test_a_raster_of_sliding_that_ends_with_the_ice_is_taken(
    velocity_inputs: Inputs,
    write_tif: Callable[..., Path],
    tmp_path: Path,
    f15: Emulator,
    listener: Listener,
) -> None:
    """As an inversion leaves it: the ice is a fifth of the area."""
    ice = tongue() > 0
    slip = np.where(ice, np.float32(20), np.float32(np.nan))
    path = write_tif("c.tif", slip, UPRIGHT, nodata=np.nan)
    job = IceVelocity(
        **velocity_inputs,
        sliding_raster={"path": str(path)},
        emulator=f15.name,
        velocity=tmp_path / "v.tif",
    )
    run_job(job, listener)
    assert not any("SLIDING_RASTER" in words for words in listener.warnings)
    assert any("SLIDING_RASTER has no data beside the ice" in words for words in listener.logs)
    slip[24:26] = np.nan
    write_tif("c.tif", slip, UPRIGHT, nodata=np.nan)
    run_job(job, listener)
    assert any(
        "SLIDING_RASTER has no data in" in words and "of the ice: SLIDING (0 km" in words
        for words in listener.warnings
    )
