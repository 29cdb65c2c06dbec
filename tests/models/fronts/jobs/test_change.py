"""`terminuschange` on files: fronts that move as prescribed, and everything that files can be."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import MultiLineString

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.units import DAYS_A_YEAR
from glacier_qgis.models.fronts.change.positions import COLUMNS
from glacier_qgis.models.fronts.change.trend import fit_trend
from glacier_qgis.models.fronts.jobs.change import TerminusChange
from kit.engine.reports import HOSTILE, assert_shown_as_text, read_report
from kit.fronts.moving_fronts import (
    BOX,
    CENTRELINE,
    DATES,
    METHODS,
    OPEN_BOX,
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


@pytest.fixture
def termini(write: Write) -> dict[str, str]:
    return write(
        "termini",
        [front(position) for position in POSITIONS],
        date=pd.to_datetime(list(DATES)),
        image_id=["a", "b", "c"],
        uncertainty_m=[30.0, 40.0, 50.0],
    )


@pytest.fixture
def references(write: Write) -> dict[str, Any]:
    return {"centerline": write("centreline", [CENTRELINE]), "box": write("box", [BOX])}


@pytest.mark.parametrize("method", METHODS)
def test_three_straight_fronts(
    termini: dict[str, str], references: dict[str, Any], tmp_path: Path, method: str
) -> None:
    result, table, listener = run(tmp_path, termini=termini, method=method, **references)
    assert list(table) == list(COLUMNS)
    np.testing.assert_allclose(table.distance_m, [0, -400, -100], atol=1e-5)
    np.testing.assert_allclose(table.change_m, [np.nan, -400, 300], atol=1e-5)
    np.testing.assert_allclose(table.uncertainty_m, [30, 40, 50])
    years = np.array([366, 730]) / DAYS_A_YEAR
    np.testing.assert_allclose(table.rate_m_a[1:], np.array([-400, 300]) / years, rtol=1e-6)
    if method != "centreline":
        np.testing.assert_allclose(table.area_km2, [0, -0.4, -0.1], atol=1e-8)
    assert set(table.flag) == {"good"}
    assert (result["MEASURED"], result["NOT_MEASURED"], result["GLACIERS"]) == (3, 0, 1)
    assert result["CHANGE"] == pytest.approx(-100, abs=1e-5)
    slope = np.polyfit(np.array([0, 366, 1096]) / DAYS_A_YEAR, [0, -400, -100], 1)[0]
    assert result["RATE"] == pytest.approx(slope, rel=1e-6)
    assert result["RATE_ERROR"] > 0
    assert listener.warnings == []


def test_the_sign_follows_the_flow_however_it_is_stated(
    write: Write, termini: dict[str, str], references: dict[str, Any], tmp_path: Path
) -> None:
    """By the centreline, by an open box, or by the side of the fronts that the glacier is on."""
    method = "rectilinear box"
    opened = write("open", [OPEN_BOX])
    box = references["box"]
    upstream = write("upstream", [CENTRELINE.reverse()])
    backwards = write("backwards", [front(p).reverse() for p in POSITIONS], date=list(DATES))
    for settings, sign in (
        ({"termini": termini, "box": opened}, 1),
        ({"termini": backwards, "box": opened}, 1),
        ({"termini": termini, "box": box}, 1),
        ({"termini": backwards, "box": box}, -1),
        ({"termini": backwards, "box": box, "centerline": references["centerline"]}, 1),
        ({"termini": backwards, "box": box, "centerline": upstream}, -1),
    ):
        result, _, _ = run(tmp_path, method=method, **settings)
        assert result["CHANGE"] == pytest.approx(sign * -100, abs=1e-5)


@pytest.mark.parametrize("name", ["outlier", "duplicate"])
def test_flagged_lines_do_not_pull_the_series_unless_asked_for(
    write: Write, references: dict[str, Any], tmp_path: Path, name: str
) -> None:
    flags = {name: [0, 0, 1, 0]}
    lines = [front(position) for position in (3000, 2900, 5000, 2700)]
    dates = ["2015-07-01", "2016-07-01", "2017-07-01", "2018-07-01"]
    termini = write("flagged", lines, date=dates, **flags)
    result, table, listener = run(tmp_path, termini=termini, **references)
    np.testing.assert_allclose(table.distance_m, [0, -100, -300], atol=1e-5)
    assert result["LEFT_OUT"] == 1
    assert f"1 of 4 lines are flagged ('{name}': 1)" in listener.warnings[0]
    result, table, listener = run(tmp_path, termini=termini, flagged=True, **references)
    np.testing.assert_allclose(table.distance_m, [0, -100, 2000, -300], atol=1e-5)
    assert result["LEFT_OUT"] == 0
    assert listener.warnings == []
    with pytest.raises(EngineError, match="all 4 lines are flagged"):
        run(tmp_path, termini=write("all", lines, date=dates, outlier=[1.0] * 4), **references)


def test_a_reversed_line_is_found_among_its_neighbours(
    write: Write, references: dict[str, Any], tmp_path: Path
) -> None:
    positions, dates = (3000, 2900, 2800, 2700, 2600), [f"201{n}-07-01" for n in range(5)]
    lines = [front(p).reverse() if p == 2800 else front(p) for p in positions]
    termini = write("reversed", lines, date=dates, image_id=list("abcde"))
    result, _, listener = run(
        tmp_path, termini=termini, method="rectilinear box", box=references["box"]
    )
    assert result["CHANGE"] == pytest.approx(-400, abs=1e-5)
    assert result["MEASURED"] == 5
    supposed, reversed_ = listener.warnings
    assert "Assuming that the glacier is on the left" in supposed
    assert "1 of 5 lines" in reversed_
    assert "2012-07-01 c" in reversed_


def test_lines_that_the_zones_gave_their_direction_decide_over_drawn_ones(
    write: Write, references: dict[str, Any], tmp_path: Path
) -> None:
    """Three of unknown direction against one of this software."""
    lines = [front(3000), *(front(position).reverse() for position in (2900, 2800, 2700))]
    software = ["glacier_qgis 1.0", None, "", "another program"]
    termini = write("mixed", lines, date=[f"201{n}-07-01" for n in range(4)], software=software)
    result, _, listener = run(
        tmp_path, termini=termini, method="rectilinear box", box=references["box"]
    )
    assert result["CHANGE"] == pytest.approx(-300, abs=1e-5)
    (warning,) = listener.warnings
    assert "3 of 4 lines run in the opposite direction" in warning


def test_fronts_drawn_in_different_directions_show_no_direction(
    write: Write, references: dict[str, Any], tmp_path: Path
) -> None:
    mixed = write("mixed", [front(3000), front(2600).reverse()], date=list(DATES[:2]))
    with pytest.raises(EngineError, match="different directions"):
        run(tmp_path, termini=mixed, method="rectilinear box", box=references["box"])


@pytest.mark.parametrize("method", METHODS)
def test_layers_in_degrees_are_measured_in_metres(
    write: Write, references: dict[str, Any], tmp_path: Path, method: str
) -> None:
    """Both layers are brought to the UTM zone of the fronts, whatever they come in."""
    lines = [shapely.segmentize(front(position), 20) for position in POSITIONS]
    degrees = write("degrees", lines, crs="EPSG:4326", date=list(DATES))
    result, table, _ = run(tmp_path, termini=degrees, method=method, **references)
    np.testing.assert_allclose(table.distance_m, [0, -400, -100], atol=1e-3)
    assert result["MEASURED"] == 3


def test_lines_of_one_image_are_one_front_and_images_of_one_day_are_two(
    write: Write, references: dict[str, Any], tmp_path: Path
) -> None:
    whole = front(3000)
    halves = [shapely.ops.substring(whole, a, b, normalized=True) for a, b in ((0, 0.4), (0.4, 1))]
    lines = [*halves, front(3010), MultiLineString([front(2500)])]
    termini = write(
        "pieces",
        lines,
        date=["2018-06-02"] * 3 + ["2019-06-02"],
        image_id=["a", "a", "b", "c"],
        uncertainty_m=[10.0, 40.0, 20.0, np.nan],
    )
    _, table, _ = run(tmp_path, termini=termini, method="curvilinear box", **references)
    np.testing.assert_allclose(table.distance_m, [0, 10, -500], atol=1e-5)
    np.testing.assert_allclose(table.uncertainty_m, [28, 20, np.nan])
    assert np.isnan(table.rate_m_a[1])
    assert table.rate_m_a[2] == pytest.approx(-510 * DAYS_A_YEAR / 365)


def test_what_cannot_be_measured_is_listed_with_its_reason(
    write: Write, references: dict[str, Any], tmp_path: Path
) -> None:
    short = line((2800, 100), (2800, -100))
    termini = write(
        "some",
        [front(3000), short, front(2500), front(2400)],
        date=[DATES[0], DATES[1], DATES[2], None],
    )
    result, table, listener = run(tmp_path, termini=termini, method="curvilinear box", **references)
    assert table.flag.tolist() == ["good", "not measured", "good"]
    assert "ends inside" in table.reason[1]
    assert np.isnan(table.distance_m[1])
    np.testing.assert_allclose(table.change_m[2], -500, atol=1e-5)
    assert (result["MEASURED"], result["NOT_MEASURED"]) == (2, 1)
    assert "1 of 4 lines have no date" in listener.warnings[0]


@pytest.mark.parametrize("kind", [int, str])
@pytest.mark.parametrize("fill", [0, -9999999, -999, -9999, 9999, 99999999, 19000101])
def test_a_fill_value_for_a_date_decides_no_rate(
    write: Write, references: dict[str, Any], tmp_path: Path, kind: type, fill: int
) -> None:
    days = [kind(day) for day in (20150701, 20160630, 20170630, fill)]
    fronts = [front(3000), front(2900), front(2800), front(1000)]
    termini = write("filled", fronts, date=days)
    result, table, listener = run(tmp_path, termini=termini, **references)
    assert result["MEASURED"] == len(table) == 3
    assert result["RATE"] == pytest.approx(-100, abs=0.5)
    assert listener.warnings[0] == (
        f"TERMINI: 1 of 4 lines have no date in 'date' ({fill}) and are left out."
    )


def test_a_date_that_is_in_the_future_is_named(
    write: Write, references: dict[str, Any], tmp_path: Path
) -> None:
    days = ["2015-07-01", "2016-07-01", "2108-07-01"]
    termini = write("typo", [front(3000), front(2900), front(2800)], date=days)
    _, table, listener = run(tmp_path, termini=termini, **references)
    assert len(table) == 3
    assert "in the future, the latest 2108-07-01" in listener.warnings[0]


@pytest.mark.parametrize(
    "dates",
    [
        ["20150701", "20160701", "20180701"],
        [20150701, 20160701, 20180701],
        pd.to_datetime(["2015-07-01T10:00Z", "2016-07-01T10:00Z", "2018-07-01T10:00Z"]),
    ],
)
def test_dates_may_be_text_numbers_or_times(
    write: Write, references: dict[str, Any], tmp_path: Path, dates: object
) -> None:
    termini = write("dated", [front(position) for position in POSITIONS], Datum=dates)
    result, table, _ = run(tmp_path, termini=termini, date_field="Datum", **references)
    assert result["CHANGE"] == pytest.approx(-100, abs=1e-5)
    assert [f"{date:%Y-%m-%d}" for date in table.date] == list(DATES)


def test_a_single_date_has_no_rate(
    write: Write, references: dict[str, Any], tmp_path: Path
) -> None:
    termini = write("one", [front(3000)], date=[DATES[0]])
    result, table, _ = run(tmp_path, termini=termini, **references)
    assert result["CHANGE"] == 0
    assert result["RATE"] is result["RATE_ERROR"] is None
    assert table.position_m[0] == pytest.approx(3000, abs=1e-5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"date_field": "day"}, "no field 'day'.*with dates from: date"),
        ({"centerline": {"path": "nowhere.gpkg"}}, "CENTERLINE: nowhere"),
        ({"method": "curvilinear box", "box_width": 4000}, "narrower"),
        ({"termini": "box"}, "has no lines"),
    ],
)
def test_refusals_name_the_remedy_and_write_nothing(
    termini: dict[str, str],
    references: dict[str, Any],
    tmp_path: Path,
    change: dict[str, Any],
    words: str,
) -> None:
    given = {"termini": termini, **references, **change}
    if given["termini"] == "box":
        given["termini"] = references["box"]
    with pytest.raises(EngineError, match=words):
        run(tmp_path, **given)
    assert not list(tmp_path.glob("*out*"))


@pytest.mark.parametrize(
    ("method", "missing"),
    [("centreline", "CENTERLINE"), ("curvilinear box", "CENTERLINE"), ("rectilinear box", "BOX")],
)
def test_a_method_says_what_it_lacks(method: str, missing: str) -> None:
    with pytest.raises(ValueError, match=f"{method}' needs {missing}"):
        TerminusChange.model_validate({"termini": {"path": "x.gpkg"}, "method": method})


def test_the_report_shows_the_positions_that_the_table_holds(
    termini: dict[str, str], references: dict[str, Any], tmp_path: Path
) -> None:
    report = tmp_path / "out.html"
    run(tmp_path, termini=termini, method="curvilinear box", report=report, **references)
    page = report.read_text(encoding="utf-8")
    start = page.index("[", page.index("Plotly.newPlot(", page.index('id="figure-1"')))
    curves, end = json.JSONDecoder().raw_decode(page[start:])
    np.testing.assert_allclose(drawn(curves[0]["y"]), [0, -400, -100], atol=1e-5)
    np.testing.assert_allclose(drawn(curves[0]["error_y"]["array"]), [30, 40, 50])
    assert "−100.0" in page[start + end :]
    assert "10.3189/2014JoG13J061" in page


def test_the_names_of_glaciers_and_images_stay_text(
    write: Write, references: dict[str, Any], tmp_path: Path
) -> None:
    fronts = [front(position) for position in POSITIONS]
    names = {"glacier": [HOSTILE] * 3, "image_id": [HOSTILE] * 3}
    termini = write("hostile", fronts, date=pd.to_datetime(list(DATES)), **names)
    report = tmp_path / "out.html"
    run(tmp_path, termini=termini, report=report, **references)
    assert_shown_as_text(report)
    (rows,) = (table for table in read_report(report).tables if "Image" in table[0])
    assert {row["Image"] for row in rows} == {HOSTILE}


def drawn(values: dict[str, str]) -> np.ndarray:
    """Numbers as plotly packs them."""
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])


@pytest.mark.parametrize("seed", range(3))
def test_a_rate_is_found_within_its_standard_error_beside_a_yearly_cycle(seed: int) -> None:
    rng = np.random.default_rng(seed)
    years = np.sort(rng.uniform(2014, 2020, 90))
    noise = rng.normal(0, 40, years.size)
    positions = 5000 - 120 * (years - 2017) + 200 * np.sin(2 * np.pi * (years - 0.2)) + noise
    trend = fit_trend(years, positions, np.full(years.size, math.nan))
    assert trend is not None
    assert abs(trend.rate_m_a + 120) < 3 * trend.error_m_a < 20
    assert trend.amplitude_m == pytest.approx(200, abs=20)


def test_of_two_positions_the_error_of_the_rate_is_that_of_their_difference() -> None:
    trend = fit_trend(np.array([2010.0, 2014.0]), np.array([0.0, 80.0]), np.array([30.0, 40.0]))
    assert trend is not None
    assert trend.rate_m_a == pytest.approx(20)
    assert trend.error_m_a == pytest.approx(50 / 4)
    assert math.isnan(trend.amplitude_m)


def test_summers_alone_show_no_yearly_cycle() -> None:
    years = np.repeat(np.arange(2010.0, 2020.0), 3) + np.tile([0.5, 0.55, 0.6], 10)
    trend = fit_trend(years, 10 * years, np.full(years.size, math.nan))
    assert trend is not None
    assert math.isnan(trend.amplitude_m)
