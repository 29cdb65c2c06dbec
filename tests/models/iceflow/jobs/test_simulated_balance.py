"""Mass balance as a simulation applies it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.jobs.balance import SurfaceMassBalance
from glacier_qgis.models.iceflow.jobs.simulate import SimulateGlacier
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.iceflow.alpine_slope import ALPS, SHAPE, STATION, Write, monthly, slope


@pytest.fixture
def glacier(write_bands: Write, f15: Emulator) -> dict[str, dict[str, str]]:
    """A slab of ice in the upper half of the slope."""
    ice = np.zeros((1, *SHAPE), dtype="f4")
    ice[:, 4:16, 4:-4] = 80
    return {
        "bed": write_bands("bed.tif", slope()[None]),
        "initial_thickness": write_bands("ice.tif", ice),
    }


def test_a_field_that_is_the_same_everywhere_is_the_number(
    glacier: dict[str, dict[str, str]],
    write_bands: Write,
    table: Callable[[str], dict[str, str]],
    listener: Listener,
) -> None:
    raster = write_bands("ela.tif", np.full((1, *SHAPE), 2800, dtype="f4"))
    number, field = (
        run_job(SimulateGlacier(**glacier, end=4, save_interval=2, **options), listener)
        for options in ({"ela": 2800}, {"ela_raster": raster})
    )
    assert field["VOLUME"] == number["VOLUME"]
    assert field["STEPS"] == number["STEPS"]


def test_an_equilibrium_line_in_feet_is_converted(
    glacier: dict[str, dict[str, str]], write_bands: Write, listener: Listener
) -> None:
    raster = write_bands("ela.tif", np.full((1, *SHAPE), 2800 / 0.3048, dtype="f4"))
    with rasterio.open(raster["path"], "r+") as target:
        target.units = ("ft",)
    number, field = (
        run_job(SimulateGlacier(**glacier, end=4, save_interval=2, **options), listener)
        for options in ({"ela": 2800}, {"ela_raster": raster})
    )
    assert field["VOLUME"] == pytest.approx(number["VOLUME"], rel=1e-5)


def test_a_simulation_starts_from_the_balance_of_its_surface_and_feels_warming(
    glacier: dict[str, dict[str, str]],
    write_bands: Write,
    table: Callable[[str], dict[str, str]],
    tmp_path: Path,
    listener: Listener,
) -> None:
    target, still = tmp_path / "smb.tif", tmp_path / "still.tif"
    rows = table("year,temperature_offset\n0,0\n4,4\n")
    warm = SimulateGlacier(
        **glacier, **STATION, end=4, save_interval=2, balance_table=rows, mass_balance_out=target
    )
    warmed = run_job(warm, listener)
    usual = run_job(SimulateGlacier(**glacier, **STATION, end=4, save_interval=2), listener)
    assert warmed["VOLUME"] < usual["VOLUME"]
    ice = np.zeros(SHAPE, dtype="f4")
    ice[4:16, 4:-4] = 80
    surface = write_bands("top.tif", (slope() + ice)[None])
    run_job(SurfaceMassBalance(surface=surface, output=still, **STATION), listener)
    with rasterio.open(target) as run, rasterio.open(still) as once:
        np.testing.assert_array_equal(run.read(1), once.read(1))
        assert run.read(3)[4:16].mean() < run.read(1)[4:16].mean() - 1


def test_ice_without_climate_is_refused_and_elsewhere_none_can_be(
    glacier: dict[str, dict[str, str]], write_bands: Write, tmp_path: Path, listener: Listener
) -> None:
    options = {key: value for key, value in STATION.items() if "temperature" not in key}
    holes = monthly(ALPS).copy()
    holes[5, 10, 10] = np.nan
    options["temperature"] = write_bands("holes.tif", holes)
    with pytest.raises(EngineError, match=r"TEMPERATURE has no data in \d+ cells with ice"):
        run_job(SimulateGlacier(**glacier, **options, end=1), listener)
    holes[5, 10, 10] = 5
    holes[:, -5:] = np.nan
    options["temperature"] = write_bands("holes.tif", holes)
    target = tmp_path / "smb.tif"
    job = SimulateGlacier(**glacier, **options, end=1, mass_balance_out=target)
    run_job(job, listener)
    with rasterio.open(target) as raster:
        assert (raster.read(1)[-5:] == -10).all()
    assert any("ice is removed there" in line for line in listener.warnings)
