"""Bed, surface and thickness: what makes a glacier, and what cannot be one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from affine import Affine

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.iceflow.ground.topography import (
    Topography,
    TopographyInputs,
    read_topography,
)
from kit.engine.listener import Listener
from kit.iceflow.landscape import CELL, NORTH, SHAPE, UPRIGHT, WEST, cell_centres, mountain


def test_any_two_of_bed_surface_and_thickness_make_the_same_glacier(
    read: Callable[..., Topography], write_tif: Callable[..., Path]
) -> None:
    bed = mountain(*cell_centres(UPRIGHT, SHAPE))
    ice = np.zeros(SHAPE, "f4")
    ice[20:40, 10:30] = 150.0
    files = {
        "bed": write_tif("bed.tif", bed, UPRIGHT),
        "surface": write_tif("surface.tif", bed + ice, UPRIGHT),
        "thickness": write_tif("thickness.tif", ice, UPRIGHT),
    }
    for left_out in files:
        topography = read(**{name: path for name, path in files.items() if name != left_out})
        np.testing.assert_allclose(topography.bed, bed, atol=1e-3)
        np.testing.assert_allclose(topography.thickness, ice, atol=1e-3)
        np.testing.assert_allclose(topography.surface, bed + ice, atol=1e-3)


def test_thickness_without_data_is_no_ice_and_a_smaller_raster_is_placed(
    read: Callable[..., Topography], write_tif: Callable[..., Path]
) -> None:
    bed = write_tif("bed.tif", np.full(SHAPE, 2000, "f4"), UPRIGHT)
    ice = np.full((10, 8), 90, "f4")
    ice[3, 4] = -9999
    shifted = Affine(CELL, 0, WEST + 12 * CELL, 0, -CELL, NORTH - 20 * CELL)
    thickness = write_tif("ice.tif", ice, shifted, nodata=-9999)
    found = read(bed=bed, thickness=thickness).thickness
    expected = np.zeros(SHAPE, "f4")
    expected[20:30, 12:20] = 90
    expected[23, 16] = 0
    np.testing.assert_array_equal(found, expected)


def test_a_surface_alone_is_ground_and_that_is_a_warning(
    read: Callable[..., Topography], write_tif: Callable[..., Path], listener: Listener
) -> None:
    surface = write_tif("dem.tif", np.full(SHAPE, 2000, "f4"), UPRIGHT)
    assert not read(surface=surface).thickness.any()
    (warning,) = listener.warnings
    assert "starts without ice" in warning
    assert "give INITIAL_THICKNESS as well: a raster of published ice thickness" in warning


def test_a_uniform_thickness_stands_on_a_bed_and_comes_off_a_surface(
    write_tif: Callable[..., Path], tmp_path: Path, listener: Listener
) -> None:
    ground = mountain(*cell_centres(UPRIGHT, SHAPE))
    dem = RasterInput(path=str(write_tif("dem.tif", ground, UPRIGHT)))
    box = shapely.box(WEST + 1000, NORTH - 3000, WEST + 2500, NORTH - 1000)
    outline = tmp_path / "outline.gpkg"
    geopandas.GeoDataFrame(geometry=[box], crs="EPSG:32632").to_file(outline)
    ice = np.zeros(SHAPE, "f4")
    ice[10:30, 10:25] = 120
    asked = TopographyInputs(
        uniform=120.0, ice_mask=VectorInput(path=str(outline)), resolution=CELL
    )
    on_bed = read_topography(replace(asked, bed=dem), listener)
    np.testing.assert_allclose(on_bed.thickness, ice)
    np.testing.assert_allclose(on_bed.surface, ground + ice, atol=1e-3)
    under = read_topography(replace(asked, surface=dem), listener)
    np.testing.assert_allclose(under.thickness, ice)
    np.testing.assert_allclose(under.surface, ground, atol=1e-3)
    thin = TopographyInputs(bed=dem, uniform=30.0, resolution=CELL)
    everywhere = read_topography(thin, listener)
    assert (everywhere.thickness == 30).all()
    assert not listener.warnings
    with pytest.raises(EngineError, match=r"UNIFORM_THICKNESS \(30 m\).*Leave it blank"):
        read_topography(replace(thin, surface=dem), listener)


def test_what_interpolation_leaves_below_zero_is_no_ice(
    read: Callable[..., Topography], write_tif: Callable[..., Path]
) -> None:
    bed = write_tif("bed.tif", np.full(SHAPE, 2000, "f4"), UPRIGHT)
    ice = write_tif("ice.tif", np.full(SHAPE, -1e-6, "f4"), UPRIGHT)
    assert (read(bed=bed, thickness=ice).thickness == 0).all()


def test_on_steep_ground_bed_and_surface_may_differ_by_where_their_cells_lie(
    read: Callable[..., Topography], write_tif: Callable[..., Path]
) -> None:
    x, _ = cell_centres(UPRIGHT, SHAPE)
    bed = write_tif("bed.tif", (2500 + (x - WEST)).astype("f4"), UPRIGHT)
    beside = Affine.translation(-4.0, 0) @ UPRIGHT
    surface = write_tif("surface.tif", (2500 + (x - WEST)).astype("f4"), beside)
    lower = write_tif("lower.tif", (2460 + (x - WEST)).astype("f4"), UPRIGHT)
    shifted = read(bed=surface, surface=bed)
    assert shifted.thickness.max() <= 5
    with pytest.raises(EngineError, match=r"BED is above SURFACE"):
        read(bed=bed, surface=lower)


def test_a_map_that_is_larger_than_the_ground_is_reported(
    read: Callable[..., Topography], write_tif: Callable[..., Path], listener: Listener
) -> None:
    flat = np.full(SHAPE, 2000, "f4")
    read(bed=write_tif("utm.tif", flat, UPRIGHT))
    assert not listener.warnings
    west, north = 500_000, -3_200_000
    transform = Affine(CELL, 0, west, 0, -CELL, north)
    read(bed=write_tif("polar.tif", flat, transform, "EPSG:3413"))
    (warning,) = listener.warnings
    assert "areas are 7.3% too large here and lengths 3.6%" in warning


def holed(value: float) -> np.ndarray:
    values = np.full(SHAPE, 2000, "f4")
    values[30, 20] = value
    return values


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -9999.0])
def test_holes_in_the_elevation_are_refused(
    read: Callable[..., Topography], write_tif: Callable[..., Path], value: float
) -> None:
    dem = write_tif("dem.tif", holed(value), UPRIGHT, nodata=-9999)
    with pytest.raises(EngineError, match=r"BED has no data in 1 cells.*Fill no data"):
        read(bed=dem)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (holed(-32768), "no data in 1 cells.*fill values"),
        (holed(-9999), "no data in 1 cells.*fill values"),
        (holed(-9990), "outside the range on Earth.*declare it as no data"),
        (np.full(SHAPE, 12_000, "f4"), "set VERTICAL_UNIT"),
        (np.full(SHAPE, np.nan, "f4"), "BED has no data in this area"),
    ],
)
def test_elevations_that_cannot_be_are_refused(
    read: Callable[..., Topography],
    write_tif: Callable[..., Path],
    values: np.ndarray,
    message: str,
) -> None:
    with pytest.raises(EngineError, match=message):
        read(bed=write_tif("dem.tif", values, UPRIGHT))


@pytest.mark.parametrize(
    ("thickness", "message"),
    [
        (np.where(holed(-3) < 0, holed(-3), 0), "negative thickness.*-3 m"),
        (np.full(SHAPE, 9000, "f4"), "9000 m, more than any ice"),
        (np.full(SHAPE, np.nan, "f4"), "INITIAL_THICKNESS: .* no data in the area"),
    ],
)
def test_thickness_that_cannot_be_is_refused(
    read: Callable[..., Topography],
    write_tif: Callable[..., Path],
    thickness: np.ndarray,
    message: str,
) -> None:
    bed = write_tif("bed.tif", np.full(SHAPE, 2000, "f4"), UPRIGHT)
    with pytest.raises(EngineError, match=message):
        read(bed=bed, thickness=write_tif("ice.tif", thickness, UPRIGHT))


def test_a_bed_above_the_surface_is_refused(
    read: Callable[..., Topography], write_tif: Callable[..., Path]
) -> None:
    bed = write_tif("bed.tif", holed(2100), UPRIGHT)
    surface = write_tif("surface.tif", np.full(SHAPE, 2050, "f4"), UPRIGHT)
    with pytest.raises(EngineError, match=r"above SURFACE in 1 cells, by up to 50\.0 m"):
        read(bed=bed, surface=surface)


def test_nothing_and_everything_are_refused(
    read: Callable[..., Topography], write_tif: Callable[..., Path]
) -> None:
    with pytest.raises(EngineError, match="BED and SURFACE are missing"):
        read()
    dem = write_tif("dem.tif", np.full(SHAPE, 2000, "f4"), UPRIGHT)
    with pytest.raises(EngineError, match="two determine the third"):
        read(dem, dem, dem)
