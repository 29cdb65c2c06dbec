"""`comparetermini` on files, with errors that are known beforehand."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import LineString

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.fronts.compare.report import coverage
from glacier_qgis.models.fronts.jobs.compare import CompareTermini
from kit.engine.jobs import run_listened
from kit.engine.listener import Listener
from kit.engine.reports import HOSTILE, assert_shown_as_text, read_report

CRS = "EPSG:32624"
ORIGIN = np.array([500_000.0, 7_350_000.0])
DAYS = ["2015-07-01", "2016-07-01", "2018-07-01"]

Write = Callable[..., dict[str, str]]


def front(x: float, south: float = 0.0, north: float = 3000.0) -> LineString:
    return LineString(np.array([(x, south), (x, north)]) + ORIGIN)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def save(name: str, geometries: object, crs: str = CRS, **fields: object) -> dict[str, str]:
        path = tmp_path / f"{name}.gpkg"
        gpd.GeoDataFrame(fields, geometry=geometries, crs=CRS).to_crs(crs).to_file(path)
        return {"path": str(path)}

    return save


def run(folder: Path, **parameters: Any) -> tuple[Result, pd.DataFrame, Listener]:  # noqa: ANN401
    job = CompareTermini(output=folder / "out.gpkg", **parameters)
    result, listener = run_listened(job)
    return result, gpd.read_file(folder / "out.gpkg"), listener


def test_distances_are_pooled_over_images_and_missed_fronts_are_counted(
    write: Write, tmp_path: Path
) -> None:
    """300 m of a 3 km front and 30 m of a 1 km front: the longer one weighs more."""
    reference = write("r", [front(0), front(0, 0, 1000), front(0)], date=DAYS)
    predicted = write(
        "p",
        [front(300), front(30, 0, 1000), front(9)],
        date=pd.to_datetime([*DAYS[:2], "1999-01-01"]),
    )
    result, table, listener = run(tmp_path, predicted=predicted, reference=reference)
    points = np.array([101, 35])  # of 30 m at most
    assert result["MEAN_DISTANCE_ERROR"] == pytest.approx((300 * 101 + 30 * 35) / points.sum())
    assert result["MEDIAN_DISTANCE_ERROR"] == pytest.approx(165)
    assert (result["IMAGES"], result["MISSED"], result["UNMATCHED"]) == (3, 1, 1)
    by_day = table.set_index(table.date.dt.strftime("%Y-%m-%d"))
    assert by_day.status.to_dict() == {
        "1999-01-01": "no reference",
        **dict(zip(DAYS, ["found", "found", "missed"], strict=True)),
    }
    np.testing.assert_allclose(by_day.mean_m[DAYS[:2]], [300, 30], atol=1e-6)
    assert by_day.reference_m[DAYS[1]] == pytest.approx(1000)
    assert any("1 of 3 fronts were missed" in text for text in listener.warnings)


def test_the_same_lines_twice_are_reported(write: Write, tmp_path: Path) -> None:
    lines = write("r", [front(0), front(40)], date=DAYS[:2])
    _, _, listener = run(tmp_path, predicted=lines, reference=lines)
    assert "hold the same lines" in listener.warnings[0]
    moved = write("p", [front(0), front(41)], date=DAYS[:2])
    _, _, listener = run(tmp_path, predicted=moved, reference=lines)
    assert listener.warnings == []


def test_the_numbers_of_one_image_are_those_of_its_distances(write: Write, tmp_path: Path) -> None:
    """Fronts that open like scissors: distances spread evenly from none to that of the ends."""
    half = math.radians(5)
    blades = [
        LineString(
            np.array([(0, 0), (sign * 3000 * math.sin(half), 3000 * math.cos(half))]) + ORIGIN
        )
        for sign in (-1, 1)
    ]
    predicted, reference = write("p", blades[:1]), write("r", blades[1:])
    _, table, _ = run(tmp_path, predicted=predicted, reference=reference, resolution=1.0)
    widest = 3000 * math.sin(2 * half)
    row = table.iloc[0]
    assert row.hausdorff_m == pytest.approx(widest)
    assert row.mean_m == pytest.approx(widest / 2)
    assert row.median_m == pytest.approx(widest / 2, rel=1e-3)
    assert row.p95_m == pytest.approx(widest * 0.95, rel=1e-3)
    assert row.predicted_m == row.reference_m == pytest.approx(3000)


def test_a_mask_and_a_box_leave_out_what_nobody_traced(write: Write, tmp_path: Path) -> None:
    """Neighbouring ice 5 km away is charged for, unless a mask or the label's box is used."""
    reference = write("r", [front(0)])
    predicted = write("p", [front(60), front(5000)])
    around = shapely.affinity.translate(shapely.box(-2000, -500, 2000, 3500), *ORIGIN)
    given = {"predicted": predicted, "reference": reference}
    whole, _, _ = run(tmp_path, **given)
    assert whole["MEAN_DISTANCE_ERROR"] > 1000
    for settings in ({"mask": write("m", [around], crs="EPSG:4326")}, {"box_margin": 1000}):
        inside, table, _ = run(tmp_path, **given, **settings)
        assert inside["MEAN_DISTANCE_ERROR"] == pytest.approx(60, abs=1e-3)
        assert table.lines_predicted[0] == 1


