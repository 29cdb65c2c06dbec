"""Polygons come in where they are, tables and lines go out as they are."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from pyproj import CRS
from shapely import LineString, Point, Polygon, box, force_3d

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.vector.sink import write_layer
from glacier_qgis.models.vector.source import read_polygons

UTM = CRS.from_epsg(32624)
SQUARE = box(500_000, 7_300_000, 510_000, 7_310_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "Ísland – þrjú"
    folder.mkdir()
    return folder


def write(path: Path, *shapes: object, crs: object = UTM, layer: str = "mask") -> VectorInput:
    gpd.GeoDataFrame(geometry=list(shapes), crs=crs).to_file(path, layer=layer)
    return VectorInput(path=str(path))


def test_polygons_keep_their_place_through_another_crs(folder: Path) -> None:
    degrees = gpd.GeoSeries([SQUARE], crs=UTM).to_crs(4326)[0]
    source = write(folder / "maske ä.gpkg", degrees, crs=4326)
    (found,) = read_polygons(source, UTM, "MASK")
    assert found.hausdorff_distance(SQUARE) < 1e-3


def test_the_crs_that_qgis_states_goes_before_that_of_the_file(folder: Path) -> None:
    source = write(folder / "wrong.gpkg", SQUARE, crs=32625)
    stated = source.model_copy(update={"crs": UTM.to_wkt()})
    (found,) = read_polygons(stated, UTM, "MASK")
    assert found.equals(SQUARE)


NO_PROJECTION = UTM.to_wkt("WKT1_ESRI").replace("Transverse_Mercator", "Transverse_Mercato")


@pytest.mark.parametrize("crs", [NO_PROJECTION, 'LOCAL_CS["echogram",UNIT["metre",1]]'])
def test_a_crs_without_a_place_on_earth_is_refused(folder: Path, crs: str) -> None:
    source = write(folder / "damaged.gpkg", SQUARE)
    stated = source.model_copy(update={"crs": crs})
    with pytest.raises(
        EngineError, match=r"MASK: .*damaged.* cannot be transformed .* Set the correct"
    ):
        read_polygons(stated, UTM, "MASK")


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_layer_without_crs_is_refused_with_the_remedy(folder: Path) -> None:
    path = folder / "none.shp"
    pyogrio.write_dataframe(gpd.GeoDataFrame(geometry=[SQUARE]), path)
    with pytest.raises(EngineError, match=r"MASK: .* no coordinate reference system.*Define proj"):
        read_polygons(VectorInput(path=str(path)), UTM, "MASK")


def test_layers_are_chosen_by_name_and_the_first_otherwise(folder: Path) -> None:
    path = folder / "two.gpkg"
    write(path, SQUARE, layer="fjord")
    source = write(path, SQUARE.buffer(1000), SQUARE, layer="other")
    assert len(read_polygons(source, UTM, "MASK")) == 1
    assert len(read_polygons(source.model_copy(update={"layer": "other"}), UTM, "MASK")) == 2


def test_a_crossed_polygon_is_repaired(folder: Path) -> None:
    bow_tie = Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])
    found = read_polygons(write(folder / "tie.gpkg", bow_tie), UTM, "MASK")
    assert sum(polygon.area for polygon in found) == pytest.approx(5000)
    assert all(polygon.is_valid for polygon in found)


@pytest.mark.parametrize("content", ["lines", "table", "text", "nothing"])
def test_what_is_no_polygon_layer_is_refused_by_name(folder: Path, content: str) -> None:
    path = folder / "falsch.gpkg"
    if content == "lines":
        write(path, LineString([(0, 0), (1, 1)]))
    elif content == "table":
        write_layer(pd.DataFrame({"a": [1]}), path, "table")
    elif content == "text":
        path.write_text("no layer")
    with pytest.raises(EngineError, match=r"FJORD_MASK: .*falsch\.gpkg"):
        read_polygons(VectorInput(path=str(path)), UTM, "FJORD_MASK")


def test_a_layer_comes_back_as_it_was(folder: Path) -> None:
    frame = gpd.GeoDataFrame(
        {
            "name": ["Sermeq Kujalleq", None],
            "day": pd.to_datetime(["2018-06-02", None]),
            "time": pd.to_datetime(["2018-06-02 12:30", None]),
            "value": [1.5, np.nan],
        },
        geometry=[Point(1, 2), Point(3, 4)],
        crs=UTM,
    )
    path = folder / "niðurstöður.gpkg"
    write_layer(frame, path, "punkte", "Point")
    info = pyogrio.read_info(path)
    assert info["layer_name"] == "punkte"
    assert list(info["ogr_types"]) == ["OFTString", "OFTDate", "OFTDateTime", "OFTReal"]
    back = gpd.read_file(path)
    assert back.geometry.equals(frame.geometry)
    assert CRS(back.crs) == UTM
    with sqlite3.connect(path) as base:
        rows = base.execute("select name, day, value from punkte").fetchall()
    base.close()
    assert rows == [("Sermeq Kujalleq", "2018-06-02", 1.5), (None, None, None)]


def test_a_table_has_no_geometry(folder: Path) -> None:
    path = folder / "table.gpkg"
    write_layer(pd.DataFrame({"year": [1880, 1900], "volume": [12.5, 11.0]}), path, "series")
    info = pyogrio.read_info(path)
    assert info["geometry_type"] is None
    back = pyogrio.read_dataframe(path)
    assert back["volume"].tolist() == [12.5, 11.0]


def test_only_geopackages_are_written(folder: Path) -> None:
    with pytest.raises(EngineError, match=r"lines\.shp"):
        write_layer(pd.DataFrame({"a": [1]}), folder / "lines.shp", "lines")


def test_heights_of_drawn_polygons_are_left_behind(folder: Path) -> None:
    (found,) = read_polygons(write(folder / "kml.gpkg", force_3d(SQUARE, 12.0)), UTM, "MASK")
    assert not found.has_z
    assert found.equals(SQUARE)


@pytest.mark.parametrize("crs", [3413, 3031, 32624])
def test_a_polygon_around_the_world_is_refused_with_the_remedy(folder: Path, crs: int) -> None:
    source = write(folder / "world.gpkg", box(-180, -90, 180, 90), crs=4326)
    with pytest.raises(EngineError, match=r"MASK: .*world\.gpkg.*Clip"):
        read_polygons(source, CRS.from_epsg(crs), "MASK")
