"""`glacierthickness` with inputs that are wrong: what is refused, and what is left out and said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Point, Polygon, box

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.inversion.reading import glacier as reading
from glacier_qgis.models.iceflow.jobs import thickness
from glacier_qgis.models.iceflow.jobs.thickness import GlacierThickness
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.iceflow.small_valley import UPRIGHT, tongue, valley

ROWS, COLUMNS = 48, 40
CRS = "EPSG:32632"
WEST, NORTH, CELL = UPRIGHT.c, UPRIGHT.f, UPRIGHT.a
Write = Callable[..., Path]


class ReadError(Exception):
    """All inputs were read; the inversion, which takes long, is left out."""


@pytest.fixture(autouse=True)
def read_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*given: object) -> None:
        raise ReadError

    monkeypatch.setattr(thickness, "invert", stop)


def ice() -> np.ndarray:
    return tongue(ROWS, COLUMNS)


def place(row: float, column: float) -> tuple[float, float]:
    return WEST + CELL * column, NORTH - CELL * row


def layer(path: Path, shapes: list[object], **fields: object) -> dict[str, str]:
    gpd.GeoDataFrame(fields, geometry=shapes, crs=CRS).to_file(path)
    return {"path": str(path)}


def outline(path: Path, *shapes: Polygon) -> dict[str, str]:
    around = Polygon([place(*one) for one in ((12, 20), (25, 12), (40, 20), (25, 28))])
    return layer(path, list(shapes) or [around])


@pytest.fixture
def given(write_tif: Write, tmp_path: Path) -> dict[str, object]:
    surface = write_tif("surface.tif", valley(ROWS, COLUMNS) + ice(), UPRIGHT)
    return {
        "surface": {"path": str(surface)},
        "outline": outline(tmp_path / "outline.gpkg"),
        "emulator": "SIA",
        "ensemble": 0,
        "thickness": tmp_path / "thickness.tif",
    }


def told(given: dict[str, object], **more: object) -> list[str]:
    """Return the warnings of a job whose inputs can be used."""
    listener = Listener()
    with pytest.raises(ReadError):
        run_job(GlacierThickness.model_validate(given | more), listener)
    assert not Path(str(given["thickness"])).exists()
    return listener.warnings


def refused(given: dict[str, object], **more: object) -> str:
    with pytest.raises(EngineError) as caught:
        run_job(GlacierThickness.model_validate(given | more), Listener())
    return str(caught.value)


def tif(write: Write, name: str, values: np.ndarray) -> dict[str, str]:
    return {"path": str(write(f"{name}.tif", values.astype("f4"), UPRIGHT))}


def speed() -> np.ndarray:
    """Of the ice, m a⁻¹, and a little of the ground around, as it is measured."""
    noise = np.random.default_rng(1).uniform(0, 1, (ROWS, COLUMNS))
    return 60 * ice() / ice().max() + noise


def test_without_observations_it_says_how_wide_the_result_is(given: dict[str, object]) -> None:
    warnings = told(given)
    assert any("errors of a third of the thickness" in line for line in warnings)
    assert any("No mass balance is given: ELA is set to" in line for line in warnings)


def test_polygons_that_overlap_are_merged(given: dict[str, object], tmp_path: Path) -> None:
    one, other = (box(*place(40, left), *place(12, left + 8)).buffer(0) for left in (14, 18))
    (line,) = (
        line
        for line in told(given, outline=outline(tmp_path / "two.gpkg", one, other))
        if "overlap" in line
    )
    assert "1.12 km² of 3.36 km²" in line


def test_an_outline_beyond_the_surface_is_cut_and_one_elsewhere_refused(
    given: dict[str, object], tmp_path: Path
) -> None:
    beyond = box(*place(60, 14), *place(30, 26))
    found = told(given, outline=outline(tmp_path / "beyond.gpkg", beyond))
    assert any("of its area lies outside SURFACE" in line for line in found)
    far = box(0, 0, 1000, 1000)
    words = refused(given, outline=outline(tmp_path / "far.gpkg", far))
    assert "OUTLINE lies outside SURFACE: the outline is at x 0 to 1000" in words
    dot = box(*place(21, 20), *place(20, 21))
    words = refused(given, outline=outline(tmp_path / "dot.gpkg", dot))
    assert "finer RESOLUTION" in words


def test_a_surface_without_slope_or_data_is_refused(
    given: dict[str, object], write_tif: Write
) -> None:
    flat = tif(write_tif, "flat", np.full((ROWS, COLUMNS), 2000.0))
    assert "SURFACE has no slope in 100.0% of the ice" in refused(given, surface=flat)
    level = valley(ROWS, COLUMNS) + ice()
    lake = np.where((level < 2960) & (ice() > 0), 2960, level)
    found = told(given, surface=tif(write_tif, "lake", lake))
    assert any("SURFACE has no slope in" in line and "surroundings" in line for line in found)
    hole = level.copy()
    hole[20:24, 18:22] = np.nan
    found = told(given, surface=tif(write_tif, "hole", hole))
    assert any("SURFACE has no data in" in line and "interpolated" in line for line in found)
    gone = np.where(ice() > 0, np.nan, level)
    assert "SURFACE has no data in" in refused(given, surface=tif(write_tif, "gone", gone))


def test_a_surface_larger_than_memory_is_refused_with_the_size_that_fits(
    given: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "free_memory", lambda: 2**20)
    words = refused(given)
    assert "GiB of memory" in words
    size = float(words.split("Choose ")[1].split(" m or more")[0])
    assert size > CELL
    monkeypatch.setattr(reading, "free_memory", lambda: 2**30)
    told(given)


def test_velocities_without_errors_with_gaps_and_outliers_are_used_and_said(
    given: dict[str, object], write_tif: Write
) -> None:
    measured = speed()
    measured[22:25, 18:21] = np.nan
    measured[30, 20] = 900.0
    found = told(given, velocity=tif(write_tif, "speed", measured))
    assert any("VELOCITY has no errors" in line and "ground without ice" in line for line in found)
    assert any("VELOCITY has no data in" in line for line in found)
    assert any("1 cells" in line and "left out" in line for line in found)
    error = tif(write_tif, "error", np.where(measured > 30, 2.0, 0.0))
    found = told(given, velocity=tif(write_tif, "speed", measured), velocity_error=error)
    assert any("VELOCITY_ERROR has no data" in line and "2 m/a is taken" in line for line in found)


def test_velocities_that_cannot_be_are_refused(given: dict[str, object], write_tif: Write) -> None:
    up = {
        "velocity_x": tif(write_tif, "x", np.zeros((ROWS, COLUMNS))),
        "velocity_y": tif(write_tif, "y", speed()),
    }
    assert "contradict each other" in refused(given, **up)
    assert "VELOCITY_Y is missing" in refused(given, velocity_x=up["velocity_x"])
    fast = tif(write_tif, "fast", 1e6 * speed())
    assert "faster than any glacier" in refused(given, velocity=fast)
    none = tif(write_tif, "none", np.full((ROWS, COLUMNS), np.nan))
    assert "no data on the ice" in refused(given, velocity=none)
    down = tif(write_tif, "down", -speed())
    assert "no data on the ice" in refused(given, velocity=down)


def points(path: Path, where: list[tuple[int, int]], values: list[float]) -> dict[str, object]:
    shapes = [Point(place(row + 0.5, column + 0.5)) for row, column in where]
    return {"thickness_points": layer(path, shapes, depth=values), "thickness_field": "depth"}


def test_thickness_points_outside_negative_and_contradictory(
    given: dict[str, object], tmp_path: Path
) -> None:
    inside = [(20, 20), (25, 20), (30, 20)]
    found = told(given, **points(tmp_path / "a.gpkg", [*inside, (5, 5)], [90, 120, 80, 10]))
    assert any("1 of 4 points lie outside OUTLINE" in line for line in found)
    found = told(given, **points(tmp_path / "b.gpkg", [*inside, (26, 20)], [90, 120, 80, -9999]))
    assert any("1 of 4 values are missing, negative" in line for line in found)
    twice = points(tmp_path / "c.gpkg", inside + inside, [90, 120, 80, 300, 20, 250])
    assert any("differ by" in line and "raised to that" in line for line in told(given, **twice))
    outside = points(tmp_path / "d.gpkg", [(5, 5), (6, 5)], [90, 120])
    assert "none of the 2 points" in refused(given, **outside)
    heights = points(tmp_path / "e.gpkg", inside, [90, 99_999, 80])
    assert "more than any ice on Earth" in refused(given, **heights)
    words = refused(given, **heights | {"thickness_field": "tiefe"})
    assert "has no field 'tiefe'" in words
    assert "depth" in words
    track = layer(tmp_path / "t.gpkg", [LineString([place(20, 20), place(30, 20)])])
    assert "vertices" in refused(given, thickness_points=track)


def test_a_first_guess_that_is_no_thickness_is_refused(
    given: dict[str, object], write_tif: Write
) -> None:
    bed = tif(write_tif, "bed", np.where(ice() > 0, 9000.0, 0.0))
    assert "not of the bed" in refused(given, first_guess=bed)
    part = np.where(ice() > 120, ice(), np.nan)
    found = told(given, first_guess=tif(write_tif, "part", part))
    assert any("FIRST_GUESS has no data in" in line for line in found)