def test_images_are_matched_by_the_fields_that_are_given(write: Write, tmp_path: Path) -> None:
    """Two glaciers on the same day: by date alone, each front is also near the other's label."""
    names, days = ["South", "North"], DAYS[:1] * 2
    reference = write("r", [front(0), front(1000)], date=days, glacier=names)
    predicted = write("p", [front(800), front(1800)], date=days, glacier=names)
    given = {"predicted": predicted, "reference": reference}
    by_day, _, _ = run(tmp_path, **given, match_fields=["date"])
    assert by_day["IMAGES"] == 1
    assert by_day["MEAN_DISTANCE_ERROR"] == pytest.approx((200 + 800 + 800 + 200) / 4)
    by_both, table, _ = run(tmp_path, **given, match_fields=["date", "glacier"])
    assert by_both["MEAN_DISTANCE_ERROR"] == pytest.approx(800)
    assert sorted(table.glacier) == sorted(names)
    by_default, _, _ = run(tmp_path, **given)
    assert by_default["MEAN_DISTANCE_ERROR"] == pytest.approx(800)
    with pytest.raises(EngineError, match=r"PREDICTED has no field 'scene'.*: date, glacier"):
        run(tmp_path, **given, match_fields=["scene"])


def test_numbers_match_though_one_line_has_none(write: Write, tmp_path: Path) -> None:
    """A field of whole numbers with one missing is read as floating point."""
    reference = write("r", [front(0)] * 3, scene=pd.array([1, 2, None], dtype="Int64"))
    predicted = write("p", [front(40), front(90), front(9)], scene=[1, 2, 3])
    given = {"predicted": predicted, "reference": reference}
    result, table, _ = run(tmp_path, **given, match_fields=["scene"])
    assert (result["IMAGES"], result["MISSED"], result["UNMATCHED"]) == (3, 1, 1)
    assert table.set_index("scene").mean_m[["1", "2"]].tolist() == pytest.approx([40, 90])
    years = {
        "reference": write("ry", [front(0)] * 2, year=[2018.0, 2019.0]),
        "predicted": write("py", [front(40)] * 2, year=[2018, 2019]),
    }
    result, _, _ = run(tmp_path, **years, match_fields=["year"])
    assert (result["MISSED"], result["UNMATCHED"]) == (0, 0)


def test_numbers_of_glaciers_match_though_one_line_has_none(write: Write, tmp_path: Path) -> None:
    numbers = pd.array([1, 2, None], dtype="Int64")
    reference = write("r", [front(0), front(1000), front(0)], glacier=numbers)
    predicted = write("p", [front(800), front(1800)], glacier=[1, 2])
    given = {"predicted": predicted, "reference": reference}
    result, table, _ = run(tmp_path, **given, match_fields=["glacier"])
    assert result["MEAN_DISTANCE_ERROR"] == pytest.approx(800)
    assert set(table.glacier.fillna("")) == {"1", "2", ""}


def test_case_separates_no_glacier_and_pools_none(write: Write, tmp_path: Path) -> None:
    """Two glaciers of one day, of which each front is also near the other's label."""
    days, report = DAYS[:1] * 2, tmp_path / "out.html"
    reference = write("r", [front(0), front(1000)], date=days, glacier=["Helheim", "Fenris "])
    predicted = write("p", [front(800), front(1800)], date=days, glacier=["helheim", "FENRIS"])
    given = {"predicted": predicted, "reference": reference}
    for settings in ({}, {"match_fields": ["date", "glacier"]}):
        result, table, listener = run(tmp_path, **given, **settings, report=report)
        assert (result["IMAGES"], result["MISSED"], result["UNMATCHED"]) == (2, 0, 0)
        assert result["MEAN_DISTANCE_ERROR"] == pytest.approx(800)
        assert sorted(table.glacier) == ["Fenris", "Helheim"]
        assert [row["Glacier"] for row in read_report(report).tables[1]] == ["Fenris", "Helheim"]
        assert listener.warnings == []


