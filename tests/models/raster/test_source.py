"""Grids and reading: the same ground whatever CRS, orientation or unit the file has."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer
from rasterio.control import GroundControlPoint

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import Extent, RasterInput
from glacier_qgis.models.raster.footprint import work_grid
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.metric import metric_crs
from glacier_qgis.models.raster.source import open_raster, read_band
from kit.engine.rasters import write_raster

ORIGIN = (500_000.0, 7_300_000.0)


def hill(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A smooth surface over UTM 24N, m."""
    return 500 + 300 * np.sin((x - ORIGIN[0]) / 3000) * np.cos((y - ORIGIN[1]) / 4000)


def write(
    path: Path, values: np.ndarray, transform: Affine, crs: str | None, **extra: object
) -> RasterInput:
    return RasterInput(path=str(write_raster(path, values, transform, crs, **extra)))


def sampled(transform: Affine, shape: tuple[int, int]) -> np.ndarray:
    columns, rows = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    x, y = transform @ (columns, rows)
    return hill(x, y).astype("float32")


NORTH_UP = Affine(100, 0, ORIGIN[0], 0, -100, ORIGIN[1])
SOUTH_UP = Affine(100, 0, ORIGIN[0], 0, 100, ORIGIN[1] - 8000)
TURNED = (
    Affine.translation(ORIGIN[0] + 3000, ORIGIN[1] + 500)
    @ Affine.rotation(-30)
    @ Affine.scale(80, -120)
)


@pytest.mark.parametrize(
    "transform", [NORTH_UP, SOUTH_UP, TURNED], ids=["north-up", "south-up", "rotated"]
)
def test_every_orientation_gives_the_same_ground(tmp_path: Path, transform: Affine) -> None:
    source = write(tmp_path / "dem.tif", sampled(transform, (80, 80)), transform, "EPSG:32624")
    with open_raster(source) as scene:
        grid = work_grid(scene, cell_size=100)
        values = read_band(scene, grid)
    x, y = np.meshgrid(grid.x, grid.y)
    inner = np.isfinite(values)
    assert inner.mean() > 0.4
    assert np.abs(values - hill(x, y))[inner].max() < 4  # half a cell of the steepest slope


def test_geographic_rasters_come_out_in_metres(tmp_path: Path) -> None:
    to_utm = Transformer.from_crs(4326, 32624, always_xy=True)
    transform = Affine(0.002, 0, -39, 0, -0.001, 65.8)
    columns, rows = np.meshgrid(np.arange(60) + 0.5, np.arange(70) + 0.5)
    x, y = to_utm.transform(*(transform @ (columns, rows)))
    source = write(tmp_path / "dem.tif", hill(x, y).astype("float32"), transform, "EPSG:4326")
    with open_raster(source) as scene:
        grid = work_grid(scene)
        values = read_band(scene, grid)
    assert grid.crs.to_epsg() == 32624
    assert grid.cell_size == pytest.approx(
        math.sqrt(0.002 * 0.001 * 111_400**2 * math.cos(math.radians(65.77))), rel=0.02
    )
    gx, gy = np.meshgrid(grid.x, grid.y)
    valid = np.isfinite(values)
    assert valid.mean() > 0.9
    assert np.abs(values - hill(gx, gy))[valid].max() < 4


@pytest.mark.parametrize(
    ("crs", "west", "north", "step", "expected"),
    [
        ("EPSG:3857", -4_240_000, 10_080_000, 50, 32624),  # web Mercator is 2.5 times too long here
        ("EPSG:3413", 300_000, -2_570_000, 50, 3413),
        ("EPSG:2056", 2_640_000, 1_150_000, 50, 2056),
        ("EPSG:4326", 10, 87, 0.001, 3413),
        ("EPSG:4326", 10, -85, 0.001, 3031),
        ("EPSG:2225", 6_500_000, 2_000_000, 100, 32610),  # US survey feet
    ],
)
def test_work_is_done_where_a_metre_is_a_metre(
    tmp_path: Path, crs: str, west: float, north: float, step: float, expected: int
) -> None:
    source = write(
        tmp_path / "a.tif",
        np.ones((10, 10), "float32"),
        Affine(step, 0, west, 0, -step, north),
        crs,
    )
    with open_raster(source) as scene:
        assert metric_crs(scene).to_epsg() == expected


def test_own_lattice_is_kept_to_the_bit(tmp_path: Path) -> None:
    values = sampled(NORTH_UP, (30, 40))
    source = write(tmp_path / "dem.tif", values, NORTH_UP, "EPSG:32624")
    extent = Extent(xmin=500_510, ymin=7_298_000, xmax=502_490, ymax=7_299_250, crs="EPSG:32624")
    with open_raster(source) as scene:
        np.testing.assert_array_equal(read_band(scene, work_grid(scene)), values)
        part = work_grid(scene, extent)
        np.testing.assert_array_equal(read_band(scene, part), values[7:20, 5:25])


def test_the_layers_crs_goes_before_the_files(tmp_path: Path) -> None:
    source = write(tmp_path / "dem.tif", np.ones((10, 10), "float32"), NORTH_UP, "EPSG:32624")
    with open_raster(RasterInput(path=source.path, crs="EPSG:32623")) as scene:
        assert scene.crs.to_epsg() == 32623


