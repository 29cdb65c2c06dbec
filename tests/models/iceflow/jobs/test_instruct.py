"""Running an instructor: what is written is what it finds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from pydantic import ValidationError

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.instructors import newton
from glacier_qgis.models.iceflow.instructors.instructor import INSTRUCTORS, Instructor
from glacier_qgis.models.iceflow.jobs.instruct import RunInstructor
from glacier_qgis.models.iceflow.snapshots.reader import open_snapshots
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.iceflow.small_valley import UPRIGHT, Inputs, tongue, valley

ROWS, COLUMNS = 36, 34
QUICK = {
    "resolution": 100,
    "start": 2000,
    "end": 2002,
    "save_interval": 1,
    "ela": 2950,
    "modes": 2,
    "sliding": 2.0,
}


@pytest.fixture
def short_valley(write_tif: Callable[..., Path]) -> Inputs:
    bed = write_tif("bed.tif", valley(ROWS, COLUMNS), UPRIGHT)
    ice = write_tif("ice.tif", tongue(ROWS, COLUMNS), UPRIGHT)
    return {"bed": {"path": str(bed)}, "initial_thickness": {"path": str(ice)}}


@pytest.mark.parametrize("name", INSTRUCTORS)
def test_snapshots_and_rasters_hold_what_the_instructor_finds(
    name: str, short_valley: Inputs, tmp_path: Path, listener: Listener
) -> None:
    files = {
        key: tmp_path / f"{key}.tif"
        for key in ("thickness", "velocity", "velocity_x", "basal_velocity", "surface_velocity")
    }
    states = tmp_path / "states.nc"
    job = RunInstructor(**short_valley, **QUICK, instructor=name, snapshots=states, **files)
    result = run_job(job, listener)
    assert result["SNAPSHOTS"] == str(states)
    assert result["TIMES"] == [2000, 2001, 2002]
    bands = {}
    for key, path in files.items():
        with rasterio.open(path) as raster:
            bands[key] = np.nan_to_num(raster.read())
            assert raster.tags()["INSTRUCTOR"] == name
            assert raster.descriptions == ("year 2000", "year 2001", "year 2002")
    teacher = Instructor(name, 100.0, 78.0, 2.0, modes=2)
    with open_snapshots(states) as file:
        assert file.instructor == name
        assert len(file) == 3
        for index, state in enumerate(file):
            assert (state.year, state.run) == (2000 + index, "")
            np.testing.assert_array_equal(state.thickness, bands["thickness"][index])
            np.testing.assert_array_equal(state.mean[0], bands["velocity_x"][index])
            for key, field in (
                ("velocity", state.mean),
                ("basal_velocity", state.base),
                ("surface_velocity", state.top),
            ):
                np.testing.assert_allclose(np.hypot(*field), bands[key][index], rtol=1e-5)
            assert (state.rate_factor == 78).all()
            assert (state.sliding == 2).all()
            assert 0 <= state.residual <= 1e-4
            shape = torch.from_numpy(state.thickness), torch.from_numpy(state.surface)
            found = teacher.solve(*shape).surface.numpy()
            assert np.abs(found - state.top).max() < 1e-3 * np.abs(found).max()
    assert np.hypot(*found).max() > 5


def test_coefficients_come_as_rasters_and_their_holes_are_filled(
    short_valley: Inputs, write_tif: Callable[..., Path], tmp_path: Path, listener: Listener
) -> None:
    slippery = np.full((ROWS, COLUMNS), 30.0, "f4")
    slippery[:, :17] = 0
    slippery[:12] = np.nan
    soft = np.full((ROWS, COLUMNS), 40.0, "f4")
    job = RunInstructor(
        **short_valley,
        **QUICK | {"end": 2000.5},
        sliding_raster={"path": str(write_tif("c.tif", slippery, UPRIGHT))},
        rate_factor_raster={"path": str(write_tif("a.tif", soft, UPRIGHT))},
        snapshots=tmp_path / "states.nc",
        basal_velocity=tmp_path / "base.tif",
    )
    run_job(job, listener)
    share = (tongue(ROWS, COLUMNS)[:12] > 0).sum() / (tongue(ROWS, COLUMNS) > 0).sum()
    assert any(
        f"SLIDING_RASTER has no data in {share:.1%} of the ice: SLIDING (2 km MPa" in words
        for words in listener.warnings
    )
    with open_snapshots(tmp_path / "states.nc") as file:
        state = file[0]
    assert (state.rate_factor == 40).all()
    np.testing.assert_array_equal(np.unique(state.sliding), [0, 2, 30])
    frozen = state.sliding == 0
    assert state.base is not None
    assert not state.base[:, frozen].any()
    assert np.hypot(*state.base)[state.sliding == 30].max() > 1


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("sliding_raster", -3.0, r"SLIDING_RASTER is -3 km MPa⁻³ a⁻¹ at x 400550, y 5149650 .*1 c"),
        ("rate_factor_raster", 0.0, r"RATE_FACTOR_RASTER is 0 MPa⁻³ a⁻¹ at x 400550, y 5149650"),
    ],
)
def test_a_coefficient_that_cannot_be_is_refused_with_its_place(
    name: str,
    value: float,
    words: str,
    short_valley: Inputs,
    write_tif: Callable[..., Path],
    listener: Listener,
) -> None:
    values = np.full((ROWS, COLUMNS), 10.0, "f4")
    values[3, 5] = value
    raster = {"path": str(write_tif("bad.tif", values, UPRIGHT))}
    with pytest.raises(EngineError, match=words):
        run_job(RunInstructor(**short_valley, **QUICK, **{name: raster}), listener)


def test_a_coefficient_that_covers_another_place_is_refused(
    short_valley: Inputs, write_tif: Callable[..., Path], listener: Listener
) -> None:
    values = np.full((ROWS, COLUMNS), 10.0, "f4")
    values[:26] = np.nan
    raster = {"path": str(write_tif("part.tif", values, UPRIGHT))}
    with pytest.raises(EngineError, match=r"SLIDING_RASTER has no data in 6\d\.\d% of the ice"):
        run_job(RunInstructor(**short_valley, **QUICK, sliding_raster=raster), listener)


def test_an_area_of_few_cells_is_refused(short_valley: Inputs, listener: Listener) -> None:
    with pytest.raises(EngineError, match=r"The area is 2 × 2 cells of 3000 m"):
        run_job(RunInstructor(**short_valley, **QUICK | {"resolution": 3000}), listener)


def test_a_topography_smaller_than_a_patch_is_reported(
    short_valley: Inputs, tmp_path: Path, listener: Listener
) -> None:
    coarse = QUICK | {"resolution": 200, "end": 2000.1, "instructor": "SIA"}
    run_job(RunInstructor(**short_valley, **coarse, snapshots=tmp_path / "s.nc"), listener)
    assert any("17 × 18 cells of 200 m, smaller than the patches" in w for w in listener.warnings)


def test_an_instructor_that_does_not_converge_is_named_with_residual_place_and_year(
    short_valley: Inputs, tmp_path: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newton, "MOST_STEPS", 1)
    job = RunInstructor(**short_valley, **QUICK, snapshots=tmp_path / "states.nc")
    expected = (
        r"Year 2000: Blatter-Pattyn did not converge: after 1 steps.* by 0\.\d+ of the driving "
        r"stress, most at x 40\d+, y 51\d+ \(WGS 84 / UTM zone 32N\), and 0\.0001 was asked for"
    )
    with pytest.raises(EngineError, match=expected):
        run_job(job, listener)
    assert not list(tmp_path.glob("*states*"))


def test_futures_are_runs_of_the_snapshots(
    short_valley: Inputs,
    table: Callable[[str], dict[str, str]],
    tmp_path: Path,
    listener: Listener,
) -> None:
    futures = table("name,ela_offset\ncool,-200\nwarm,200\n")
    states = tmp_path / "states.nc"
    quick = QUICK | {"instructor": "SIA", "save_interval": 2}
    run_job(RunInstructor(**short_valley, **quick, scenarios=futures, snapshots=states), listener)
    with open_snapshots(states) as file:
        found = [(state.run, state.year, state.thickness.sum()) for state in file]
    assert [entry[:2] for entry in found] == [
        ("cool", 2000),
        ("warm", 2000),
        ("cool", 2002),
        ("warm", 2002),
    ]
    assert found[2][2] > found[3][2]


def test_a_run_resumes_from_its_netcdf_with_the_snapshots_of_before(
    short_valley: Inputs, tmp_path: Path, listener: Listener
) -> None:
    quick = {key: value for key, value in QUICK.items() if key != "end"} | {"instructor": "SIA"}
    whole, part, more = (tmp_path / f"{name}.nc" for name in ("whole", "part", "more"))
    run_job(RunInstructor(**short_valley, **quick, end=2002, snapshots=whole), listener)
    run_job(RunInstructor(**short_valley, **quick, end=2001, netcdf=part), listener)
    rest = {key: value for key, value in quick.items() if key != "start"}
    run_job(RunInstructor(resume=part, **rest, end=2002, snapshots=more), listener)
    with open_snapshots(whole) as one, open_snapshots(more) as other:
        assert len(one) == len(other) == 3
        for first, second in zip(one, other, strict=True):
            for name, field in first.fields.items():
                np.testing.assert_array_equal(field, second.fields[name])


def test_the_report_names_the_instructor(
    short_valley: Inputs, tmp_path: Path, listener: Listener
) -> None:
    quick = QUICK | {"end": 2000.1, "instructor": "hybrid SIA + SSA"}
    run_job(RunInstructor(**short_valley, **quick, report=tmp_path / "run.html"), listener)
    page = (tmp_path / "run.html").read_text()
    assert "<h2>Instructor</h2>" in page
    assert "hybrid SIA + SSA" in page
    assert "Emulator" not in page


@pytest.mark.parametrize(
    "options", [{"modes": 1}, {"modes": 9}, {"tolerance": 0.0}, {"instructor": "Stokes"}]
)
def test_impossible_options_are_refused(options: dict[str, object], short_valley: Inputs) -> None:
    with pytest.raises(ValidationError, match=next(iter(options))):
        RunInstructor(**short_valley, **QUICK | options)
