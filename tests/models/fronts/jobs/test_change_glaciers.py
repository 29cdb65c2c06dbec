"""`terminuschange` where glaciers are several, far apart, oddly named, or drawn backwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import LineString

from kit.fronts.moving_fronts import (
    BOX,
    CENTRELINE,
    CRS,
    DATES,
    METHODS,
    OPEN_BOX,
    ORIGIN,
    POSITIONS,
    Write,
    front,
    line,
    run,
    writer,
)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path)


def test_several_glaciers_by_the_names_of_their_lines_or_of_their_centrelines(
    write: Write, tmp_path: Path
) -> None:
    """Two glaciers 10 km apart: named lines with plain centrelines, or the other way round."""
    lines = [front(3000), front(3000, 1e4), front(2900), front(3300, 1e4)]
    dates, names = [DATES[0]] * 2 + [DATES[1]] * 2, ["South", "North"] * 2
    axes = [CENTRELINE, shapely.affinity.translate(CENTRELINE, 0, 1e4)]
    named = write("named", lines, date=dates, glacier=names)
    plain = write("plain", lines, date=dates)
    for termini, axis in (
        (named, write("axes", axes)),
        (plain, write("named axes", axes, glacier=["South", "North"])),
        (named, write("both", axes, glacier=["South", "North"])),
    ):
        result, table, _ = run(tmp_path, termini=termini, centerline=axis)
        last = table.groupby("glacier").distance_m.last()
        assert last["South"] == pytest.approx(-100, abs=1e-5)
        assert last["North"] == pytest.approx(300, abs=1e-5)
        assert result["GLACIERS"] == 2
        assert "CHANGE" not in result


@pytest.mark.parametrize("method", ["centreline", "curvilinear box"])
def test_numbers_of_glaciers_match_though_one_line_has_none(
    write: Write, tmp_path: Path, method: str
) -> None:
    """A field of whole numbers with one missing is read as floating point."""
    lines = [front(3000), front(2900), front(3000, 1e4), front(3300, 1e4), front(9000, 2e4)]
    dates = [DATES[0], DATES[1]] * 2 + [DATES[0]]
    glaciers = pd.array([1, 1, 2, 2, None], dtype="Int64")
    axes = [CENTRELINE, shapely.affinity.translate(CENTRELINE, 0, 1e4)]
    termini = write("numbered", lines, date=dates, glacier=glaciers)
    axis = write("axes", axes, glacier=[1, 2])
    _, table, _ = run(tmp_path, termini=termini, centerline=axis, method=method)
    last = table[table.flag == "good"].groupby("glacier").distance_m.last()
    assert last.to_dict() == pytest.approx({"1": -100, "2": 300}, abs=1e-5)


def test_case_separates_no_glacier(write: Write, tmp_path: Path) -> None:
    names = ["HELHEIM", " helheim", "Helheim"]
    lines = [front(position) for position in POSITIONS]
    termini = write("cased", lines, date=list(DATES), glacier=names)
    for axis, name in (
        (write("named", [CENTRELINE], glacier=["Helheim "]), "Helheim"),
        (write("plain", [CENTRELINE]), "HELHEIM"),
    ):
        result, table, listener = run(tmp_path, termini=termini, centerline=axis)
        assert (result["GLACIERS"], result["MEASURED"]) == (1, 3)
        assert set(table.glacier) == {name}
        assert listener.warnings == []


def test_glaciers_that_no_centreline_is_for_are_named(write: Write, tmp_path: Path) -> None:
    lines = [front(3000), front(2900), front(3000, 1e4), front(3300, 2e4), front(3200, 2e4)]
    names = ["Helheim", "Helheim", "Rink", "Store", "store"]
    dates = [*DATES[:2], DATES[0], *DATES[:2]]
    termini = write("three", lines, date=dates, glacier=names)
    axis = write("one", [CENTRELINE], glacier=["helheim"])
    result, _, listener = run(tmp_path, termini=termini, centerline=axis)
    assert result["MEASURED"] == 2
    (warning,) = listener.warnings
    assert "3 of 5 lines" in warning
    assert "Rink, Store. " in warning
    result, _, listener = run(
        tmp_path, termini=termini, method="rectilinear box", box=write("boxes", [BOX])
    )
    assert not any("Rink" in warning for warning in listener.warnings)


WIDE = "EPSG:4326"
COLUMBIA, HELHEIM = (-147.0, 61.0, 32606), (-38.0, 66.4, 32624)


@pytest.mark.parametrize("crs", [WIDE, "EPSG:32606"])
@pytest.mark.parametrize("method", METHODS)
def test_distant_glaciers_are_measured_each_where_it_lies(
    tmp_path: Path, method: str, crs: str
) -> None:
    """One layer from Alaska to Greenland: no projection is true to scale in both."""
    fronts, axes, boxes, names = [], [], [], []
    for name, (longitude, latitude, code) in (("Columbia", COLUMBIA), ("Helheim", HELHEIM)):
        origin = gpd.GeoSeries.from_xy([longitude], [latitude], crs=WIDE).to_crs(code)[0]
        east, north = origin.x - ORIGIN[0], origin.y - ORIGIN[1]
        drawn = [front(3000), front(2600), CENTRELINE, BOX]
        moved = [shapely.affinity.translate(shape, east, north) for shape in drawn]
        dense = shapely.segmentize(np.array(moved), 50)
        shapes = gpd.GeoSeries(list(dense), crs=code).to_crs(crs)
        fronts += [*shapes[:2]]
        axes.append(shapes[2])
        boxes.append(shapes[3])
        names.append(name)
    termini, centerline, box = tmp_path / "t.gpkg", tmp_path / "c.gpkg", tmp_path / "b.gpkg"
    fields = {"date": [*DATES[:2]] * 2, "glacier": np.repeat(names, 2)}
    gpd.GeoDataFrame(fields, geometry=fronts, crs=crs).to_file(termini)
    gpd.GeoDataFrame({"glacier": names}, geometry=axes, crs=crs).to_file(centerline)
    gpd.GeoDataFrame({"glacier": names}, geometry=boxes, crs=crs).to_file(box)
    _, table, _ = run(
        tmp_path,
        termini={"path": str(termini)},
        centerline={"path": str(centerline)},
        box={"path": str(box)},
        method=method,
    )
    last = table.groupby("glacier").distance_m.last()
    assert last.to_dict() == pytest.approx({"Columbia": -400, "Helheim": -400}, rel=1e-3)


def test_a_line_on_the_other_side_of_the_earth_is_not_measured(
    write: Write, tmp_path: Path
) -> None:
    """Where the projection of the centreline has no place for it."""
    near = gpd.GeoSeries([shapely.segmentize(front(3000), 20)], crs=CRS).to_crs(WIDE)[0]
    far = LineString([(141.0, -65.0), (141.1, -65.1)])
    path = tmp_path / "far.gpkg"
    gpd.GeoDataFrame({"date": DATES[:2]}, geometry=[near, far], crs=WIDE).to_file(path)
    for settings in (
        {"centerline": write("axis", [CENTRELINE])},
        {"box": write("box", [BOX]), "method": "rectilinear box"},
    ):
        result, table, _ = run(tmp_path, termini={"path": str(path)}, **settings)
        assert (result["MEASURED"], result["NOT_MEASURED"]) == (1, 1)
        assert "does not cross" in table.reason[1]


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "centreline", "centerline": CENTRELINE.reverse()},
        {"method": "curvilinear box", "centerline": CENTRELINE.reverse()},
        {"method": "rectilinear box", "box": BOX, "centerline": CENTRELINE.reverse()},
        {"method": "rectilinear box", "box": shapely.affinity.rotate(OPEN_BOX, 180)},
    ],
)
def test_a_direction_that_the_fronts_contradict_is_reported(
    write: Write, tmp_path: Path, settings: dict[str, Any]
) -> None:
    """Lines of this software have the glacier on their left; those of others may not."""
    given = {
        name: write(name, [shape], glacier=["Rink"]) if name != "method" else shape
        for name, shape in settings.items()
    }
    bay = line((2600, -800), (2600, -100), (2900, 0), (2500, 50), (2500, -20), (2300, 0))
    wiggly = shapely.unary_union([bay, line((2300, 0), (2300, 800))])
    lines = [front(3000), shapely.line_merge(wiggly, directed=True), front(2900).reverse()]
    for software, told in (
        (["glacier_qgis 1.0"] * 2 + ["another program"], True),
        (["another program"] * 3, False),
    ):
        termini = write("termini", lines, date=list(DATES), software=software)
        result, _, listener = run(tmp_path, termini=termini, **given)
        assert result["CHANGE"] == pytest.approx(100, abs=1e-5)
        assert [text for text in listener.warnings if "would be swapped" in text] == [
            "The centreline or open box 'Rink' seems to run from the sea to the glacier, since 2 "
            "of 2 lines with the glacier on their left cross it that way: advance and retreat "
            "would be swapped. Reverse the centreline ('Reverse line direction'), or draw the box "
            "open to the sea."
        ] * told


def test_a_direction_that_the_fronts_confirm_is_not_doubted(write: Write, tmp_path: Path) -> None:
    lines = [front(3000), front(2600), front(2900).reverse()]
    termini = write("some", lines, date=list(DATES), software=["glacier_qgis 1.0"] * 3)
    axis = write("centreline", [CENTRELINE])
    for method in ("centreline", "curvilinear box"):
        _, _, listener = run(tmp_path, termini=termini, method=method, centerline=axis)
        assert listener.warnings == []
