"""`comparetermini` on files, with errors that are known beforehand."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from listener import Listener
from shapely import LineString

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.compare import CompareTermini
from glacier_qgis.models.fronts.compare_report import coverage

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
    listener = Listener()
    with Outputs("0123abcd") as outputs:
        result = job.run(listener, outputs)
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
        assert table.predicted_lines[0] == 1


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
    with pytest.raises(EngineError, match="PREDICTED has no field 'scene'; it has date, glacier"):
        run(tmp_path, **given, match_fields=["scene"])


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
    assert table.predicted_lines[0] == 2


def test_layers_in_different_systems_are_compared_in_metres(write: Write, tmp_path: Path) -> None:
    dense = [shapely.segmentize(front(x), 20) for x in (0, 75)]
    result, _, _ = run(
        tmp_path,
        predicted=write("p", dense[1:], crs="EPSG:3413"),
        reference=write("r", dense[:1], crs="EPSG:4326"),
    )
    assert result["MEAN_DISTANCE_ERROR"] == pytest.approx(75, abs=0.01)


def test_no_image_in_common_is_told(write: Write, tmp_path: Path) -> None:
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
    glaciers, within, every = tables(report)[1:4]
    errors = {row["Glacier"]: float(row["Mean distance error (m)"]) for row in glaciers}
    assert errors == {"A": 65, "B": 400}
    shares = {row["Within"]: float(row["Share of points (%)"]) for row in within}
    assert shares["1 × stated"] == pytest.approx(100 / 3, abs=0.1)
    assert [float(row["mean_m"]) for row in every] == [400, 90, 40]


def tables(report: Path) -> list[list[dict[str, str]]]:
    """Read the tables of a page, a row a mapping from the names of its columns."""
    found = []
    for table in re.findall(r"<table>.*?</table>", report.read_text(encoding="utf-8"), re.S):
        head = re.findall(r"<th scope=.col.[^>]*>([^<]*)</th>", table)
        rows = re.findall(r"<tr>(<td.*?)</tr>", table)
        texts = [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in rows]
        found.append([dict(zip(head, row, strict=True)) for row in texts])
    return found
