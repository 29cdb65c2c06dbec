"""Positions of fronts over time: a table and a trend for every glacier."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.engine.units import DAYS_A_YEAR, SQUARE_KILOMETRE
from glacier_qgis.models.fronts.change.axis import warn_if_landward
from glacier_qgis.models.fronts.change.flow_direction import drawn_here
from glacier_qgis.models.fronts.change.gauges import Gauge
from glacier_qgis.models.fronts.change.references import Reference
from glacier_qgis.models.fronts.change.trend import Trend, fit_trend
from glacier_qgis.models.vector.dates import read_dates, undated
from glacier_qgis.models.vector.glaciers import (
    as_first_written,
    glacier_names,
    same_name,
)
from glacier_qgis.models.vector.lines import line_parts

GOOD, DOUBTFUL, NOT_MEASURED = "good", "doubtful", "not measured"

COLUMNS = {
    "glacier": "str",
    "date": "datetime64[ms]",
    "image_id": "str",
    "position_m": "float64",
    "distance_m": "float64",
    "change_m": "float64",
    "rate_m_a": "float64",
    "area_km2": "float64",
    "area_change_km2": "float64",
    "uncertainty_m": "float64",
    "flag": "str",
    "reason": "str",
}
"""Name and type of each column of the table. ``position_m`` is measured from the up-glacier end of
the centreline or box; ``distance_m`` and ``area_km2`` from the first measured date; changes and
rates from the previous date. Advance is positive."""


@dataclass(frozen=True)
class Series:
    """The positions of one glacier's front.

    Attributes:
        glacier: Its name, possibly empty.
        gauge: Centreline or box.
        fronts: The lines, with ``date``.
        table: One row per image, with `COLUMNS`, in order of time.
        trend: Of the distances; None if fewer than two dates were measured.
    """

    glacier: str
    gauge: Gauge
    fronts: gpd.GeoDataFrame
    table: pd.DataFrame
    trend: Trend | None

    @property
    def measured(self) -> pd.DataFrame:
        """The rows that have a position."""
        return self.table[self.table.position_m.notna()]


FLAGS = ("outlier", "duplicate")
"""Fields of a series of fronts that mark lines which are doubtful or duplicates; 0 means
unmarked."""


def unflagged(frame: gpd.GeoDataFrame, reporter: Reporter) -> gpd.GeoDataFrame:
    """Return the lines without any of `FLAGS`.

    Raises:
        EngineError: No line remains.
    """
    counts, flagged = [], np.zeros(len(frame), dtype=bool)
    for name in FLAGS:
        if name in frame:
            marked = pd.to_numeric(frame[name], errors="coerce").fillna(0).to_numpy() != 0
            counts += [f"'{name}': {marked.sum()}"] if marked.any() else []
            flagged |= marked
    if flagged.all():
        raise EngineError(
            f"TERMINI: all {len(frame)} lines are flagged ({', '.join(counts)}). Check them and "
            "set the field to 0 where a line is correct, or switch FLAGGED on to measure all of "
            "them."
        )
    if counts:
        reporter.warning(
            f"{flagged.sum()} of {len(frame)} lines are flagged ({', '.join(counts)}) and are left "
            "out. Switch FLAGGED on to measure them too."
        )
    return frame[~flagged]


def dated_fronts(frame: gpd.GeoDataFrame, date_field: str, reporter: Reporter) -> gpd.GeoDataFrame:
    """Return the lines that have a date, with the columns that are needed."""
    dates = read_dates(frame, date_field, "TERMINI")
    if lacking := undated(frame, date_field, dates):
        reporter.warning(f"TERMINI: {lacking} and are left out.")
    if dates.isna().all():
        raise EngineError(
            f"TERMINI: no line has a date in the field '{date_field}'. Fill it in, as in "
            "2018-06-02, or choose another DATE_FIELD."
        )
    if (ahead := dates > pd.Timestamp.now() + pd.Timedelta(days=1)).any():
        reporter.warning(
            f"TERMINI: {ahead.sum()} of {len(frame)} lines have a date in the future, the latest "
            f"{dates.max():%Y-%m-%d}. Correct '{date_field}' if that is a mistake."
        )
    images = frame.get("image_id", pd.Series("", frame.index)).fillna("").astype(str)
    stated = frame.get("uncertainty_m", pd.Series(math.nan, frame.index))
    fronts = gpd.GeoDataFrame(
        {
            "glacier": as_first_written(glacier_names(frame)),
            "date": dates,
            "image_id": images,
            "directed": drawn_here(frame),
            "uncertainty_m": pd.to_numeric(stated, errors="coerce"),
        },
        geometry=shapely.force_2d(frame.geometry.to_numpy()),
        crs=frame.crs,
    )
    return fronts[dates.notna()]


def every_series(
    references: Sequence[Reference],
    fronts_in: Callable[[CRS], gpd.GeoDataFrame],
    reporter: Reporter,
) -> list[Series]:
    """Measure every glacier; one without any measured front is left out with a warning.

    Args:
        references: Centrelines or boxes.
        fronts_in: Returns the fronts, see `dated_fronts`, in a CRS.
        reporter: Receives warnings of fronts without a reference, and of references that run from
            the sea to the glacier.

    Raises:
        EngineError: No position could be measured.
    """
    every, reasons = [], [_NOBODYS]
    _warn_of_unreferenced(references, fronts_in(references[0].crs), reporter)
    for number, reference in enumerate(references):
        reporter.progress(number / len(references), "Measuring")
        fronts = fronts_in(reference.crs)
        if reference.axis is not None:
            warn_if_landward(reference.axis, reference.glacier, fronts, reporter)
        found, missed = False, [_NOBODYS]
        for glacier, lines in _lines_of(reference, fronts):
            table = measure(reference.gauge, lines, glacier)
            measured = table[table.position_m.notna()]
            if measured.empty:
                missed += table.reason.tolist()
                continue
            found = True
            trend = fit_trend(
                decimal_years(measured.date),
                measured.distance_m.to_numpy(),
                measured.uncertainty_m.to_numpy(),
            )
            every.append(Series(glacier, reference.gauge, lines, table, trend))
        reasons += missed[1:]
        if not found:
            reporter.warning(
                f"Nothing was measured for the centreline or box '{reference.glacier}': "
                f"{missed[-1]}."
            )
    if not every:
        common = max(reasons[1:] or reasons, key=reasons.count)
        raise EngineError(
            f"No position could be measured: {common}. Check that the centreline or box crosses "
            "the fronts, extends beyond all of them at both ends, and is narrower than they are."
        )
    return every


_NOBODYS = "no line of TERMINI is of its glacier"


def _warn_of_unreferenced(
    references: Sequence[Reference], fronts: gpd.GeoDataFrame, reporter: Reporter
) -> None:
    """Warn of glaciers without a reference; a reference without a name is for any glacier."""
    referenced = {same_name(reference.glacier) for reference in references}
    strange = fronts[~fronts.glacier.map(same_name).isin({"", *referenced})]
    if "" not in referenced and len(strange):
        names = sorted(set(strange.glacier))
        reporter.warning(
            f"{len(strange)} of {len(fronts)} lines belong to {len(names)} glacier(s) without a "
            f"centreline or box and are left out: {listed(names)}. Draw one for each, or give it "
            "the same 'glacier' as the lines."
        )


def _lines_of(
    reference: Reference, fronts: gpd.GeoDataFrame
) -> Iterator[tuple[str, gpd.GeoDataFrame]]:
    """Yield the glaciers, with their lines, that may belong to a reference."""
    if reference.glacier:
        own = fronts[fronts.glacier.map(same_name).isin(["", same_name(reference.glacier)])]
        if len(own):
            yield reference.glacier, own
    else:
        yield from fronts.groupby("glacier", sort=True)


def measure(gauge: Gauge, fronts: gpd.GeoDataFrame, glacier: str) -> pd.DataFrame:
    """Measure the position of every front.

    Args:
        gauge: Centreline or box.
        fronts: Lines with ``date``, ``image_id`` and ``uncertainty_m``; lines of one date and image
            are one front.
        glacier: Its name.

    Returns:
        One row per front, with `COLUMNS`, in order of time.
    """
    rows = []
    for (date, image), group in fronts.groupby(["date", "image_id"], sort=True):
        reading = gauge.read([part for line in group.geometry for part in line_parts(line)])
        near = group[shapely.intersects(gauge.reach, group.geometry.to_numpy())]
        found = math.isfinite(reading.position_m)
        rows.append(
            {
                "glacier": glacier,
                "date": date,
                "image_id": image,
                "position_m": reading.position_m,
                "area_km2": reading.area_m2 / SQUARE_KILOMETRE,
                "uncertainty_m": _mean_uncertainty(near) if found else math.nan,
                "flag": (DOUBTFUL if reading.reason else GOOD) if found else NOT_MEASURED,
                "reason": reading.reason,
            }
        )
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    measured = table.position_m.notna()
    position, area = table.position_m[measured], table.area_km2[measured]
    table["distance_m"] = position - position.iloc[:1].sum()
    table["area_km2"] = area - area.iloc[:1].sum()
    table["change_m"] = position.diff()
    table["area_change_km2"] = area.diff()
    years = pd.Series(decimal_years(table.date[measured]), position.index).diff()
    table["rate_m_a"] = (position.diff() / years)[years > 0]
    return table.astype(COLUMNS)


def decimal_years(dates: pd.Series[pd.Timestamp]) -> NDArray[np.float64]:
    """Return times in years of `DAYS_A_YEAR`, such as 2018.5."""
    elapsed = dates.to_numpy(dtype="datetime64[ms]") - np.datetime64("2000-01-01", "ms")
    return np.asarray(2000 + elapsed / np.timedelta64(1, "D") / DAYS_A_YEAR)


def _mean_uncertainty(lines: gpd.GeoDataFrame) -> float:
    """Average over the lines, weighted by their lengths."""
    return float(np.average(lines.uncertainty_m, weights=lines.geometry.length))
