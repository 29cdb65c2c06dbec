"""Dates and satellites from the names of scenes."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import PurePath

from glacier_qgis.models.vector.dates import is_plausible


@dataclass(frozen=True)
class SceneName:
    """Information from a scene's name.

    Attributes:
        image_id: The product's own id if the name holds one, else the file's base name.
        date: Day of acquisition.
        satellite: Such as "Sentinel-1A"; empty if not in the name.
        sensor: Such as "C-SAR"; empty if not in the name.
    """

    image_id: str
    date: datetime.date | None
    satellite: str
    sensor: str


_PRODUCTS = (
    # ESA: Sentinel-1 and Sentinel-2 product specifications
    re.compile(
        r"(?P<mission>S1[A-D])_(?:IW|EW|WV|S[1-6]|SM)_\w{4}_\w{4}_(?P<date>\d{8})T\d{6}_\d{8}T\d{6}"
        r"_\d{6}_[0-9A-F]{6}_[0-9A-F]{4}"
    ),
    re.compile(
        r"(?P<mission>S2[A-D])_MSIL[12][AC]_(?P<date>\d{8})T\d{6}_N\d{4}_R\d{3}_T\w{5}_\d{8}T\d{6}"
    ),
    # The same until 2016: the first time is that of processing; products (V) and strips (S) name
    # that of sensing after it, tiles none
    re.compile(
        r"(?P<mission>S2[A-D])_\w{4}_\w{10}_\w{4}_\d{8}T\d{6}(?:(?:_R\d{3})?"
        r"_[VS](?P<date>\d{8})T\d{6}(?:_\d{8}T\d{6})?|_A\d{6})?(?:_T\d\d[A-Z]{3})?"
    ),
    # NASA: Harmonized Landsat and Sentinel-2 (year and day of year)
    re.compile(r"(?P<mission>HLS\.[LS]30)\.T\d\d[A-Z]{3}\.(?P<ordinal>\d{7})(?:T\d{6})?\.v\d\.\d"),
    # USGS: Landsat collection ids, and those before collections (year and day of year)
    re.compile(r"(?P<mission>L[COTEM]\d\d)_L\w{3}_\d{6}_(?P<date>\d{8})_\d{8}_\d\d_(?:RT|T1|T2)"),
    re.compile(r"(?P<mission>L[COTEM]\d)\d{6}(?P<ordinal>\d{7})[A-Z]{3}\d\d"),
    # DLR: TerraSAR-X and TanDEM-X level 1b
    re.compile(r"(?P<mission>T[SD]X)1_SAR__\w+?_(?P<date>\d{8})T\d{6}_\d{8}T\d{6}"),
)

_MISSIONS = {
    "ERS": ("ERS", "AMI-SAR"),
    "RSAT": ("RADARSAT-1", "SAR"),
    "RS2": ("RADARSAT-2", "SAR"),
    **{f"RCM{number}": (f"RCM-{number}", "SAR") for number in (1, 2, 3)},
    **{f"CSKS{number}": (f"COSMO-SkyMed {number}", "SAR-2000") for number in (1, 2, 3, 4)},
    "ENVISAT": ("Envisat", "ASAR"),
    "PALSAR": ("ALOS", "PALSAR"),
    "TSX": ("TerraSAR-X", "X-SAR"),
    "TDX": ("TanDEM-X", "X-SAR"),
    "S1": ("Sentinel-1", "C-SAR"),
    "S2": ("Sentinel-2", "MSI"),
    "HLS.L30": ("Landsat", "OLI/TIRS"),
    "HLS.S30": ("Sentinel-2", "MSI"),
}
"""Short names as in the CaFFe data set (GLACIER_DATE_SENSOR_RESOLUTION_QUALITY_ORBIT), and those of
products that do not name one of several satellites."""

_LANDSAT_SENSORS = {"C": "OLI/TIRS", "O": "OLI", "T": "TM", "E": "ETM+", "M": "MSS"}

TIME = r"(?:[01]\d|2[0-3])(?:[0-5]\d){2}"
"""A time of day, hhmmss, directly after a date."""

_DATE = re.compile(rf"(?<!\d)((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)(?:{TIME})?(?!\d)")


def parse_scene_name(name: str) -> SceneName:
    """Read a scene's path or name.

    A product id is recognised within a longer name. Otherwise the first plain date (YYYYMMDD or
    YYYY-MM-DD, optionally followed by hhmmss) and the first short mission name between separators
    are used. If a product id has no day of acquisition, a plain date beside it is used.
    """
    base = PurePath(name.replace("\\", "/")).name
    for pattern in _PRODUCTS:
        found = pattern.search(base)
        if found:
            date = _product_date(found) or _plain_date(base.replace(found[0], " "))
            return SceneName(found[0], date, *_mission(found["mission"]))
    stem = re.sub(r"(\.(tiff?|vrt|jp2|png|jpe?g|img|nc|safe|zip|gz))+$", "", base, flags=re.I)
    words = re.split(r"[_\-. ]+", stem.upper())
    known = next((word for word in words if _mission(word) != ("", "")), "")
    return SceneName(stem, _plain_date(stem), *_mission(known))


def _mission(code: str) -> tuple[str, str]:
    """Return satellite and sensor of a short name, such as S1A or LC08."""
    landsat = re.fullmatch(r"L([COTEM])0?([1-9])", code)
    if landsat:
        sensor = "TM" if landsat[1] == "T" and int(landsat[2]) < 7 else _LANDSAT_SENSORS[landsat[1]]
        return f"Landsat {int(landsat[2])}", sensor
    sentinel = re.fullmatch(r"(S[12])([A-D])", code)
    if sentinel:
        satellite, sensor = _MISSIONS[sentinel[1]]
        return satellite + sentinel[2], sensor
    return _MISSIONS.get(re.sub(r"^(T[SD]X)1$", r"\1", code), ("", ""))


def _product_date(found: re.Match[str]) -> datetime.date | None:
    for name, layout in (("date", "%Y%m%d"), ("ordinal", "%Y%j")):
        text = found.groupdict().get(name)
        if text:
            try:
                date = datetime.datetime.strptime(text, layout).date()
            except ValueError:
                return None
            same_year = date.year == int(text[:4])  # fails for day 366 of a common year
            return date if same_year and is_plausible(date) else None
    return None


def _plain_date(text: str) -> datetime.date | None:
    for year, _, month, day in _DATE.findall(text):
        try:
            date = datetime.date(int(year), int(month), int(day))
        except ValueError:
            continue
        if is_plausible(date):
            return date
    return None
