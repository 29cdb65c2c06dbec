"""Rasters and outlines in any orientation and reference system come to lie in their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS, Transformer

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.iceflow.ground.topography import Topography, polygon_mask
from glacier_qgis.models.raster.grid import Grid
from kit.iceflow.landscape import CELL, INNER, NORTH, SHAPE, UPRIGHT, WEST, cell_centres, mountain


@pytest.mark.parametrize(
    ("transform", "shape"),
    [
        (UPRIGHT, SHAPE),
        (Affine(CELL, 0, WEST, 0, CELL, NORTH - 6000), SHAPE),
        (Affine(0, -CELL, WEST + 5000, CELL, 0, NORTH - 6000), SHAPE[::-1]),
        (Affine(-CELL, 0, WEST + 5000, 0, CELL, NORTH - 6000), SHAPE),
        (Affine(-CELL, 0, WEST + 5000, 0, -CELL, NORTH), SHAPE),
        (Affine(0, CELL, WEST, -CELL, 0, NORTH), SHAPE[::-1]),
        (Affine(0, CELL, WEST, CELL, 0, NORTH - 6000), SHAPE[::-1]),
        (Affine(0, -CELL, WEST + 5000, -CELL, 0, NORTH), SHAPE[::-1]),
        (Affine(CELL / 2, 0, WEST, 0, -CELL / 4, NORTH), (240, 100)),
    ],
    ids=[
        "north-up",
        "south-up",
        "turned by 90°",
        "turned by 180°",
        "mirrored",
        "turned by 270°",
        "transposed",
        "transposed the other way",
        "flat cells",
    ],
)
def test_the_orientation_of_the_file_does_not_matter(
    read: Callable[..., Topography],
    write_tif: Callable[..., Path],
    transform: Affine,
    shape: tuple[int, int],
) -> None:
    dem = write_tif("dem.tif", mountain(*cell_centres(transform, shape)), transform)
    topography = read(bed=dem)
    assert topography.grid == Grid(CRS("EPSG:32632"), UPRIGHT, *SHAPE)
    expected = mountain(*cell_centres(UPRIGHT, SHAPE))
    np.testing.assert_allclose(topography.bed[INNER], expected[INNER], rtol=0, atol=0.1)
    np.testing.assert_allclose(topography.bed, expected, rtol=0, atol=4)


def test_a_raster_turned_by_some_angle_is_put_upright(
    read: Callable[..., Topography], write_tif: Callable[..., Path]
) -> None:
    size = (90, 90)
    turned = (
        Affine.translation(WEST + 2500, NORTH - 3000)
        @ Affine.rotation(33)
        @ Affine.scale(CELL, -CELL)
        @ Affine.translation(-45, -45)
    )
    dem = write_tif("dem.tif", mountain(*cell_centres(turned, size)), turned)
    topography = read(bed=dem)
    grid = topography.grid
    expected = mountain(*np.meshgrid(grid.x, grid.y))
    np.testing.assert_allclose(topography.bed[INNER], expected[INNER], rtol=0, atol=3)
    assert grid.width * grid.height > 0.45 * 90**2


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2056", "EPSG:3857"])
def test_any_crs_comes_out_metric_with_the_mountain_in_its_place(
    read: Callable[..., Topography], write_tif: Callable[..., Path], crs: str
) -> None:
    to_crs = Transformer.from_crs("EPSG:32632", crs, always_xy=True)
    left, bottom, right, top = to_crs.transform_bounds(WEST, NORTH - 6000, WEST + 5000, NORTH)
    transform = Affine((right - left) / 400, 0, left, 0, -(top - bottom) / 480, top)
    back = Transformer.from_crs(crs, "EPSG:32632", always_xy=True)
    values = mountain(*back.transform(*cell_centres(transform, (480, 400))))
    topography = read(bed=write_tif("dem.tif", values, transform, crs), unit="metres")
    grid = topography.grid
    assert grid.crs.axis_info[0].unit_name == "metre"
    assert grid.cell_size == CELL
    assert grid.height >= 55
    assert grid.width >= 45
    place = Transformer.from_crs(grid.crs, "EPSG:32632", always_xy=True)
    expected = mountain(*place.transform(*np.meshgrid(grid.x, grid.y)))
    np.testing.assert_allclose(topography.bed[INNER], expected[INNER], rtol=0, atol=5)


@pytest.mark.parametrize(
    ("values", "transform", "crs", "message"),
    [
        (np.full((1, 1), 2000, "f4"), UPRIGHT, "EPSG:32632", "only 1 × 1 cells.*larger"),
        (np.full(SHAPE, 2000, "f4"), UPRIGHT, None, "no coordinate reference system.*Assign"),
        (
            np.full(SHAPE, 2000, "f4"),
            UPRIGHT,
            "EPSG:4326",
            "outside the area where its CRS 'WGS 84' is defined",
        ),
        (np.full(SHAPE, 2000, "f4"), Affine.identity(), "EPSG:32632", "no georeference"),
    ],
    ids=["one pixel", "no CRS", "metres as degrees", "no georeference"],
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_raster_that_cannot_be_placed_is_refused_with_the_remedy(
    read: Callable[..., Topography],
    write_tif: Callable[..., Path],
    values: np.ndarray,
    transform: Affine,
    crs: str | None,
    message: str,
) -> None:
    with pytest.raises(EngineError, match=message):
        read(bed=write_tif("dem.tif", values, transform, crs), unit="metres")


def test_rasters_that_do_not_overlap_are_refused(
    read: Callable[..., Topography], write_tif: Callable[..., Path]
) -> None:
    bed = write_tif("bed.tif", np.full(SHAPE, 2000, "f4"), UPRIGHT)
    away = UPRIGHT @ Affine.translation(0, 5000)
    ice = write_tif("ice.tif", np.full(SHAPE, 50, "f4"), away)
    with pytest.raises(EngineError, match="no data in the area of the simulation"):
        read(bed=bed, thickness=ice)
    surface = write_tif("surface.tif", np.full(SHAPE, 2100, "f4"), away)
    with pytest.raises(EngineError, match="SURFACE has no data in 3000 cells"):
        read(bed=bed, surface=surface)


def test_an_outline_in_another_crs_becomes_the_cells_inside_it(tmp_path: Path) -> None:
    grid = Grid(CRS("EPSG:32632"), UPRIGHT, *SHAPE)
    box = shapely.box(WEST + 1000, NORTH - 3000, WEST + 2500, NORTH - 1000)
    frame = geopandas.GeoDataFrame(geometry=[box], crs="EPSG:32632")
    path = tmp_path / "outline.gpkg"
    frame.to_crs("EPSG:4326").to_file(path)
    mask = polygon_mask(VectorInput(path=str(path)), grid, "ICE_MASK")
    expected = np.zeros(SHAPE, bool)
    expected[10:30, 10:25] = True
    np.testing.assert_array_equal(mask, expected)
    elsewhere = frame.translate(xoff=50_000)
    elsewhere.to_file(tmp_path / "elsewhere.gpkg")
    with pytest.raises(EngineError, match="ICE_MASK"):
        polygon_mask(VectorInput(path=str(tmp_path / "elsewhere.gpkg")), grid, "ICE_MASK")