def test_nodata_and_not_a_number_are_gaps(tmp_path: Path) -> None:
    values = sampled(NORTH_UP, (20, 20))
    values[2:5, 3:6] = -9999
    values[10, 10] = np.nan
    values[12, 12] = np.inf
    source = write(tmp_path / "dem.tif", values, NORTH_UP, "EPSG:32624", nodata=-9999)
    with open_raster(source) as scene:
        read = read_band(scene, work_grid(scene))
    gaps = np.zeros((20, 20), bool)
    gaps[2:5, 3:6] = gaps[10, 10] = gaps[12, 12] = True
    np.testing.assert_array_equal(np.isnan(read), gaps)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"crs": None}, "Assign projection"),
        ({"transform": Affine.identity()}, "Georeference"),
        ({"shape": (1, 1)}, "1 × 1 cells"),
        ({"crs": 'LOCAL_CS["echogram",UNIT["metre",1]]'}, "local system"),
    ],
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_refusals_name_the_remedy(tmp_path: Path, change: dict, words: str) -> None:
    case = {"crs": "EPSG:32624", "transform": NORTH_UP, "shape": (10, 10), **change}
    source = write(
        tmp_path / "a.tif", np.ones(case["shape"], "float32"), case["transform"], case["crs"]
    )
    with pytest.raises(EngineError, match=words), open_raster(source) as scene:
        work_grid(scene)


def test_an_extent_elsewhere_is_refused_with_both_places(tmp_path: Path) -> None:
    source = write(tmp_path / "a.tif", np.ones((10, 10), "float32"), NORTH_UP, "EPSG:32624")
    extent = Extent(xmin=0, ymin=0, xmax=10, ymax=10, crs="EPSG:32624")
    with (
        open_raster(source) as scene,
        pytest.raises(EngineError, match=r"x 0 to 10.*x 500000 to 501000"),
    ):
        work_grid(scene, extent)


def test_a_file_that_is_not_a_raster_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "Gletscher ü.tif"
    path.write_text("not a raster")
    with (
        pytest.raises(EngineError, match=r"Gletscher ü\.tif cannot be opened"),
        open_raster(RasterInput(path=str(path))),
    ):
        pass


@given(height=st.integers(1, 70), width=st.integers(1, 70), size=st.integers(1, 40))
def test_blocks_cover_the_grid_once(height: int, width: int, size: int) -> None:
    from pyproj import CRS

    grid = Grid(CRS.from_epsg(32624), NORTH_UP, height, width)
    count = np.zeros(grid.shape, int)
    for block in grid.blocks(size):
        count[
            block.row_off : block.row_off + block.height,
            block.col_off : block.col_off + block.width,
        ] += 1
    assert (count == 1).all()


@pytest.mark.parametrize(
    "box", [(-180, -90, 180, 90), (-180, -80, 180, 84), (-40, 60, -36, 70), (-39.5, 65, 100, 66)]
)
@pytest.mark.parametrize("crs", ["EPSG:32624", "EPSG:3413", "EPSG:3031"])
def test_an_extent_that_holds_the_raster_changes_nothing(
    tmp_path: Path, box: tuple[float, ...], crs: str
) -> None:
    corner = {"EPSG:32624": ORIGIN, "EPSG:3413": (300_000, -2_570_000), "EPSG:3031": (0, 2e6)}[crs]
    if crs != "EPSG:32624":
        box = (-180, *box[1:2], 180, 90)
    if crs == "EPSG:3031":
        box = (-180, -90, 180, 0)
    transform = Affine(100, 0, corner[0], 0, -100, corner[1])
    source = write(tmp_path / "a.tif", np.ones((80, 80), "float32"), transform, crs)
    extent = Extent(xmin=box[0], ymin=box[1], xmax=box[2], ymax=box[3], crs="EPSG:4326")
    with open_raster(source) as scene:
        assert work_grid(scene, extent) == work_grid(scene)


@pytest.mark.parametrize("west", [-180.0, 179.0])
def test_a_scene_may_end_at_the_date_line(tmp_path: Path, west: float) -> None:
    transform = Affine(0.01, 0, west, 0, -0.01, 68)
    source = write(tmp_path / "a.tif", np.ones((100, 100), "float32"), transform, "EPSG:4326")
    with open_raster(source) as scene:
        grid = work_grid(scene, cell_size=500)
        assert np.isfinite(read_band(scene, grid)).mean() > 0.85
        assert grid.crs.to_epsg() == (32601 if west < 0 else 32660)


@pytest.mark.parametrize("stated", [None, "EPSG:4326"])
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_scene_placed_by_control_points_is_to_be_warped(
    tmp_path: Path, stated: str | None
) -> None:
    path = tmp_path / "s1a-iw-grd-hh.tif"
    corners = [(0, 0, -38.0, 66.0), (0, 20, -37.8, 66.0), (20, 0, -38.0, 65.9)]
    with rasterio.open(
        path, "w", driver="GTiff", height=20, width=20, count=1, dtype="uint16"
    ) as target:
        target.write(np.ones((1, 20, 20), "uint16"))
        target.gcps = (
            [GroundControlPoint(*corner) for corner in corners],
            rasterio.crs.CRS.from_epsg(4326),
        )
    with (
        pytest.raises(EngineError, match=r"control points.*Warp"),
        open_raster(RasterInput(path=str(path), crs=stated)),
    ):
        pass
