"""The project's time: what the temporal controller plays at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, cast

from qgis import utils
from qgis.core import (
    Qgis,
    QgsDateTimeRange,
    QgsExpression,
    QgsInterval,
    QgsMapLayer,
    QgsProject,
    QgsRasterLayer,
    QgsRasterLayerTemporalProperties,
    QgsReadWriteContext,
    QgsTemporalNavigationObject,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsVectorLayer,
    QgsVectorLayerTemporalProperties,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QMetaObject, QTime, QTimeZone
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtXml import QDomDocument

from glacier_qgis.styles.time import moment
from glacier_qgis.translation import tr

if TYPE_CHECKING:
    from qgis.gui import QgsMapCanvas

FIRST_YEAR, LAST_YEAR = 1, 9999
"""That projects and files of QGIS can hold."""
TITLE = "TitleLabel"
"""Where projects keep the title on the map."""
SLACK = 3
"""Days off the end: QGIS counts years of 365.2425 days, and would add an empty frame."""
BOTTOM_CENTRE = 5
"""Where no message covers it."""
TO = QgsExpression.quotedString(f" {tr('to')} ")
TIME_LABEL = f"""[% with_variable('first', @map_start_time, with_variable('last',
@map_end_time - make_interval(seconds:=1), case
when @first is null then ''
when format_date(@first, 'MMdd') = '0101' and format_date(@last, 'MMdd') = '1231'
then format_date(@first, 'yyyy')
when to_date(@first) = to_date(@last) then format_date(@first, 'yyyy-MM-dd')
else format_date(@first, 'yyyy-MM-dd') || {TO} || format_date(@last, 'yyyy-MM-dd') end)) %]"""
"""The year that a frame of whole years begins with, its day, or its first and last day."""
ABOUT_A_YEAR = range(300, 431)
"""Days between scenes that are taken once a year."""


def offer_time(project: QgsProject, layer: QgsMapLayer, years: Sequence[float]) -> None:
    """Let a project without time play a layer: see `play`."""
    if project.timeSettings().temporalRange().isInfinite():
        play(project, layer, years)


def play(project: QgsProject, layer: QgsMapLayer, years: Sequence[float] = ()) -> None:
    """Make a layer's time that of the project and of the temporal controller, if it has any.

    Args:
        project: Whose time is set.
        layer: One of ours.
        years: The times of the whole run, of which a layer may show a part; none for the layer's.
    """
    properties = layer.temporalProperties()
    if not (properties and properties.isActive() and fits_calendar(layer)):
        return
    begins, end = moments(layer)
    if not begins:
        return
    if len(years) > 1:
        begins, end = [moment(year) for year in years], moment(2 * years[-1] - years[-2])
    if not in_calendar(begins[0], end):
        return
    whole, step = frames(begins, end)
    settings = project.timeSettings()
    settings.setTemporalRange(whole)
    settings.setTimeStep(step.originalDuration())
    settings.setTimeStepUnit(step.originalUnit())
    _show_year(project)
    _set_controller(whole, step)


def fits_calendar(layer: QgsMapLayer) -> bool:
    """Whether projects and files can hold when a layer of ours is shown."""
    properties = layer.temporalProperties()
    if not (properties and properties.isActive()):
        return True
    begins, end = moments(layer)
    return not begins or in_calendar(begins[0], end)


def in_calendar(begin: QDateTime, end: QDateTime) -> bool:
    """Whether projects and files can hold a span."""
    return bool(FIRST_YEAR <= begin.date().year() <= end.date().year() <= LAST_YEAR)


def moments(layer: QgsMapLayer) -> tuple[list[QDateTime], QDateTime]:
    """Return when the states of a temporal layer of ours begin to show, and when the last ends."""
    if isinstance(layer, QgsRasterLayer):
        properties = cast(QgsRasterLayerTemporalProperties, layer.temporalProperties())
        if properties.mode() == Qgis.RasterTemporalMode.FixedTemporalRange:
            spans = [properties.fixedTemporalRange()]
        else:
            spans = list(properties.fixedRangePerBand().values())
        instant = QDateTime.toMSecsSinceEpoch
        begins = sorted((span.begin() for span in spans), key=instant)
        return begins, max((span.end() for span in spans), key=instant)
    lines = cast(QgsVectorLayer, layer)
    time = cast(QgsVectorLayerTemporalProperties, lines.temporalProperties())
    if time.mode() == Qgis.VectorTemporalMode.FeatureDateTimeInstantFromField:
        found = lines.uniqueValues(lines.fields().indexOf(time.startField()))
        days = [day for day in found if isinstance(day, QDate) and day.isValid()]
        days.sort(key=QDate.toJulianDay)
        begins = [QDateTime(day, QTime(0, 0), QTimeZone.utc()) for day in days]
        return begins, begins[-1].addDays(1)
    times, ends = (lines.uniqueValues(lines.fields().indexOf(name)) for name in ("time", "until"))
    return [moment(year) for year in sorted(times)], moment(max(ends))


def frames(begins: Sequence[QDateTime], end: QDateTime) -> tuple[QgsDateTimeRange, QgsInterval]:
    """Return the range and the step in which states are played, one per frame where that can be.

    The step is the time from one state to the next; the median, if that differs. States of one per
    year, on any day, are played by calendar years.
    """
    whole = QgsDateTimeRange(begins[0], end)
    days = [begin.date() for begin in begins]
    gaps = [(first, second) for first, second in pairwise(days) if first != second]
    if not gaps:
        return whole, QgsInterval(1, Qgis.TemporalUnit.Days)
    years = [second.year() - first.year() for first, second in gaps if _same_day(first, second)]
    if len(years) * 2 > len(gaps):
        played = QgsDateTimeRange(begins[0], end.addDays(-SLACK))
        return played, QgsInterval(round(median(years)), Qgis.TemporalUnit.Years)
    step = round(median(first.daysTo(second) for first, second in gaps))
    if step in ABOUT_A_YEAR and all(first.year() < second.year() for first, second in gaps):
        after = _new_year(days[-1].year() + 1)
        calendar = QgsDateTimeRange(_new_year(days[0].year()), after.addDays(-SLACK))
        return calendar, QgsInterval(1, Qgis.TemporalUnit.Years)
    return whole, QgsInterval(step, Qgis.TemporalUnit.Days)


def _new_year(year: int) -> QDateTime:
    return QDateTime(QDate(year, 1, 1), QTime(0, 0), QTimeZone.utc())


def _same_day(first: QDate, second: QDate) -> bool:
    return (first.month(), first.day()) == (second.month(), second.day())


def _show_year(project: QgsProject) -> None:
    """Write the time that is shown on the map: QGIS' own title label, unless it is in use."""
    if project.readBoolEntry(TITLE, "/Enabled", False)[0] or project.readEntry(TITLE, "/Label")[0]:
        return
    text = QgsTextFormat()
    text.setSize(20)
    text.setColor(QColor("black"))
    halo = QgsTextBufferSettings()
    halo.setEnabled(True)
    halo.setSize(0.8)
    text.setBuffer(halo)
    document = QDomDocument()
    document.appendChild(text.writeXml(document, QgsReadWriteContext()))
    project.writeEntry(TITLE, "/Font", document.toString())
    project.writeEntry(TITLE, "/Label", TIME_LABEL)
    project.writeEntry(TITLE, "/BackgroundColor", "255,255,255,0")
    project.writeEntry(TITLE, "/Placement", BOTTOM_CENTRE)
    project.writeEntryBool(TITLE, "/Enabled", True)
    if utils.iface is not None:  # what QGIS itself does when a project is opened
        QMetaObject.invokeMethod(utils.iface.mainWindow(), "projectReadDecorationItems")


def show_all_times(canvas: QgsMapCanvas) -> None:
    """Show all layers where time is not navigated.

    QGIS passes a frame to the map also from a temporal controller that is off: when its step is
    set, and so whenever a project with a time is opened.
    """
    controller = canvas.temporalController()
    if not isinstance(controller, QgsTemporalNavigationObject):
        return
    is_off = controller.navigationMode() == Qgis.TemporalNavigationMode.Disabled
    if is_off and not canvas.temporalRange().isInfinite():
        canvas.setTemporalRange(QgsDateTimeRange(QDateTime(), QDateTime()))


def _set_controller(whole: QgsDateTimeRange, step: QgsInterval) -> None:
    """Let an open temporal controller follow, and begin where it is in use."""
    canvas = utils.iface.mapCanvas() if utils.iface is not None else None
    if canvas is None:
        return
    controller = canvas.temporalController()
    if not isinstance(controller, QgsTemporalNavigationObject):
        return
    controller.setTemporalExtents(whole)
    controller.setFrameDuration(step)
    controller.rewindToStart()
    show_all_times(canvas)