def test_glaciers_that_only_one_layer_names_are_reported_and_not_pooled(
    write: Write, tmp_path: Path
) -> None:
    days = DAYS[:1] * 2
    reference = write("r", [front(0), front(1000)], date=days, glacier=["Helheim", "Fenris"])
    predicted = write("p", [front(800), front(1800)], date=days, glacier=["Helheim", "Rink"])
    result, table, listener = run(tmp_path, predicted=predicted, reference=reference)
    assert result["MEAN_DISTANCE_ERROR"] == pytest.approx(800)
    assert (result["IMAGES"], result["MISSED"], result["UNMATCHED"]) == (2, 1, 1)
    assert sorted(table.glacier) == ["Fenris", "Helheim", "Rink"]
    assert "only one layer: Fenris, Rink." in listener.warnings[0]


def test_glaciers_that_a_missing_name_pools_are_reported(write: Write, tmp_path: Path) -> None:
    days = DAYS[:1] * 2
    reference = write("r", [front(0), front(1000)], date=days, glacier=["Helheim", "Fenris"])
    predicted = write("p", [front(800), front(1800)], date=days, glacier=["Helheim", None])
    result, _, listener = run(tmp_path, predicted=predicted, reference=reference)
    assert result["IMAGES"] == 1
    assert "'glacier' is empty" in listener.warnings[0]
    assert "MATCH_FIELDS" in listener.warnings[0]


@pytest.mark.parametrize("names", [["Helheim Gletscher"], [""], [None]])
def test_another_spelling_of_the_glacier_separates_nothing(
    names: list[str | None], write: Write, tmp_path: Path
) -> None:
    reference = write("r", [front(0)], date=DAYS[:1], glacier=["Helheim"])
    predicted = write("p", [front(40)], date=DAYS[:1], glacier=names)
    result, _, _ = run(tmp_path, predicted=predicted, reference=reference)
    assert (result["MISSED"], result["MEAN_DISTANCE_ERROR"]) == (0, pytest.approx(40))


def test_without_dates_all_lines_are_one_image(write: Write, tmp_path: Path) -> None:
    reference = write("r", [front(0), front(0, 4000, 5000)])
    predicted = write("p", [shapely.union_all([front(40), front(40, 4000, 5000)])])
    result, table, _ = run(tmp_path, predicted=predicted, reference=reference)
    assert result["IMAGES"] == len(table) == 1
    assert result["MEAN_DISTANCE_ERROR"] == pytest.approx(40)
    assert table.lines_predicted[0] == 2


def test_layers_in_different_systems_are_compared_in_metres(write: Write, tmp_path: Path) -> None:
    dense = [shapely.segmentize(front(x), 20) for x in (0, 75)]
    result, _, _ = run(
        tmp_path,
        predicted=write("p", dense[1:], crs="EPSG:3413"),
        reference=write("r", dense[:1], crs="EPSG:4326"),
    )
    assert result["MEAN_DISTANCE_ERROR"] == pytest.approx(75, abs=0.01)


def places(folder: Path, offset: float, crs: str = "EPSG:4326") -> dict[str, str]:
    """Write a front in Alaska and one in Greenland, moved by some metres."""
    lines = []
    for longitude, latitude, code in ((-147.0, 61.0, 32606), (-38.0, 66.4, 32624)):
        origin = gpd.GeoSeries.from_xy([longitude], [latitude], crs=4326).to_crs(code)[0]
        moved = shapely.affinity.translate(front(offset), *([origin.x, origin.y] - ORIGIN))
        dense = shapely.segmentize(moved, 20)
        lines.append(gpd.GeoSeries([dense], crs=code).to_crs(crs)[0])
    path = folder / f"places {offset:g}.gpkg"
    fields = {"date": DAYS[:1] * 2, "glacier": ["Columbia", "Helheim"]}
    gpd.GeoDataFrame(fields, geometry=lines, crs=crs).to_file(path)
    return {"path": str(path)}


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32606"])
@pytest.mark.parametrize("masked", [False, True])
def test_distant_glaciers_are_compared_each_where_it_lies(
    tmp_path: Path, crs: str, masked: bool
) -> None:
    """One layer from Alaska to Greenland: no projection is true to scale in both."""
    given = {"predicted": places(tmp_path, 400, crs), "reference": places(tmp_path, 0, crs)}
    boxes = [shapely.box(-148, 60, -146, 62), shapely.box(-39, 66, -37, 67)]
    mask = tmp_path / "mask.gpkg"
    gpd.GeoDataFrame(geometry=boxes, crs="EPSG:4326").to_file(mask)
    settings = {"mask": {"path": str(mask)}} if masked else {}
    _, table, listener = run(tmp_path, **given, **settings)
    assert table.mean_m.tolist() == pytest.approx([400, 400], rel=1e-3)
    assert table.reference_m.tolist() == pytest.approx([3000, 3000], rel=1e-3)
    assert listener.warnings == []


