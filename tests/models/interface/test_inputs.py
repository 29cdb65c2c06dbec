"""What is in memory reaches a job as it is."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from shapely import box

from glacier_qgis.models import EngineError
from glacier_qgis.models.engine.job import Extent, RasterInput, VectorInput
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini
from glacier_qgis.models.interface.inputs import GivenValues

UTM = "EPSG:32622"


def array(
    cells: np.ndarray, north_first: bool = True, crs: str | None = UTM, step: float = 30
) -> xr.DataArray:
    """Cells as an array whose first one has its centre at (500 015, 7 000 015)."""
    y = 7_000_015 + step * np.arange(cells.shape[-2]) * (-1 if north_first else 1)
    x = 500_015 + step * np.arange(cells.shape[-1])
    dimensions = ("band", "y", "x")[-cells.ndim :]
    return xr.DataArray(cells, {"y": y, "x": x}, dimensions, "scene", {"crs": crs} if crs else None)


def raster_of(given: xr.DataArray, folder: Path) -> str:
    """The file that an array becomes."""
    raster = GivenValues(folder).of(DelineateTermini, {"input": given})["input"]
    assert isinstance(raster, RasterInput)
    return raster.path


@given(
    cells=arrays(
        st.sampled_from([np.uint8, np.uint16, np.int16, np.float32]),
        array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=7),
    ),
    north_first=st.booleans(),
)
def test_cells_and_their_places_come_back(
    tmp_path_factory: pytest.TempPathFactory, cells: np.ndarray, north_first: bool
) -> None:
    given = array(cells, north_first)
    values = GivenValues(tmp_path_factory.mktemp("inputs"))
    parameters = values.of(DelineateTermini, {"input": given})
    raster = parameters["input"]
    assert isinstance(raster, RasterInput)
    assert raster.name == "scene"
    with rasterio.open(raster.path) as file:
        assert file.crs == UTM
        assert file.dtypes[0] == str(cells.dtype)
        assert file.transform.e < 0 < file.transform.a
        written = file.read()
        for row, column in ((0, 0), (-1, -1), (0, -1)):
            place = float(given.x[column]), float(given.y[row])
            value = next(file.sample([place]))
            assert np.array_equal(value, np.atleast_1d(cells[..., row, column]), equal_nan=True)
    assert written.shape[-2:] == cells.shape[-2:]


@pytest.mark.parametrize("dimensions", [("x", "y"), ("band", "x", "y"), ("easting", "northing")])
def test_columns_before_rows_are_turned(tmp_path: Path, dimensions: tuple[str, ...]) -> None:
    upright = array(np.arange(12, dtype=np.int16).reshape(1, 3, 4))
    turned = upright.transpose("band", "x", "y")
    turned = turned if dimensions[0] == "band" else turned.squeeze()
    turned = turned.rename(dict(zip(turned.dims, dimensions, strict=True)))
    with rasterio.open(raster_of(turned, tmp_path)) as file:
        assert np.array_equal(file.read(), upright)
        assert file.transform.c == 500_000


def test_axes_are_known_by_their_attributes(tmp_path: Path) -> None:
    upright = array(np.arange(12, dtype=np.int16).reshape(3, 4)).rename(x="i", y="j")
    upright.i.attrs["axis"], upright.j.attrs["axis"] = "X", "Y"
    with rasterio.open(raster_of(upright.T, tmp_path)) as file:
        assert np.array_equal(file.read(1), upright)


@pytest.mark.parametrize(
    ("kind", "stored"), [(bool, "uint8"), (np.float16, "float32"), (np.int64, "int64")]
)
def test_types_that_a_tiff_does_not_know_are_widened(
    tmp_path: Path, kind: type, stored: str
) -> None:
    given = array(np.eye(3).astype(kind))
    with rasterio.open(raster_of(given, tmp_path)) as file:
        assert file.dtypes == (stored,)
        assert np.array_equal(file.read(1), np.eye(3))


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.float32])
@pytest.mark.parametrize("attribute", ["_FillValue", "missing_value"])
def test_a_stated_fill_value_is_no_data(tmp_path: Path, kind: type, attribute: str) -> None:
    given = array(np.arange(9).reshape(3, 3).astype(kind)).assign_attrs({attribute: kind(4)})
    with rasterio.open(raster_of(given, tmp_path)) as file:
        assert (file.read_masks(1) == 0).tolist() == (given == 4).to_numpy().tolist()


def test_a_fill_value_that_no_cell_can_hold_is_none(tmp_path: Path) -> None:
    given = array(np.zeros((3, 3), np.uint8)).assign_attrs(_FillValue=-9999)
    with rasterio.open(raster_of(given, tmp_path)) as file:
        assert file.nodata is None


def test_a_long_name_is_a_file_all_the_same(tmp_path: Path) -> None:
    given = array(np.zeros((3, 3), np.uint8)).rename("20140918 " + "ä/" * 300)
    assert Path(raster_of(given, tmp_path)).name.startswith("20140918_")


@pytest.mark.parametrize(
    "odd",
    [
        {"fid": [1, 1]},
        {"fid": ["a", "b"]},
        {7: [1, 2]},
        {"place": gpd.points_from_xy([0, 1], [0, 1], crs=UTM)},
    ],
    ids=["twice the same fid", "words as fid", "a number as name", "two geometries"],
)
def test_columns_of_any_kind_do_not_disturb(tmp_path: Path, odd: dict[object, object]) -> None:
    layer = gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=[box(0, 0, 9, 9)] * 2, crs=UTM)
    for column, values in odd.items():
        layer[column] = values
    vector = GivenValues(tmp_path).of(DelineateTermini, {"mask": layer})["mask"]
    read = gpd.read_file(vector.path)
    assert read.geometry.geom_equals(layer.geometry).all()
    if "fid" in odd:
        assert read.fid.tolist() == odd["fid"]


def test_a_column_that_no_file_holds_is_named(tmp_path: Path) -> None:
    layer = gpd.GeoDataFrame({"Class": [1], "class": [2]}, geometry=[box(0, 0, 9, 9)], crs=UTM)
    with pytest.raises(EngineError, match=r"MASK: .*[Cc]lass.* Rename or drop"):
        GivenValues(tmp_path).of(DelineateTermini, {"mask": layer})


@pytest.mark.parametrize("wrong", ["1, 2, 3, 4", (1, 2, 3), True])
def test_what_is_no_rectangle_is_refused(tmp_path: Path, wrong: object) -> None:
    with pytest.raises(EngineError, match=r"EXTENT is .*: give"):
        GivenValues(tmp_path).of(DelineateTermini, {"extent": wrong})


def test_a_layer_in_memory_is_a_file_in_its_crs(tmp_path: Path) -> None:
    layer = gpd.GeoDataFrame({"name": ["fjord"]}, geometry=[box(0, 0, 9, 9)], crs=UTM)
    for number, mask in enumerate((layer, layer.geometry)):
        folder = tmp_path / str(number)
        folder.mkdir()
        vector = GivenValues(folder).of(DelineateTermini, {"mask": mask})["mask"]
        assert isinstance(vector, VectorInput)
        read = gpd.read_file(vector.path)
        assert read.crs == layer.crs
        assert read.geometry.geom_equals(layer.geometry).all()


def test_a_rectangle_is_in_the_crs_of_the_scene_or_in_its_own(tmp_path: Path) -> None:
    scene = array(np.zeros((4, 4), np.float32))
    sides = (500_000.0, 6_999_900.0, 500_120.0, 7_000_030.0)
    drawn = gpd.GeoSeries([box(*sides)], crs=UTM).to_crs("EPSG:4326")
    inputs = GivenValues(tmp_path)
    for rectangle, crs in ((sides, UTM), (box(*sides), UTM), (drawn, "EPSG:4326")):
        values = inputs.of(DelineateTermini, {"input": scene, "extent": rectangle})["extent"]
        extent = Extent.model_validate(values)
        expected = sides if crs == UTM else drawn.total_bounds
        assert (extent.xmin, extent.ymin, extent.xmax, extent.ymax) == pytest.approx(expected)
        assert gpd.GeoSeries([], crs=extent.crs).crs == crs


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (array(np.zeros((3, 3)), crs=None), "INPUT: the array has no coordinate reference system"),
        (array(np.zeros((3, 3))).drop_vars("x"), "no evenly spaced coordinates along 'x'"),
        (
            array(np.zeros((3, 3))).assign_coords(y=[0, 1, 5]),
            "no evenly spaced coordinates along 'y'",
        ),
        (array(np.zeros((2, 3, 3))).expand_dims("time"), "choose one time or layer"),
        (array(np.zeros((2, 3, 3))).rename(band="time"), "choose one time or layer"),
        (array(np.full((3, 3), "ice")), "values of the type <U3"),
        (array(np.zeros((3, 3)), crs="EPSG:999999"), "CRS of an array is not understood"),
        (array(np.zeros((3, 3))).to_dataset(), "INPUT is of the type Dataset"),
        (np.zeros((3, 3)), "INPUT is of the type ndarray"),
    ],
)
def test_an_array_that_is_no_map_is_refused(tmp_path: Path, wrong: object, said: str) -> None:
    with pytest.raises(EngineError, match=said.replace("(", r"\(")):
        GivenValues(tmp_path).of(DelineateTermini, {"input": wrong})


def test_a_geometry_without_crs_is_not_a_layer(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="MASK is of the type Polygon"):
        GivenValues(tmp_path).of(DelineateTermini, {"mask": box(0, 0, 1, 1)})


def test_a_layer_without_crs_is_refused(tmp_path: Path) -> None:
    layer = gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1)])
    with pytest.raises(EngineError, match="MASK has no coordinate reference system"):
        GivenValues(tmp_path).of(DelineateTermini, {"mask": layer})


def test_a_rectangle_without_crs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="EXTENT: the CRS"):
        GivenValues(tmp_path).of(DelineateTermini, {"extent": (0, 0, 1, 1)})
