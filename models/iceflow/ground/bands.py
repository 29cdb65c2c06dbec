"""Choice of one band of a raster, and the year of each band."""

from __future__ import annotations

import re
from typing import Any

import netCDF4
from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.raster.source import Scene

NUMBER = r"(?:(?<![^\W_])-)?\d+(?:\.\d+)?"
"""A number in the name of a band; a hyphen between a word and digits is not a minus sign."""
_YEAR = re.compile(rf"\byears?[\s:=]*({NUMBER})|\b(1[5-9]\d\d|2[0-2]\d\d)(?!\d)", re.IGNORECASE)
"""A year in the name of a band that may hold other numbers."""
_YEARS = r"(?:(?:common_)?years?|yrs?|a)"
"""Units of time that are years already."""
SAME_YEAR = 0.01
"""Tolerance between two times, a, for calendars and rounding."""


def choose_band(scene: Scene, year: float | None, reporter: Reporter) -> int:
    """Return the band to read where a single one is needed.

    Args:
        scene: The raster.
        year: The requested time, a; None if the job has no time.
        reporter: Receives the choice among several bands.

    Raises:
        EngineError: There are several, and the choice is not determined.
    """
    dataset = scene.dataset
    bands = [
        band
        for band, kind in enumerate(dataset.colorinterp, 1)
        if kind != ColorInterp.alpha or dataset.count == 1
    ]
    if scene.band is not None or len(bands) == 1:
        return scene.band or bands[0]
    years = {band: year_of_band(dataset, band) for band in bands}
    fitting = [
        band
        for band, said in years.items()
        if said is not None and year is not None and abs(said - year) < SAME_YEAR
    ]
    if len(fitting) == 1:
        reporter.log(
            f"{scene.role}: using band {fitting[0]} of {len(bands)}, of the year {year:g}."
        )
        return fitting[0]
    names = listed([_name(dataset, band, years[band]) for band in bands])
    wanted = "" if year is None else f", but not exactly one of them is of the year {year:g}"
    raise EngineError(
        f"{scene.role}: {scene.name} has {len(bands)} bands ({names}), and one is needed{wanted}. "
        "Choose the one to use in the layer's properties, or write it to a separate file with "
        "'Rearrange bands'."
    )


def year_of_band(dataset: DatasetReader, band: int) -> float | None:
    """Return the year of a band, from its tag YEAR, its time in a NetCDF, or its name."""
    tags = dataset.tags(band)
    for said in (tags.get("YEAR"), tags.get("TIME")):
        if said and (numbers := re.findall(NUMBER, said)) and len(numbers) == 1:
            return float(numbers[0])
    if (time := tags.get("NETCDF_DIM_time")) is not None:
        every = dataset.tags()
        calendar = every.get("time#calendar", "standard")
        return year_of_time(float(time), every.get("time#units", ""), calendar)
    found = _YEAR.findall(dataset.descriptions[band - 1] or "")
    return float("".join(found[0])) if len(found) == 1 else None


def year_of_time(time: float, unit: str, calendar: str = "standard") -> float | None:
    """Return a time of a NetCDF in years; None if its unit is not a time."""
    if re.fullmatch(rf"\s*{_YEARS}\s*", unit):
        return time
    if re.match(rf"\s*{_YEARS}\s+since", unit):
        begin = re.findall(r"since\s+(-?\d+)", unit)
        return time + float(begin[0]) if begin else None
    try:
        moments: Any = netCDF4.num2date([time], unit, calendar)
    except ValueError:
        return None
    moment = moments[0]
    first, then = (
        netCDF4.date2num(type(moment)(number, 1, 1), "days since 0001-01-01", moment.calendar)
        for number in (moment.year, moment.year + 1)
    )
    now = netCDF4.date2num(moment, "days since 0001-01-01", moment.calendar)
    return float(moment.year + (now - first) / (then - first))


def _name(dataset: DatasetReader, band: int, year: float | None) -> str:
    words = dataset.descriptions[band - 1] or ("" if year is None else f"year {year:.6g}")
    return f"{band}: {words}" if words else str(band)
