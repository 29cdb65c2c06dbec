"""What is known of a line, from its scene's name and its place."""

from __future__ import annotations

import datetime
import warnings
from pathlib import Path

import numpy as np
import pyogrio
import pytest
from pyproj import CRS
from shapely import LineString, Point

from glacier_qgis.models.fronts.scene.names import parse_scene_name
from glacier_qgis.models.fronts.termini.attributes import (
    COLUMNS,
    POINT_COLUMNS,
    TerminusSource,
    points_frame,
    terminus_frame,
)
from glacier_qgis.models.fronts.termini.extract import AlongFront, Terminus, ellipsoidal_length
from glacier_qgis.models.vector.sink import write_layer

POLAR = CRS.from_epsg(3413)
LINE = LineString([(300_000, -2_580_000), (302_000, -2_580_000), (302_000, -2_582_000)])
S1 = "S1A_IW_GRDH_1SDH_20180602T090821_20180602T090846_022174_0265F6_1D4A"
TSX = "TSX1_SAR__SSC______SM_S_SRA_20120101T202134_20120101T202142"
S2_OLD = "S2A_OPER_PRD_MSIL1C_PDMC_20160612T162032_R010_V20160611T141741_20160611T141741"
S2_TILE = "S2A_OPER_MSI_L1C_TL_SGS__20160612T195525_A005076_T22WEV"
S2_STRIP = "S2A_OPER_MSI_L1C_DS_SGS__20160612T195525_S20160611T141741"
HLS = "HLS.L30.T22WEV.2020164T143029.v2.0"
HLS_S2 = "HLS.S30.T22WEV.2020365.v1.4"
HLS_NO_DAY = "HLS.S30.T22WEV.2019366T143029.v2.0"


@pytest.mark.parametrize(
    ("name", "date", "satellite", "sensor", "image_id"),
    [
        (f"/a/{S1}.SAFE", "2018-06-02", "Sentinel-1A", "C-SAR", S1),
        (f"{S1}_Orb_Cal_TC.tif", "2018-06-02", "Sentinel-1A", "C-SAR", S1),
        (f"dims/{TSX}.tif", "2012-01-01", "TerraSAR-X", "X-SAR", TSX),
        (
            "LC08_L1TP_233013_20160710_20200906_02_T1_B8.TIF",
            "2016-07-10",
            "Landsat 8",
            "OLI/TIRS",
            "LC08_L1TP_233013_20160710_20200906_02_T1",
        ),
        (
            "LE72330132005192ASN00_B8.TIF",
            "2005-07-11",
            "Landsat 7",
            "ETM+",
            "LE72330132005192ASN00",
        ),
        (
            "S2B_MSIL1C_20210731T143749_N0301_R096_T24WWU_20210731T165010.SAFE",
            "2021-07-31",
            "Sentinel-2B",
            "MSI",
            "S2B_MSIL1C_20210731T143749_N0301_R096_T24WWU_20210731T165010",
        ),
        (f"/a/{S2_OLD}.SAFE", "2016-06-11", "Sentinel-2A", "MSI", S2_OLD),
        (f"{S2_OLD}_T22WEV_B04.tif", "2016-06-11", "Sentinel-2A", "MSI", f"{S2_OLD}_T22WEV"),
        (f"{S2_STRIP}_N02.02.tif", "2016-06-11", "Sentinel-2A", "MSI", S2_STRIP),
        (f"{S2_TILE}_B04.jp2", None, "Sentinel-2A", "MSI", S2_TILE),
        (f"{S2_TILE}_B04_20160611.tif", "2016-06-11", "Sentinel-2A", "MSI", S2_TILE),
        (f"{HLS}.B05.tif", "2020-06-12", "Landsat", "OLI/TIRS", HLS),
        (f"{HLS_S2}.hdf", "2020-12-30", "Sentinel-2", "MSI", HLS_S2),
        (f"{HLS_NO_DAY}.tif", None, "Sentinel-2", "MSI", HLS_NO_DAY),
        (
            "JAC_2015-12-06_TSX_7_1_005.png",
            "2015-12-06",
            "TerraSAR-X",
            "X-SAR",
            "JAC_2015-12-06_TSX_7_1_005",
        ),
        (
            "DBE_2006-05-18_PALSAR_17_2_135.png",
            "2006-05-18",
            "ALOS",
            "PALSAR",
            "DBE_2006-05-18_PALSAR_17_2_135",
        ),
        (
            "C:\\data\\helheim_S1_20180602.tif",
            "2018-06-02",
            "Sentinel-1",
            "C-SAR",
            "helheim_S1_20180602",
        ),
        ("scene 20191301 then 20191130.tif", "2019-11-30", "", "", "scene 20191301 then 20191130"),
        ("Jökulsárlón.tif", None, "", "", "Jökulsárlón"),
        ("tile_12345678_201806021.tif", None, "", "", "tile_12345678_201806021"),
        ("scene_20180602103015.tif", "2018-06-02", "", "", "scene_20180602103015"),
        ("scene_20180602243015.tif", None, "", "", "scene_20180602243015"),
        (
            "CSKS1_SCS_B_HI_09_HH_RA_SF_20120602095131_20120602095138.tif",
            "2012-06-02",
            "COSMO-SkyMed 1",
            "SAR-2000",
            "CSKS1_SCS_B_HI_09_HH_RA_SF_20120602095131_20120602095138",
        ),
        (
            "RS2_OK127568_PK1123201_DK1078370_F0W2_20170430_084253_HH_SLC.tif",
            "2017-04-30",
            "RADARSAT-2",
            "SAR",
            "RS2_OK127568_PK1123201_DK1078370_F0W2_20170430_084253_HH_SLC",
        ),
        ("RCM3_20210714_HH.tif", "2021-07-14", "RCM-3", "SAR", "RCM3_20210714_HH"),
    ],
)
def test_names_of_scenes_tell_date_and_satellite(
    name: str, date: str | None, satellite: str, sensor: str, image_id: str
) -> None:
    parsed = parse_scene_name(name)
    assert parsed.date == (datetime.date.fromisoformat(date) if date else None)
    assert (parsed.satellite, parsed.sensor) == (satellite, sensor)
    assert parsed.image_id == image_id