def test_lines_of_one_image_too_far_apart_to_measure_truly_are_reported(tmp_path: Path) -> None:
    given = {"predicted": places(tmp_path, 400), "reference": places(tmp_path, 0)}
    _, _, listener = run(tmp_path, **given, match_fields=["date"])
    (warning,) = listener.warnings
    assert "1 of 1 images" in warning
    assert "MATCH_FIELDS" in warning


def test_a_shapefile_keeps_the_names_of_the_fields_apart(write: Write, tmp_path: Path) -> None:
    """It cuts them to ten letters."""
    fields = {"date": DAYS[:1], "glacier": ["A"], "satellite": ["B"], "sensor": ["C"]}
    lines = write("r", [front(0)], **fields)
    _, table, _ = run(tmp_path, predicted=lines, reference=lines)
    cut = [name[:10] for name in table]
    assert len(set(cut)) == len(cut) == 13


def test_no_image_in_common_is_reported(write: Write, tmp_path: Path) -> None:
    result, _, listener = run(
        tmp_path,
        predicted=write("p", [front(0)], date=DAYS[:1]),
        reference=write("r", [front(0)], date=DAYS[1:2]),
    )
    assert result["MEAN_DISTANCE_ERROR"] is None
    assert (result["MISSED"], result["UNMATCHED"]) == (1, 1)
    assert "MATCH_FIELDS" in listener.warnings[0]


def test_a_mask_beside_the_reference_is_refused(write: Write, tmp_path: Path) -> None:
    far = write("m", [shapely.affinity.translate(shapely.box(0, 0, 9, 9), *(ORIGIN + 1e5))])
    lines = write("r", [front(0)])
    with pytest.raises(EngineError, match="inside MASK"):
        run(tmp_path, predicted=lines, reference=lines, mask=far)
    assert not (tmp_path / "out.gpkg").exists()


def test_coverage_is_the_share_of_points_within_the_stated_uncertainty() -> None:
    errors = np.abs(np.random.default_rng(0).normal(0, 50, 20_000))
    rows = coverage(np.column_stack([errors, np.full(errors.size, 50.0)]))
    shares = [row["Share of points (%)"] for row in rows]
    expected = [100 * math.erf(factor / math.sqrt(2)) for factor in (0.5, 1, 1.5, 2, 3)]
    np.testing.assert_allclose(shares, expected, atol=1)


def test_the_report_puts_the_worst_image_first_and_breaks_down_by_glacier(
    write: Write, tmp_path: Path
) -> None:
    offsets, names = [40.0, 400.0, 90.0], ["A", "B", "A"]
    reference = write("r", [front(0)] * 3, date=DAYS, glacier=names)
    predicted = write("p", [front(x) for x in offsets], date=DAYS, uncertainty_m=[50.0] * 3)
    report = tmp_path / "out.html"
    run(tmp_path, predicted=predicted, reference=reference, report=report)
    glaciers, within, every = read_report(report).tables[1:4]
    errors = {row["Glacier"]: float(row["Mean distance error (m)"]) for row in glaciers}
    assert errors == {"A": 65, "B": 400}
    shares = {row["Within"]: float(row["Share of points (%)"]) for row in within}
    assert shares["1 × stated"] == pytest.approx(100 / 3, abs=0.1)
    assert [float(row["mean_m"]) for row in every] == [400, 90, 40]


def test_the_name_of_a_glacier_stays_text(write: Write, tmp_path: Path) -> None:
    names = [HOSTILE, "A", HOSTILE]
    reference = write("r", [front(0)] * 3, date=DAYS, glacier=names)
    predicted = write("p", [front(40)] * 3, date=DAYS, glacier=names)
    report = tmp_path / "out.html"
    run(tmp_path, predicted=predicted, reference=reference, report=report)
    assert_shown_as_text(report)


@pytest.mark.parametrize("fill", [-9999, 9999, 0])
def test_lines_with_a_fill_value_for_a_date_are_of_no_image(
    write: Write, tmp_path: Path, fill: int
) -> None:
    days = [20150701, 20160701]
    reference = write("r", [front(0), front(0), front(0)], date=[*days, fill])
    predicted = write("p", [front(30), front(30), front(2000)], date=[*days, fill])
    result, table, listener = run(tmp_path, predicted=predicted, reference=reference)
    assert result["MEAN_DISTANCE_ERROR"] == pytest.approx(30)
    assert len(table) == result["IMAGES"] == 2
    assert listener.warnings[:2] == [
        f"{role}: 1 of 3 lines have no date in 'date' ({fill}) and are left out."
        for role in ("PREDICTED", "REFERENCE")
    ]
    with pytest.raises(EngineError, match="Fill them in, as in 2018-06-02"):
        run(
            tmp_path,
            predicted=write("n", [front(30)], date=[fill]),
            reference=reference,
            match_fields=("date",),
        )
