"""Units and vertical datums of elevations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.shutil import copy

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import Extent
from glacier_qgis.models.iceflow.ground.topography import Topography
from kit.engine.listener import Listener
from kit.iceflow.landscape import CELL, NORTH, SHAPE, UPRIGHT, WEST

FOOT = 0.3048


@pytest.mark.parametrize(
    ("tag", "choice", "factor"),
    [
        ("ft", "from the raster", FOOT),
        ("US survey foot", "from the raster", 1200 / 3937),
        ("m", "from the raster", 1.0),
        (None, "from the raster", 1.0),
        (None, "feet", FOOT),
        ("ft", "metres", FOOT),
        ("furlong", "metres", 1.0),
    ],
)
def test_heights_are_converted_only_where_something_says_so(
    read: Callable[..., Topography],
    write_tif: Callable[..., Path],
    tag: str | None,
    choice: str,
    factor: float,
) -> None:
    dem = write_tif("dem.tif", np.full(SHAPE, 3000, "f4"), UPRIGHT, unit=tag)
    np.testing.assert_allclose(read(bed=dem, unit=choice).bed, 3000 * factor, rtol=1e-6)


def test_a_dem_in_feet_that_states_no_vertical_unit_is_asked_about(
    read: Callable[..., Topography], write_tif: Callable[..., Path]
) -> None:
    transform = Affine(300, 0, 1_300_000, 0, -300, 250_000)
    dem = write_tif("dem.tif", np.full(SHAPE, 3000, "f4"), transform, "EPSG:2926")
    with pytest.raises(EngineError, match="Choose the unit with VERTICAL_UNIT"):
        read(bed=dem)
    inner = read(bed=dem, unit="feet").bed[10:20, 10:20]
    np.testing.assert_allclose(inner, 3000 * FOOT, rtol=1e-5)


def test_a_dem_in_degrees_as_the_global_ones_is_taken_as_metres(
    read: Callable[..., Topography], write_tif: Callable[..., Path]
) -> None:
    transform = Affine(0.001, 0, 8.0, 0, -0.001, 46.5)
    dem = write_tif("dem.tif", np.full(SHAPE, 3000, "f4"), transform, "EPSG:4326")
    np.testing.assert_allclose(read(bed=dem).bed[10:20, 10:20], 3000, rtol=1e-5)
    inner = read(bed=dem, unit="feet").bed[10:20, 10:20]
    np.testing.assert_allclose(inner, 3000 * FOOT, rtol=1e-5)


def test_a_dem_of_erdas_imagine_is_in_metres_though_it_spells_them_otherwise(
    read: Callable[..., Topography], write_tif: Callable[..., Path]
) -> None:
    dem = write_tif("dem.tif", np.full(SHAPE, 3000, "f4"), UPRIGHT)
    image = dem.with_suffix(".img")
    copy(dem, image, driver="HFA")
    with rasterio.open(image) as dataset:
        assert "meters" in dataset.crs.to_wkt()
    found, expected = read(bed=image), read(bed=dem)
    assert found.grid.transform == expected.grid.transform
    np.testing.assert_array_equal(found.bed, expected.bed)


VERTICAL = {
    "EPSG:32632+5773": ("EGM96 geoid", 1.0),
    "EPSG:2056+5728": ("Landesnivellement 1902", 1.0),
    "EPSG:32632+8228": ("North American Vertical Datum 1988", FOOT),
    "EPSG:32632+6360": ("North American Vertical Datum 1988", 1200 / 3937),
}


@pytest.mark.parametrize("crs", VERTICAL)
def test_a_vertical_crs_gives_the_unit_and_its_datum_is_noted(
    read: Callable[..., Topography], write_tif: Callable[..., Path], listener: Listener, crs: str
) -> None:
    datum, factor = VERTICAL[crs]
    corner = (2_600_000, 1_150_000) if "2056" in crs else (WEST, NORTH)
    transform = Affine(CELL, 0, corner[0], 0, -CELL, corner[1])
    topography = read(bed=write_tif("dem.tif", np.full(SHAPE, 3000, "f4"), transform, crs))
    np.testing.assert_allclose(topography.bed, 3000 * factor, rtol=1e-6)
    assert topography.datum == datum
    assert not topography.grid.crs.is_compound
    assert any(datum in told for told in listener.logs)


DEGREES = {
    "EPSG:4979": ("ellipsoid of WGS 84", 1.0),
    "EPSG:9518": ("EGM2008 geoid", 1.0),
    "EPSG:4326+5773": ("EGM96 geoid", 1.0),
    "EPSG:4269+5703": ("North American Vertical Datum 1988", 1.0),
    "EPSG:4326+6360": ("North American Vertical Datum 1988", 1200 / 3937),
}


@pytest.mark.parametrize("crs", DEGREES)
def test_a_dem_in_degrees_with_heights_is_worked_on_like_one_without(
    read: Callable[..., Topography], write_tif: Callable[..., Path], crs: str
) -> None:
    datum, factor = DEGREES[crs]
    ground = np.add.outer(np.arange(60) * 10, np.arange(60) * 5).astype("f4") + 2000
    transform = Affine(0.002, 0, 8.0, 0, -0.002, 46.5)
    flat = write_tif("flat.tif", ground, transform, "EPSG:4326", unit="m")
    tall = write_tif("tall.tif", ground, transform, crs)
    extent = Extent(xmin=8.02, ymin=46.40, xmax=8.1, ymax=46.48, crs=crs)
    found, expected = read(bed=tall, extent=extent), read(bed=flat, extent=extent)
    np.testing.assert_allclose(found.bed, expected.bed * factor, rtol=1e-5)
    assert found.grid.transform == expected.grid.transform
    assert found.datum == datum


def test_a_crs_of_depths_is_no_crs_of_elevations(
    read: Callable[..., Topography], write_tif: Callable[..., Path]
) -> None:
    dem = write_tif("depth.tif", np.full(SHAPE, 300, "f4"), UPRIGHT, "EPSG:32632+5715")
    with pytest.raises(EngineError, match=r"has depths.*Change the sign"):
        read(bed=dem)


def test_each_raster_has_the_unit_that_it_states_and_the_choice_is_for_the_others(
    read: Callable[..., Topography], write_tif: Callable[..., Path]
) -> None:
    bed = write_tif("bed.tif", np.full(SHAPE, 6000, "f4"), UPRIGHT)
    ice = write_tif("ice.tif", np.full(SHAPE, 100, "f4"), UPRIGHT, unit="m")
    topography = read(bed=bed, thickness=ice, unit="feet")
    np.testing.assert_allclose(topography.bed, 6000 * FOOT, rtol=1e-6)
    np.testing.assert_allclose(topography.thickness, 100)


def test_a_bed_and_a_surface_above_different_datums_are_refused(
    read: Callable[..., Topography], write_tif: Callable[..., Path], listener: Listener
) -> None:
    flat = np.full(SHAPE, 2000, "f4")
    geoid = write_tif("geoid.tif", flat, UPRIGHT, "EPSG:32632+5773")
    other = write_tif("other.tif", flat + 100, UPRIGHT, "EPSG:32632+3855")
    plain = write_tif("plain.tif", flat + 100, UPRIGHT)
    with pytest.raises(EngineError, match=r"EGM96 geoid.*EGM2008 geoid.*is not ice thickness"):
        read(bed=geoid, surface=other)
    np.testing.assert_allclose(read(bed=geoid, surface=plain).thickness, 100)
    assert any("not stated" in told for told in [*listener.logs, read(bed=plain).datum])


def test_packed_elevations_and_thickness_are_unpacked_as_qgis_shows_them(
    read: Callable[..., Topography], write_tif: Callable[..., Path]
) -> None:
    bed = write_tif("bed.tif", np.full(SHAPE, 15_000, "i2"), UPRIGHT)
    ice = write_tif("ice.tif", np.full(SHAPE, 2500, "i2"), UPRIGHT, unit="ft")
    for path, scale, offset in ((bed, 0.1, 500.0), (ice, 0.2, 0.0)):
        with rasterio.open(path, "r+") as raster:
            raster.scales, raster.offsets = (scale,), (offset,)
    topography = read(bed=bed, thickness=ice)
    np.testing.assert_allclose(topography.bed, 2000, rtol=1e-6)
    np.testing.assert_allclose(topography.thickness, 500 * FOOT, rtol=1e-6)