def terminus(confidence: float | None = 0.9) -> Terminus:
    return Terminus(LINE, ellipsoidal_length(LINE, POLAR), confidence, None)


def test_what_the_user_states_goes_before_the_name() -> None:
    source = TerminusSource("x_S1_20180602.tif", date=datetime.date(2018, 6, 3), sensor="SAR")
    frame = terminus_frame([terminus()], source, POLAR)
    assert frame["date"][0].date() == datetime.date(2018, 6, 3)
    assert frame["sensor"][0] == "SAR"
    assert frame["satellite"][0] == "Sentinel-1"


def test_a_striped_landsat_scene_is_flagged() -> None:
    before = TerminusSource("LE72330132002192ASN00.TIF")
    after = TerminusSource("LE72330132005192ASN00.TIF")
    assert terminus_frame([terminus()], before, POLAR)["quality"].tolist() == [10]
    assert terminus_frame([terminus()], after, POLAR)["quality"].tolist() == [13]


def test_lengths_and_places_are_those_on_the_earth() -> None:
    # EPSG:3413 is true at 70° N; at 66° N a kilometre on the map is shorter on the ground.
    frame = terminus_frame([terminus()], TerminusSource("a"), POLAR)
    latitude = np.radians(frame["center_lat"][0])
    scale = (1 + np.sin(np.radians(70))) / (1 + np.sin(latitude))
    assert frame["length_m"][0] == pytest.approx(LINE.length / scale, rel=1e-3)
    middle = Point(frame["center_lon"][0], frame["center_lat"][0])
    assert frame.to_crs(4326).geometry[0].distance(middle) < 1e-6


@pytest.mark.parametrize("number", [0, 1, 3])
def test_fields_are_the_same_for_any_number_of_lines(number: int, tmp_path: Path) -> None:
    frame = terminus_frame([terminus(None)] * number, TerminusSource("x_20180602"), POLAR)
    assert list(frame.columns[:-1]) == list(COLUMNS)
    path = tmp_path / "Gletscherzüge Ö.gpkg"
    write_layer(frame, path, "termini", "LineString")
    info = pyogrio.read_info(path)
    assert list(info["fields"]) == list(COLUMNS)
    types = dict(zip(info["fields"], info["ogr_types"], strict=True))
    assert types["date"] == "OFTDate"
    assert types["quality"] == "OFTInteger"
    assert types["confidence"] == "OFTReal"
    assert types["model"] == "OFTString"
    assert info["geometry_type"] == "LineString"
    assert CRS.from_user_input(info["crs"]) == POLAR
    back = pyogrio.read_dataframe(path)
    assert len(back) == number
    assert back["confidence"].isna().all()


SHAPEFILE_NAMES = [
    "glacier_id",
    "glacier",
    "date",
    "satellite",
    "sensor",
    "image_id",
    "line",
    "quality",
    "length_m",
    "confidence",
    "uncertaint",
    "center_lon",
    "center_lat",
    "author",
    "model",
    "model_hash",
    "software",
]


def test_a_shapefile_keeps_names_apart_and_values_whole(tmp_path: Path) -> None:
    source = TerminusSource(S1, glacier="Kangerlussuaq", glacier_id="G0042", author="A. Person")
    frame = terminus_frame([terminus(), terminus(None)], source, POLAR)
    frame.loc[0, "uncertainty_m"] = 81.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # GDAL reports each shortened name
        pyogrio.write_dataframe(frame, tmp_path / "lines.shp")
    back = pyogrio.read_dataframe(tmp_path / "lines.shp")
    assert list(back.columns[:-1]) == SHAPEFILE_NAMES
    assert back["uncertaint"][0] == 81.5
    assert back["glacier_id"].tolist() == ["G0042", "G0042"]
    assert back["author"][0] == "A. Person"
    assert back["line"].tolist() == [1, 2]
    points = {name[:10] for name in POINT_COLUMNS}
    assert len(points) == len(POINT_COLUMNS)


def test_points_carry_the_number_of_their_line() -> None:
    def along(number: int) -> AlongFront:
        steps = np.arange(number, dtype=float)
        return AlongFront(np.column_stack([steps, steps]), 60 * steps, steps / 10, 9 * steps)

    lines = [Terminus(LINE, 1.0, 0.9, 30.0, along(3)), terminus(None)]
    lines += [Terminus(LINE, 1.0, 0.9, 30.0, along(2))]
    frame = points_frame(lines, TerminusSource(S1), POLAR)
    assert list(frame.columns[:-1]) == list(POINT_COLUMNS)
    assert frame["line"].tolist() == [1, 1, 1, 3, 3]
    assert frame["distance_m"].tolist() == [0, 60, 120, 0, 60]
    assert set(frame["image_id"]) == {S1}
    assert frame.geometry[4] == Point(1, 1)
    assert points_frame([], TerminusSource(S1), POLAR).crs == POLAR
