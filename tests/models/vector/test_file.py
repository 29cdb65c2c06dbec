"""Vector files that are damaged, or that are none but lead elsewhere."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import geopandas as gpd
import pyproj
import pytest
from shapely import LineString, Polygon

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.iceflow.balance.forcing import read_table
from glacier_qgis.models.vector.source import read_layer, read_polygons

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
"""GDAL's words on damage, which the log shows."""

CRS = pyproj.CRS.from_epsg(32624)


def layer(path: Path, driver: str) -> Path:
    lines = [LineString([(0, 0), (n, 1000)]) for n in range(1, 40)]
    frame = gpd.GeoDataFrame({"glacier": ["Åsa"] * len(lines)}, geometry=lines, crs=CRS)
    frame.to_file(path, driver=driver, engine="pyogrio")
    return path


@pytest.mark.parametrize(
    ("name", "driver", "kept"),
    [
        ("a.gpkg", "GPKG", 0.5),
        ("a.geojson", "GeoJSON", 0.5),
        ("a.fgb", "FlatGeobuf", 0.1),
        ("a.shp", "ESRI Shapefile", 0.02),
    ],
)
def test_a_layer_that_ends_early_is_named_with_what_to_do(
    tmp_path: Path, name: str, driver: str, kept: float
) -> None:
    path = layer(tmp_path / name, driver)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(EngineError, match=rf"^INPUT: .*{name} cannot be read .*again, or repair"):
        read_layer(VectorInput(path=str(path)), "INPUT")


def open_ring(path: Path) -> None:
    closed = [[0, 0], [0, 900], [900, 900], [0, 0]]
    rings = [closed, closed[:-1]]
    features = [
        {
            "type": "Feature",
            "properties": {},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for ring in rings
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def spoiled_ring(path: Path) -> None:
    """Move the last vertex of the second polygon of a shapefile."""
    shapes = [Polygon([(0, 0), (0, 900), (900, 900)])] * 2
    gpd.GeoDataFrame(geometry=shapes, crs=CRS).to_file(path, engine="pyogrio")
    content = path.read_bytes()
    path.write_bytes(content[:-8] + struct.pack("<d", 7.0))


@pytest.mark.parametrize(("name", "write"), [("a.geojson", open_ring), ("a.shp", spoiled_ring)])
def test_an_open_ring_is_called_by_its_feature(tmp_path: Path, name: str, write: object) -> None:
    write(tmp_path / name)  # type: ignore[operator]
    with pytest.raises(EngineError, match=r"feature 2 is invalid \(.*Fix geometries"):
        read_polygons(VectorInput(path=str(tmp_path / name)), CRS, "MASK")


def test_a_polygon_whose_coordinates_are_not_numbers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.shp"
    spoiled_ring(path)
    content = path.read_bytes()
    path.write_bytes(content[:-24] + struct.pack("<3d", float("nan"), 0.0, 0.0))
    with pytest.raises(EngineError, match=r"a\.shp"):
        read_polygons(VectorInput(path=str(path)), CRS, "MASK")


VIRTUAL = """<OGRVRTDataSource><OGRVRTLayer name="a">
<SrcDataSource>{source}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"""
KML = """<kml xmlns="http://www.opengis.net/kml/2.2"><Document><NetworkLink><Link>
<href>{source}/a.kml</href></Link></NetworkLink></Document></kml>"""
GML = """<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs"
xmlns:gml="http://www.opengis.net/gml" xmlns:a="http://a"
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation=
"http://a {source}/a?service=WFS&amp;request=DescribeFeatureType"><gml:featureMember><a:a
gml:id="a.1"><a:shape xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="{source}/b.gml"/>
<a:g><gml:Point srsName="EPSG:32624"><gml:pos>0 0</gml:pos></gml:Point></a:g>
</a:a></gml:featureMember></wfs:FeatureCollection>"""
SERVICE = """<OGRWFSDataSource><URL>{source}/wfs</URL></OGRWFSDataSource>"""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.geojson", VIRTUAL),
        ("a.vrt", VIRTUAL),
        ("a.kml", KML),
        ("a.gml", GML),
        ("a.xml", SERVICE),
    ],
)
def test_a_layer_leads_nowhere_else(
    tmp_path: Path, server: tuple[str, list[str]], name: str, content: str
) -> None:
    address, asked = server
    path = tmp_path / name
    path.write_text(content.format(source=address))
    if name == "a.gml":  # where only the features that are in the file count
        read_layer(VectorInput(path=str(path)), "INPUT")
    else:
        with pytest.raises(EngineError, match=r"^INPUT: "):
            read_layer(VectorInput(path=str(path)), "INPUT")
    assert asked == []


@pytest.mark.parametrize("ending", ["geojson", "csv", "vrt"])
def test_a_virtual_layer_does_not_show_another_file(tmp_path: Path, ending: str) -> None:
    secret = layer(tmp_path / "secret.gpkg", "GPKG")
    path = tmp_path / f"a.{ending}"
    path.write_text(VIRTUAL.format(source=secret))
    for read in (read_layer, read_table):
        with pytest.raises(EngineError, match="description of other"):
            read(VectorInput(path=str(path)), "INPUT")


def test_a_connection_is_not_a_file(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    address, asked = server
    for name in (f"WFS:{address}", "PG:host=127.0.0.1", f"CSW:{address}", f"<OGRWFS>{address}"):
        with pytest.raises(EngineError, match="is not a file"):
            read_layer(VectorInput(path=name), "INPUT")
    assert asked == []


def test_only_the_very_address_that_a_person_gave_is_asked_for(
    server: tuple[str, list[str]],
) -> None:
    address, asked = server
    with pytest.raises(EngineError, match="INPUT"):
        read_layer(VectorInput(path=f"{address}/given.gpkg"), "INPUT")
    assert set(asked) <= {"/given.gpkg"}
    assert asked
