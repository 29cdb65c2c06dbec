"""Simulations compared with what was observed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from pydantic import ValidationError
from rasterio.features import rasterize

from glacier_qgis.models.engine.errors import EngineError, explain
from glacier_qgis.models.iceflow.jobs.simulate import SimulateGlacier
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.iceflow.small_valley import UPRIGHT, Inputs, tongue, valley


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
    for words in (
        "Hypsometry",
        "Comparison with the observation of year 4.25",
        "VERTICAL_DATUM",
        "blatter_pattyn",
    ):
        assert words in page


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"observed_time": 120}, r"OBSERVED_TIME \(120\) is outside of the run, 2000 to 2100"),
        ({"observed_time": 2050}, "OBSERVED_TIME needs OBSERVED_OUTLINE or OBSERVED_SURFACE"),
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
    with pytest.raises(EngineError, match=r"OBSERVED_TIME \(3\) is neither a saved year"):
        run_job(missed, listener)


def test_an_observed_surface_that_cannot_be_compared_is_refused(
    valley_files: Inputs, write_tif: Callable[..., Path], f15: Emulator, listener: Listener
) -> None:
    geoid = write_tif("geoid.tif", valley(), UPRIGHT, "EPSG:32632+5773")
    other = write_tif("other.tif", valley(), UPRIGHT, "EPSG:32632+3855")
    files = valley_files | {"bed": {"path": str(geoid)}}
    job = SimulateGlacier(**files, end=1, observed_surface={"path": str(other)})
    message = r"OBSERVED_SURFACE .*EGM2008 geoid.*EGM96 geoid.*cannot be compared"
    with pytest.raises(EngineError, match=message):
        run_job(job, listener)
