"""The one door for coordinate reference systems: with heights or without, the place is the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from affine import Affine
from pyproj import CRS
from shapely import LineString, Point

import glacier_qgis.models
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.raster.crs import (
    horizontal,
    in_degrees,
    in_metres,
    read_crs,
    transformer,
    unrotated,
)
from glacier_qgis.models.raster.footprint import work_grid
from glacier_qgis.models.raster.metric import transform_bounds
from glacier_qgis.models.raster.source import open_raster, read_band
from glacier_qgis.models.vector.local_crs import local_crs
from glacier_qgis.models.vector.source import read_layer
from kit.engine.rasters import write_raster

TALL = {
    "EPSG:4979": 4326,
    "EPSG:9518": 4326,
    "EPSG:4326+5773": 4326,
    "EPSG:4269+5703": 4269,
    "EPSG:4326+6360": 4326,
    "EPSG:32633+5773": 32633,
    "EPSG:7415": 28992,
}
DOOR = "raster/crs.py"


@pytest.mark.parametrize("code", TALL)
def test_of_a_crs_with_heights_the_horizontal_part_is_worked_in(code: str) -> None:
    flat = CRS.from_epsg(TALL[code])
    assert horizontal(read_crs(code, "SURFACE")) == flat
    assert horizontal(flat) == flat
    bound = "+proj=utm +zone=33 +ellps=bessel +towgs84=1,2,3 +units=m +vunits=m"
    assert len(horizontal(read_crs(bound, "SURFACE")).axis_info) == 2


@pytest.mark.parametrize(
    ("code", "metres", "degrees"),
    [
        ("EPSG:32632", True, False),
        ("EPSG:7415", True, False),  # with heights
        ("EPSG:2225", False, False),  # US survey feet
        ("EPSG:4326", False, True),
        ("EPSG:4807", False, False),  # grads
    ],
)
@pytest.mark.parametrize("spelling", [str, str.title, str.upper])
def test_units_are_known_by_their_size_not_by_their_name(
    code: str, metres: bool, degrees: bool, spelling: Callable[[str], str]
) -> None:
    crs = CRS(code)
    name = crs.axis_info[0].unit_name
    renamed = CRS.from_wkt(crs.to_wkt().replace(f'"{name}"', f'"{spelling(name)}"'))
    assert (in_metres(renamed), in_degrees(renamed)) == (metres, degrees)


@pytest.mark.parametrize("code", TALL)
def test_points_and_boxes_move_as_they_do_without_heights(code: str) -> None:
    tall, flat, utm = CRS(code), CRS(TALL[code]), CRS(32633)
    point = transformer(CRS(4326), flat).transform(12.0, 52.0)
    there = transformer(tall, utm).transform(*point)
    np.testing.assert_allclose(there, transformer(flat, utm).transform(*point))
    box = (point[0], point[1], point[0] + 1e-2, point[1] + 1e-2)
    np.testing.assert_allclose(transform_bounds(box, tall, utm), transform_bounds(box, flat, utm))
    np.testing.assert_allclose(transform_bounds(box, utm, tall), transform_bounds(box, utm, flat))


@pytest.mark.parametrize("code", TALL)
def test_a_layer_with_heights_lies_where_it_does_without(tmp_path: Path, code: str) -> None:
    place = Point(transformer(CRS(4326), CRS(TALL[code])).transform(12.0, 52.0))
    line = LineString([(place.x, place.y, 10.0), (place.x + 1e-3, place.y, 20.0)])
    path = tmp_path / "lines.gpkg"
    gpd.GeoDataFrame(geometry=[line], crs=TALL[code]).to_file(path)
    layer = read_layer(VectorInput(path=str(path), crs=CRS(code).to_wkt()), "TERMINI")
    assert layer.crs == layer.frame.crs == CRS(TALL[code])
    assert np.isfinite(layer.frame.to_crs(32633).total_bounds).all()
    assert local_crs(layer, layer.crs).is_projected


@pytest.mark.parametrize(("text", "said"), [("", "is blank"), ("EPSG:0", "is not valid")])
def test_what_is_no_crs_is_named_with_its_parameter(text: str, said: str) -> None:
    with pytest.raises(EngineError, match=f"EXTENT: its coordinate reference system {said}"):
        read_crs(text, "EXTENT")


def test_systems_and_transformers_are_made_at_one_door() -> None:
    root = Path(str(glacier_qgis.models.__file__)).parent
    others = [
        f"{path.relative_to(root)}: {word}"
        for path in root.rglob("*.py")
        if not path.as_posix().endswith(DOOR)
        for word in ("Transformer.from_", "from_user_input(", "CRS(", "pyproj.transform")
        if word in path.read_text(encoding="utf-8").replace("read_crs(", "").replace("_CRS(", "")
    ]
    assert others == []


ROTATED = "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=6.55 +lon_0=180 +R=6371229 +type=crs"


def test_longitudes_of_rotated_poles_are_distinguished_from_those_of_the_earth() -> None:
    crs = CRS.from_user_input(CRS.from_user_input(ROTATED).to_wkt())
    x, y = transformer(CRS.from_epsg(4326), crs).transform(-45, 68)
    assert abs(y - 68) > 10
    degrees = unrotated(crs)
    assert degrees is not None
    assert transformer(crs, degrees).transform(x, y) == pytest.approx((-45, 68), abs=1e-6)
    for code in (4326, 32623, 4979):
        plain = CRS.from_epsg(code)
        assert unrotated(plain) == plain.geodetic_crs


def test_a_raster_about_a_rotated_pole_is_worked_on_where_it_lies(tmp_path: Path) -> None:
    crs = CRS.from_user_input(ROTATED)
    x, y = transformer(CRS.from_epsg(4326), crs).transform(-45, 68)
    path = tmp_path / "racmo.tif"
    write_raster(
        path,
        np.full((1, 40, 40), 1000, "float32"),
        Affine(0.02, 0, x - 0.4, 0, -0.02, y + 0.4),
        crs=None,
    )
    with open_raster(RasterInput(path=str(path), crs=crs.to_wkt())) as scene:
        grid = work_grid(scene)
        middle = read_band(scene, grid)[grid.height // 2, grid.width // 2]
    assert grid.crs.to_epsg() == 32623
    assert middle == 1000
