"""Date of a scene: from a pattern of the user, its name, or the raster's tags."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import PurePath

from rasterio.io import DatasetReader

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.fronts.scene.names import TIME
from glacier_qgis.models.vector.dates import is_plausible

_PLACES = {
    "YYYY": r"(?P<year>\d{4})",
    "MM": r"(?P<month>\d{2})",
    "DD": r"(?P<day>\d{2})",
    "DDD": r"(?P<ordinal>\d{3})",
}
_COMPLETE = ({"YYYY", "MM", "DD"}, {"YYYY", "DDD"})

DATE_TAGS = (
    (None, "ACQUISITION_DATE"),
    (None, "DATE_ACQUIRED"),
    (None, "ACQUISITION_DATETIME"),
    ("IMAGERY", "ACQUISITIONDATETIME"),
    (None, "SENSING_TIME"),
    (None, "NC_GLOBAL#time_coverage_start"),
    (None, "TIFFTAG_DATETIME"),
)
"""Domain and name of tags with the time of acquisition, the most reliable first: some programs set
the last to the time of processing."""

_TAG_DATE = re.compile(rf"^\s*((?:19|20)\d\d)[-:./]?(\d\d)[-:./]?(\d\d)(?:{TIME})?(?!\d{{3}})")


@dataclass(frozen=True)
class DatePattern:
    """Position of the date in a scene's name, as written by the user.

    Attributes:
        text: Such as ``scene_{YYYY}{MM}{DD}``; {DDD} is the day of the year, * matches anything. It
            may match any part of the file's name or, if it holds a "/", of the path.
        expression: The same as a regular expression.
    """

    text: str
    expression: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> DatePattern:
        """Parse a pattern.

        Raises:
            EngineError: It holds unknown or repeated fields, or too few for a date.
        """
        places = re.findall(r"\{(\w*)\}", text)
        if len(places) != len(set(places)) or set(places) not in _COMPLETE:
            raise EngineError(
                f"DATE_PATTERN {text!r} does not say where the date stands: write "
                "{YYYY}, {MM} and {DD} (or {YYYY} and {DDD}, the day of the year), each once, and "
                "* for anything, as in 'scene_{YYYY}{MM}{DD}'."
            )
        pieces = re.split(r"(\{\w*\}|\*)", text.replace("\\", "/"))
        expression = "".join(
            ".*?" if piece == "*" else _PLACES.get(piece[1:-1], re.escape(piece))
            for piece in pieces
        )
        return cls(text, re.compile(expression, re.IGNORECASE))

    def read(self, path: str) -> datetime.date | None:
        """Return the first date that matches the pattern; None if there is none."""
        path = path.replace("\\", "/")
        searched = path if "/" in self.text.replace("\\", "/") else PurePath(path).name
        for found in self.expression.finditer(searched):
            date = _date(**{name: int(value) for name, value in found.groupdict().items()})
            if date:
                return date
        return None


def tag_date(dataset: DatasetReader) -> tuple[datetime.date, str] | None:
    """Return the date in a raster's tags with the tag's name; None if no tag holds one."""
    domains = {domain: dataset.tags(ns=domain) for domain, _ in DATE_TAGS}
    for domain, name in DATE_TAGS:
        found = _TAG_DATE.match(domains[domain].get(name, ""))
        date = _date(int(found[1]), int(found[2]), int(found[3])) if found else None
        if date:
            return date, name
    return None


def _date(year: int, month: int = 1, day: int = 1, ordinal: int = 1) -> datetime.date | None:
    """Return a date from month and day or from the day of the year; None if not valid."""
    try:
        date = datetime.date(year, month, day) + datetime.timedelta(days=ordinal - 1)
    except (ValueError, OverflowError):
        return None
    return date if ordinal >= 1 and date.year == year and is_plausible(date) else None
