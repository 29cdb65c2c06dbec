from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas
import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS, Transformer

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.iceflow.inputs import Topography, polygon_mask, read_topography
from glacier_qgis.models.iceflow.units import VerticalUnit
from glacier_qgis.models.raster.grid import Grid

if TYPE_CHECKING:
    from listener import Listener


WEST, NORTH, CELL = 400_000.0, 5_150_000.0, 100.0
UPRIGHT = Affine(CELL, 0, WEST, 0, -CELL, NORTH)
SHAPE = (60, 50)
FOOT = 0.3048
INNER = (slice(2, -2), slice(2, -2))
"""All but the edge, where a warped cell lies half outside of its source."""


def mountain(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A lopsided hill (m) over UTM coordinates."""
    east, north = (x - WEST) / 5000, (y - NORTH + 6000) / 6000
    return (1500 + 900 * np.sin(2 * east + 0.3) * np.cos(1.5 * north) + 300 * north).astype("f4")


def cell_centres(transform: Affine, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.indices(shape) + 0.5
    t = transform
    return t.a * columns + t.b * rows + t.c, t.d * columns + t.e * rows + t.f


@pytest.fixture
def read(listener: Listener) -> Callable[..., Topography]:
    def read(
        bed: Path | None = None,
        surface: Path | None = None,
        thickness: Path | None = None,
        unit: VerticalUnit = "from the raster",
    ) -> Topography:
        sources = (RasterInput(path=str(p)) if p else None for p in (bed, surface, thickness))
        return read_topography(*sources, None, CELL, unit, listener)

    return read


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
    ("tag", "choice", "factor"),
    [
        ("ft", "from the raster", FOOT),
        ("US survey foot", "from the raster", 1200 / 3937),
        ("m", "from the raster", 1.0),
        (None, "from the raster", 1.0),
        (None, "feet", FOOT),
        ("ft", "metres", 1.0),
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


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:2926", Affine(300, 0, 1_300_000, 0, -300, 250_000)),
        ("EPSG:4326", Affine(0.001, 0, 8.0, 0, -0.001, 46.5)),
    ],
    ids=["feet", "degrees"],
)
def test_a_dem_that_is_not_in_metres_and_states_no_vertical_unit_is_asked_about(
    read: Callable[..., Topography],
    write_tif: Callable[..., Path],
    crs: str,
    transform: Affine,
) -> None:
    dem = write_tif("dem.tif", np.full(SHAPE, 3000, "f4"), transform, crs)
    with pytest.raises(EngineError, match="Say it with VERTICAL_UNIT"):
        read(bed=dem)
    inner = read(bed=dem, unit="feet").bed[10:20, 10:20]
    np.testing.assert_allclose(inner, 3000 * FOOT, rtol=1e-5)


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
    assert "glacierthickness" in warning


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
    arguments = (None, None, CELL, "from the raster", listener)
    only = {"uniform": 120.0, "ice_mask": VectorInput(path=str(outline))}
    on_bed = read_topography(dem, None, *arguments, **only)
    np.testing.assert_allclose(on_bed.thickness, ice)
    np.testing.assert_allclose(on_bed.surface, ground + ice, atol=1e-3)
    under = read_topography(None, dem, *arguments, **only)
    np.testing.assert_allclose(under.thickness, ice)
    np.testing.assert_allclose(under.surface, ground, atol=1e-3)
    everywhere = read_topography(dem, None, *arguments, uniform=30.0)
    assert (everywhere.thickness == 30).all()
    assert not listener.warnings
    with pytest.raises(EngineError, match=r"UNIFORM_THICKNESS \(30 m\).*Leave it blank"):
        read_topography(dem, dem, *arguments, uniform=30.0)


VERTICAL = {
    "EPSG:32632+5773": ("EGM96 geoid", 1.0),
    "EPSG:2056+5728": ("Landesnivellement 1902", 1.0),
    "EPSG:32632+8228": ("North American Vertical Datum 1988", FOOT),
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


def test_a_bed_and_a_surface_above_different_datums_are_refused(
    read: Callable[..., Topography], write_tif: Callable[..., Path], listener: Listener
) -> None:
    flat = np.full(SHAPE, 2000, "f4")
    geoid = write_tif("geoid.tif", flat, UPRIGHT, "EPSG:32632+5773")
    other = write_tif("other.tif", flat + 100, UPRIGHT, "EPSG:32632+3855")
    plain = write_tif("plain.tif", flat + 100, UPRIGHT)
    with pytest.raises(EngineError, match=r"EGM96 geoid.*EGM2008 geoid.*would not be ice"):
        read(bed=geoid, surface=other)
    np.testing.assert_allclose(read(bed=geoid, surface=plain).thickness, 100)
    assert any("not stated" in told for told in [*listener.logs, read(bed=plain).datum])


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
def test_a_raster_that_cannot_be_placed_is_refused_with_the_cure(
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
        (holed(-32768), "not on Earth.*declare it as no data"),
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
    with pytest.raises(EngineError, match="Give BED, or SURFACE"):
        read()
    dem = write_tif("dem.tif", np.full(SHAPE, 2000, "f4"), UPRIGHT)
    with pytest.raises(EngineError, match="any two make the third"):
        read(dem, dem, dem)


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
