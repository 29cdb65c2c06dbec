"""Longitudes in any range, and pixels that are not numbers: the ground is the same."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS, Transformer
from rasterio.enums import ColorInterp, Resampling

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import Extent, RasterInput
from glacier_qgis.models.raster.footprint import bounds_beside, work_grid
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import open_raster, read_band, warped
from kit.engine.rasters import write_raster

STEP = 0.25


def wave(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """Something that has no seam anywhere on Earth."""
    turned = np.radians(longitude)
    return (10 * np.cos(turned) + 20 * np.sin(3 * turned) + latitude).astype("f4")


def write(
    path: Path, values: np.ndarray, transform: Affine, crs: str = "EPSG:4326", **extra: object
) -> RasterInput:
    return RasterInput(path=str(write_raster(path, values, transform, crs, **extra)))


def of_waves(path: Path, west: float, columns: int, dtype: str = "f4") -> RasterInput:
    transform = Affine(STEP, 0, west, 0, -STEP, 85)
    x, y = transform @ np.meshgrid(np.arange(columns) + 0.5, np.arange(680) + 0.5)
    return write(path, wave(x, y).astype(dtype), transform)


def around(longitude: float, latitude: float, epsg: int) -> Grid:
    x, y = Transformer.from_crs(4326, epsg, always_xy=True).transform(longitude, latitude)
    return Grid(CRS(epsg), Affine(1000, 0, x - 60_000, 0, -1000, y + 60_000), 120, 120)


PLACES = [
    (-45.0, 68.0, 32623),
    (0.0, 42.7, 32631),
    (8.0, 46.5, 32632),
    (179.9, 71.0, 32660),
    (-179.9, 71.0, 32601),
    (-179.95, -16.0, 32701),
    (180.0, 71.0, 3413),
    (0.0, -75.0, 3031),
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("west", "columns"), [(-180, 1440), (-180 - STEP / 2, 1440), (0, 1440), (-STEP / 2, 1440)]
)
def test_the_whole_earth_is_read_anywhere_however_longitudes_are_counted(
    tmp_path: Path, place: tuple[float, float, int], west: float, columns: int
) -> None:
    grid = around(*place)
    with open_raster(of_waves(tmp_path / "a.tif", west, columns), "TEMPERATURE") as scene:
        values = read_band(scene, grid)
    to_degrees = Transformer.from_crs(grid.crs, 4326, always_xy=True)
    expected = wave(*to_degrees.transform(*np.meshgrid(grid.x, grid.y)))
    np.testing.assert_allclose(values, expected, atol=0.03)


@pytest.mark.parametrize(
    ("place", "west", "columns"),
    [
        ((-45.0, 68.0, 32623), 300, 100),  # Greenland
        ((-45.0, 68.0, 32623), -60, 100),
        ((0.0, 42.7, 32631), -370, 80),
        ((179.9, 71.0, 32660), 170, 80),  # Wrangel Island
        ((-179.9, 71.0, 32601), 170, 80),
        ((-179.9, 71.0, 32601), -190, 80),
        ((0.0, 42.7, 32631), 350, 80),  # the Pyrenees
    ],
)
def test_a_part_of_the_earth_is_where_its_longitudes_say_in_any_turn(
    tmp_path: Path, place: tuple[float, float, int], west: float, columns: int
) -> None:
    grid = around(*place)
    with open_raster(of_waves(tmp_path / "a.tif", west, columns), "TEMPERATURE") as scene:
        values = read_band(scene, grid)
    to_degrees = Transformer.from_crs(grid.crs, 4326, always_xy=True)
    expected = wave(*to_degrees.transform(*np.meshgrid(grid.x, grid.y)))
    np.testing.assert_allclose(values, expected, atol=0.03)


def test_what_is_void_stays_void_when_longitudes_are_turned(tmp_path: Path) -> None:
    """Declared values, masks and integers; ground beyond the raster."""
    plain = np.full((40, 80), 7, "i2")
    plain[:, 40:] = -1
    transform = Affine(STEP, 0, 170, 0, -STEP, 75)
    declared = write(tmp_path / "declared.tif", plain, transform, nodata=-1)
    masked = write(tmp_path / "masked.tif", plain, transform)
    with rasterio.open(masked.path, "r+") as file:
        file.write_mask(plain == 7)
    grid = around(180.0, 71.0, 32660)
    for source in (declared, masked):
        with open_raster(source) as scene:
            values = read_band(scene, grid)
        to_degrees = Transformer.from_crs(grid.crs, 4326, always_xy=True)
        longitude, _ = to_degrees.transform(*np.meshgrid(grid.x, grid.y))
        assert set(np.unique(values[np.isfinite(values)])) == {7.0}
        assert np.isfinite(values[(longitude > 0) & (longitude < 179.5)]).all()
        assert np.isnan(values[(longitude < 0) & (longitude > -179.5)]).all()


@pytest.mark.parametrize("west", [178.02, 181.0, 315.0, -181.0, -361.0])
def test_a_job_may_be_about_a_raster_in_longitudes_beyond_half_a_turn(
    tmp_path: Path, west: float
) -> None:
    transform = Affine(0.01, 0, west, 0, -0.01, 68)
    x, y = transform @ np.meshgrid(np.arange(200) + 0.5, np.arange(100) + 0.5)
    with open_raster(write(tmp_path / "a.tif", wave(x, y), transform)) as scene:
        grid = work_grid(scene)
        values = read_band(scene, grid)
        box = bounds_beside(grid, scene)
        middle = (west + 1.3, 67.4)
        near = Extent(
            xmin=(middle[0] + 180) % 360 - 180,
            ymin=67.4,
            xmax=(middle[0] + 180) % 360 - 179.8,
            ymax=67.6,
            crs="EPSG:4326",
        )
        part = work_grid(scene, near)
    assert np.isfinite(values).mean() > 0.85
    to_degrees = Transformer.from_crs(grid.crs, 4326, always_xy=True)
    expected = wave(*to_degrees.transform(*np.meshgrid(grid.x, grid.y)))
    inner = np.isfinite(values)
    np.testing.assert_allclose(values[inner], expected[inner], atol=0.03)
    assert scene.bounds[0] - 0.2 < box[0] < box[2] < scene.bounds[2] + 0.2
    assert 5 < part.width < grid.width / 5


def test_the_whole_earth_from_0_to_360_is_no_glacier(tmp_path: Path) -> None:
    with (
        open_raster(of_waves(tmp_path / "a.tif", 0, 1440), "SURFACE") as scene,
        pytest.raises(EngineError, match=r"SURFACE: .* longitudes from 0 to 360.* Clip it"),
    ):
        work_grid(scene)


HOLES = [-np.inf, np.inf, np.nan, np.finfo("f4").min, np.finfo("f4").max]
FINE = Affine(10, 0, 5e5, 0, -10, 5.2e6)


@pytest.mark.parametrize("nodata", [None, np.nan, -9999.0, np.finfo("f4").min])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("cell", [60.0, 10.0, 7.0])
def test_pixels_that_are_not_numbers_leave_their_neighbours_alone(
    tmp_path: Path, nodata: float | None, dtype: str, cell: float
) -> None:
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:300, 0:300]
    smooth = (x / 10 - y / 20).astype(dtype)
    holes = smooth.copy()
    for hole in [*HOLES, *([] if nodata is None else [nodata])]:
        holes[rng.random(holes.shape) < 0.01] = hole
    number = int(3000 / cell)
    grid = Grid(CRS(32633), Affine(cell, 0, 5e5, 0, -cell, 5.2e6), number, number)
    found = []
    for name, values in (("whole", smooth), ("holes", holes)):
        source = write(tmp_path / f"{name}.tif", values, FINE, "EPSG:32633", nodata=nodata)
        with open_raster(source) as scene:
            found.append(read_band(scene, grid))
    whole, with_holes = found
    assert np.isfinite(whole).all()
    missing = np.isnan(with_holes)
    assert missing.mean() == 0 if cell > 10 else 0 < missing.mean() < 0.07
    np.testing.assert_allclose(with_holes[~missing], whole[~missing], atol=0.8)


@pytest.mark.parametrize("dtype", ["i2", "i4", "f4"])
def test_fill_values_that_nobody_declared_pull_no_mean_down(tmp_path: Path, dtype: str) -> None:
    """A void of SRTM among 36 pixels would lower a cell by a kilometre, and look like ground."""
    values = np.full((60, 60), 2000, dtype)
    values[::6, ::6], values[1::6, ::6] = -32768, -9999
    source = write(tmp_path / "a.tif", values, FINE, "EPSG:32633")
    grid = Grid(CRS(32633), Affine(60, 0, 5e5, 0, -60, 5.2e6), 10, 10)
    with open_raster(source) as scene:
        np.testing.assert_allclose(read_band(scene, grid), 2000)


def test_packed_values_have_no_fill_but_the_declared_one(tmp_path: Path) -> None:
    values = np.full((60, 60), -9999, "i2")
    source = write(tmp_path / "a.tif", values, FINE, "EPSG:32633", nodata=-32767)
    with rasterio.open(source.path, "r+") as file:
        file.scales, file.offsets = (0.001,), (10.0,)
    grid = Grid(CRS(32633), Affine(60, 0, 5e5, 0, -60, 5.2e6), 10, 10)
    with open_raster(source) as scene:
        np.testing.assert_allclose(read_band(scene, grid), -9999)


@pytest.mark.parametrize("method", [Resampling.average, Resampling.min, Resampling.max])
def test_no_way_of_resampling_spreads_what_is_not_a_number(
    tmp_path: Path, method: Resampling
) -> None:
    values = np.full((60, 60), 5, "f4")
    values[::10, ::10] = -np.inf
    values[5::10, 5::10] = np.nan
    source = write(tmp_path / "a.tif", values, FINE, "EPSG:32633")
    grid = Grid(CRS(32633), Affine(30, 0, 5e5, 0, -30, 5.2e6), 20, 20)
    with open_raster(source) as scene:
        np.testing.assert_allclose(read_band(scene, grid, resampling=method), 5, rtol=1e-6)


def test_bands_and_an_alpha_band_are_void_each_for_itself(tmp_path: Path) -> None:
    bands = np.ones((3, 40, 40), "f4")
    bands[0, :10], bands[1, 10:20], bands[2] = -np.inf, np.nan, 255
    bands[2, 30:] = 0
    source = write(tmp_path / "a.tif", bands, FINE, "EPSG:32633", photometric="MINISBLACK")
    with rasterio.open(source.path, "r+") as file:
        file.colorinterp = [ColorInterp.gray, ColorInterp.undefined, ColorInterp.alpha]
    grid = Grid(CRS(32633), FINE, 40, 40)
    with open_raster(source) as scene, warped(scene, grid) as view:
        values = view.read([1, 2])
    expected = np.ones((2, 40), bool)
    expected[0, :10] = expected[1, 10:20] = False
    expected[:, 30:] = False
    np.testing.assert_array_equal(np.isfinite(values).all(axis=2), expected)
    assert set(np.unique(values[np.isfinite(values)])) == {1.0}


def test_a_file_in_an_archive_is_read_too(tmp_path: Path) -> None:
    import zipfile

    values = np.full((40, 40), 3, "f4")
    values[::5] = -np.inf
    source = write(tmp_path / "a & b.tif", values, FINE, "EPSG:32633")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.write(source.path, "a & b.tif")
    grid = Grid(CRS(32633), Affine(20, 0, 5e5, 0, -20, 5.2e6), 20, 20)
    inside = RasterInput(path=f"/vsizip/{tmp_path}/z.zip/a & b.tif")
    for path in (source, inside):
        with open_raster(path) as scene, warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_allclose(read_band(scene, grid), 3)


def test_one_part_of_complex_numbers_is_not_read_for_the_whole(tmp_path: Path) -> None:
    source = write(tmp_path / "a.tif", np.ones((40, 40), "complex64"), FINE, "EPSG:32633")
    with open_raster(source, "SURFACE") as scene, pytest.raises(EngineError, match="complex"):
        read_band(scene, Grid(CRS(32633), FINE, 40, 40))


def test_a_raster_of_many_bands_is_laid_out_in_no_time(tmp_path: Path) -> None:
    place = Affine(60, 0, 500_000, 0, -60, 8_000_000)
    months = write(tmp_path / "months.tif", np.ones((12, 8, 8), "f4"), place, "EPSG:32633")
    began = time.monotonic()
    with open_raster(months, "TEMPERATURE") as scene:
        assert (read_band(scene, work_grid(scene), band=12) == 1).all()
    assert time.monotonic() - began < 2
