"""Outlines of scenes over the date line and around a pole, where longitudes begin again."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS
from shapely import LineString, Point

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.raster.crs import transformer
from glacier_qgis.models.raster.footprint import Footprint
from glacier_qgis.models.review.jobs.prepare import PrepareReview
from glacier_qgis.models.review.jobs.record import RecordCorrections
from glacier_qgis.models.review.queue.outlines import outline, show_one_place, turn_of
from glacier_qgis.models.review.tables.store import read_table
from glacier_qgis.wall.review import ACCEPTED, TASKS
from kit.engine.jobs import run_listened
from kit.engine.rasters import write_raster
from kit.review.person import finish

DEGREES, WEB = CRS.from_epsg(4326), CRS.from_epsg(3857)
CELL, SIZE = 200.0, 24


def place_of(longitude: float, latitude: float, code: int) -> Affine:
    """Return the transform of a scene around a place."""
    x, y = transformer(DEGREES, CRS.from_epsg(code)).transform(longitude, latitude)
    return Affine(CELL, 0, x - CELL * SIZE / 2, 0, -CELL, y + CELL * SIZE / 2)


def footprint(longitude: float, latitude: float, code: int) -> Footprint:
    at = place_of(longitude, latitude, code)
    return Footprint(CRS.from_epsg(code), at, SIZE, SIZE, "SCENES", "scene.tif")


@pytest.mark.parametrize(("lines", "turn"), [(DEGREES, 360.0), (WEB, 40_075_016.7)])
@pytest.mark.parametrize("code", [32601, 32660, 3413])
@pytest.mark.parametrize("longitude", [179.99, 180.0, -179.99])
def test_over_the_date_line_an_outline_is_whole(
    lines: CRS, turn: float, code: int, longitude: float
) -> None:
    shape = outline(footprint(longitude, 71.0, code), lines)
    assert shape.is_valid
    west, _, east, _ = shape.bounds
    assert east - west < turn / 1000
    assert abs(west + east) / 2 <= turn / 2 * 1.000001
    back = gpd.GeoSeries([shape], crs=lines).to_crs(code).iloc[0]
    assert back.area == pytest.approx((SIZE * CELL) ** 2, rel=0.001)


@pytest.mark.parametrize("lines", [DEGREES, WEB])
def test_scenes_on_both_sides_of_the_date_line_show_one_place(lines: CRS) -> None:
    east, west = (outline(footprint(at, 71.0, 32601), lines) for at in (179.99, -179.99))
    elsewhere, turn = outline(footprint(179.5, 71.0, 32601), lines), turn_of(lines)
    assert show_one_place(east, west, turn)
    assert not show_one_place(east, elsewhere, turn)
    assert not show_one_place(west, elsewhere, turn)


@pytest.mark.parametrize(("code", "latitude"), [(3413, 90.0), (3031, -90.0)])
def test_an_outline_around_a_pole_reaches_it(code: int, latitude: float) -> None:
    shape = outline(footprint(0.0, latitude, code), DEGREES)
    assert shape.is_valid
    for longitude in (-170, -45, 0, 123):
        assert shape.covers(Point(longitude, latitude))
        assert shape.covers(Point(longitude, latitude * 0.9999))
        assert not shape.covers(Point(longitude, latitude * 0.999))
    assert show_one_place(shape, outline(footprint(30.0, latitude * 0.9999, code), DEGREES), 360.0)


def test_an_outline_around_a_pole_is_valid_in_mercator_too() -> None:
    """There the pole is infinitely far away, and the strip ends beyond the scene."""
    assert outline(footprint(0.0, 90.0, 3413), WEB).is_valid


def test_a_scene_that_leaves_the_earth_is_refused() -> None:
    seen_from_space = CRS.from_proj4("+proj=geos +h=35785831 +lon_0=0 +sweep=y")
    at = Affine(400_000, 0, -4_800_000, 0, -400_000, 4_800_000)
    disc = Footprint(seen_from_space, at, SIZE, SIZE, "SCENES", "disc.tif")
    with pytest.raises(EngineError, match="a part of it lies where the CRS of the lines is not"):
        outline(disc, DEGREES)


@pytest.mark.parametrize(
    ("code", "turn"),
    [(4326, 360.0), (4902, 400.0), (3832, 40_075_016.7), (3413, None), (32624, None)],
)
def test_around_the_earth_some_coordinates_begin_again(code: int, turn: float | None) -> None:
    assert turn_of(CRS.from_epsg(code)) == (turn and pytest.approx(turn))


@pytest.mark.parametrize(
    ("place", "code", "front"),
    [
        ((180.0, 71.0), 32601, [(179.97, 71.0), (179.99, 71.005)]),
        ((180.0, 71.0), 32601, [(-179.99, 71.0), (-179.97, 71.005)]),
        ((0.0, 90.0), 3413, [(0.0, 89.99), (40.0, 89.99)]),
    ],
)
def test_a_review_there_is_prepared_and_recorded(
    tmp_path: Path, place: tuple[float, float], code: int, front: list[tuple[float, float]]
) -> None:
    values = np.random.default_rng(1).gamma(2, size=(SIZE, SIZE)).astype("float32")
    names = [f"G_2020010{day}_S1A" for day in (1, 2)]
    scenes = [tmp_path / f"{name}.tif" for name in names]
    for scene in scenes:
        write_raster(scene, values, place_of(*place, code), crs=f"EPSG:{code}")
    lines = {"image_id": names[:1], "glacier": ["Ross"], "model": ["m 1"], "model_hash": ["0123"]}
    path, review = tmp_path / "lines.gpkg", tmp_path / "review.gpkg"
    gpd.GeoDataFrame(lines, geometry=[LineString(front)], crs=DEGREES).to_file(path)
    given = {"input": {"path": str(path)}, "scenes": [{"path": str(each)} for each in scenes]}
    run_listened(PrepareReview.model_validate({**given, "audit_share": 0, "output": review}))
    tasks = read_table(review, TASKS)
    assert set(tasks.glacier) == {"Ross"}, "both scenes show one place"
    assert shapely.is_valid(tasks.geometry.to_numpy()).all()
    finish(review, int(tasks.task[tasks.image_id == names[0]].iloc[0]), ACCEPTED)
    result, _ = run_listened(RecordCorrections(review=review, output=None, report=None))
    assert (result["RECORDED"], result["LEFT_OUT"]) == (1, 0)
