"""How states are cut into frames of the temporal controller, and what the map says of a frame."""

from __future__ import annotations

import pytest
from qgis.core import (
    Qgis,
    QgsDateTimeRange,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextScope,
    QgsProject,
    QgsRasterLayer,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QTime, QTimeZone

from glacier_qgis.results.project_time import TIME_LABEL, frames, play


def day(text: str) -> QDateTime:
    return QDateTime(QDate.fromString(text, "yyyy-MM-dd"), QTime(0, 0), QTimeZone.utc())


SUMMERS = ["2009-06-21", "2010-07-11", "2011-07-20", "2012-08-09", "2014-09-18"]


def test_one_scene_per_summer_is_one_per_frame() -> None:
    begins = [day(text) for text in SUMMERS]
    whole, step = frames(begins, begins[-1].addDays(1))
    assert (whole.begin(), whole.end()) == (day("2009-01-01"), day("2014-12-29"))
    assert (step.originalDuration(), step.originalUnit()) == (1, Qgis.TemporalUnit.Years)


@pytest.mark.parametrize(
    ("days", "step", "unit"),
    [
        (["2018-06-02", "2018-06-14", "2018-06-26"], 12, Qgis.TemporalUnit.Days),
        (["2000-01-01", "2010-01-01", "2020-01-01"], 10, Qgis.TemporalUnit.Years),
        (["2018-06-02"], 1, Qgis.TemporalUnit.Days),
        (["2009-01-10", "2009-12-20", "2010-11-20"], 340, Qgis.TemporalUnit.Days),  # two in a year
    ],
)
def test_others_are_played_by_their_interval(
    days: list[str], step: int, unit: Qgis.TemporalUnit
) -> None:
    begins = [day(text) for text in days]
    whole, found = frames(begins, begins[-1].addDays(1))
    assert whole.begin() == begins[0]
    assert (found.originalDuration(), found.originalUnit()) == (step, unit)


@pytest.mark.parametrize(
    ("years", "plays"),
    [([1.0, 2.0], True), ([0.0, 1.0, 2.0], False), ([9997.0, 9999.0], False), ([], True)],
)
def test_a_run_that_no_project_can_hold_sets_no_time(
    window: object, years: list[float], plays: bool
) -> None:
    layer = QgsRasterLayer("nowhere.tif", "from year 1", "gdal")  # as outlines of a run from 0
    properties = layer.temporalProperties()
    properties.setMode(Qgis.RasterTemporalMode.FixedTemporalRange)
    properties.setFixedTemporalRange(QgsDateTimeRange(day("0001-01-01"), day("0003-01-01")))
    properties.setIsActive(True)
    project = QgsProject()
    play(project, layer, years)
    assert project.timeSettings().temporalRange().isInfinite() is not plays


@pytest.mark.parametrize(
    ("begin", "end", "label"),
    [
        ("2009-01-01", "2010-01-01", "2009"),
        ("2050-01-01", "2060-01-01", "2050"),
        ("2018-06-02", "2018-06-03", "2018-06-02"),
        ("2012-08-19", "2013-09-08", "2012-08-19 to 2013-09-07"),
    ],
)
def test_the_map_says_which_time_it_shows(begin: str, end: str, label: str) -> None:
    scope = QgsExpressionContextScope()
    scope.setVariable("map_start_time", day(begin))
    scope.setVariable("map_end_time", day(end))
    context = QgsExpressionContext()
    context.appendScope(scope)
    assert QgsExpression.replaceExpressionText(TIME_LABEL, context) == label


def test_a_map_without_time_says_nothing() -> None:
    assert QgsExpression.replaceExpressionText(TIME_LABEL, QgsExpressionContext()) == ""
