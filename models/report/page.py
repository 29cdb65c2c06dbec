"""A report: one HTML file that works offline, to read, print or add to a supplement."""

from __future__ import annotations

import base64
import datetime
import math
import numbers
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np
import plotly.graph_objects as go

FIGURES = 4
"""Significant figures of a column's largest number; the others get as many decimals."""

SHORT = 24
"""Longest text, in characters, that stays on one line."""

MISSING = "–"
_NUMBER = re.compile(r"[-+−]?\d+(\.\d+)?")

_STYLE = """
body { font: 16px/1.5 "Source Serif 4", Charter, Georgia, serif; color: #1a1a1a;
       max-width: 62rem; margin: 2.5rem auto; padding: 0 1.25rem }
h1, h2, th, .plotly-graph-div { font-family: system-ui, sans-serif }
h1 { font-size: 1.7rem; line-height: 1.2; margin-bottom: .5rem }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem }
.lead { font-size: 1.08rem; color: #444; margin-top: 0 }
.warning { border-left: 4px solid #c77700; background: #fff7ea; padding: .4rem .8rem }
figure { margin: 1.25rem 0; overflow-x: auto }
figure img { max-width: 100% }
figcaption, caption { font-size: .9rem; color: #444; text-align: left; padding: .4rem 0 }
caption { caption-side: top }
table { border-collapse: collapse; font-size: .9rem; border-top: 1.5px solid;
        border-bottom: 1.5px solid }
thead th { border-bottom: 1px solid; vertical-align: bottom }
th, td { text-align: left; padding: .15rem .9rem .15rem 0; vertical-align: top }
th:last-child, td:last-child { padding-right: .2rem }
tbody tr:nth-child(even) { background: #f6f7f8 }
tbody th { font-weight: 500; white-space: nowrap }
td { overflow-wrap: anywhere }
td.short { white-space: nowrap }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
th.number { text-align: right }
@media print {
  body { max-width: none; margin: 0; font-size: 10.5pt }
  h2 { break-after: avoid } figure, tr { break-inside: avoid } .modebar { display: none }
}
"""


class HtmlPage:
    """A page that grows from top to bottom; all text is escaped.

    Args:
        title: Title and heading of the page.
        lead: The first paragraph: what was done or found, in one or two sentences.
    """

    def __init__(self, title: str, lead: str = "") -> None:
        self._title = title
        self._parts = [f"<h1>{escape(title)}</h1>"]
        self._counts = {"Figure": 0, "Table": 0}
        self._interactive = 0
        if lead:
            self._parts.append(f'<p class="lead">{escape(lead)}</p>')

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._parts.append(f"<h2>{escape(text)}</h2>")

    def paragraph(self, text: str) -> None:
        """Add a paragraph."""
        self._parts.append(f"<p>{escape(text)}</p>")

    def warning(self, text: str) -> None:
        """Add a highlighted paragraph."""
        self._parts.append(f'<p class="warning">{escape(text)}</p>')

    def facts(self, facts: Mapping[str, str]) -> None:
        """Add names and values, one pair per line."""
        lines = (
            f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
            for name, value in facts.items()
        )
        self._parts.append(f"<table><tbody>{''.join(lines)}</tbody></table>")

    def table(self, rows: Sequence[Mapping[str, object]], caption: str = "") -> None:
        """Add a table, its columns in the order in which the rows name them.

        Numbers are aligned right. The real numbers of a column have the same number of decimals, so
        that the largest has `FIGURES` significant figures; text stays as it is. Missing values show
        as a dash.
        """
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = [[row.get(name) for row in rows] for name in names]
        texts = [_texts(column) for column in columns]
        marks = [_mark(column, shown) for column, shown in zip(columns, texts, strict=True)]
        head = "".join(
            f'<th scope="col"{mark}>{escape(name)}</th>'
            for name, mark in zip(names, marks, strict=True)
        )
        body = "".join(
            f"<tr>{''.join(_cell(text, mark) for text, mark in zip(row, marks, strict=True))}</tr>"
            for row in zip(*texts, strict=True)
        )
        title = f"<caption>{self._label('Table', caption)}</caption>" if caption else ""
        self._parts.append(
            f"<figure><table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            "</figure>"
        )

    def figure(self, figure: go.Figure, caption: str = "") -> None:
        """Add an interactive figure; the page holds the script that draws it once."""
        self._interactive += 1
        drawing = figure.to_html(
            full_html=False,
            include_plotlyjs=self._interactive == 1,
            div_id=f"figure-{self._interactive}",
            config={"displaylogo": False, "responsive": True},
        )
        self._illustrate(str(drawing), caption)

    def image(self, png: bytes, caption: str = "") -> None:
        """Add an image, embedded in the page."""
        data = base64.b64encode(png).decode("ascii")
        self._illustrate(
            f'<img alt="{escape(caption)}" src="data:image/png;base64,{data}">', caption
        )

    def write(self, path: Path) -> None:
        """Write the page."""
        path.write_text(
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(self._title)}</title><style>{_STYLE}</style></head><body>\n"
            + "\n".join(self._parts)
            + "\n</body></html>\n",
            encoding="utf-8",
        )

    def _illustrate(self, content: str, caption: str) -> None:
        text = f"<figcaption>{self._label('Figure', caption)}</figcaption>" if caption else ""
        self._parts.append(f"<figure>{content}{text}</figure>")

    def _label(self, kind: str, caption: str) -> str:
        self._counts[kind] += 1
        return f"<b>{kind} {self._counts[kind]}.</b> {escape(caption)}"


def _cell(text: str, mark: str) -> str:
    return f"<td{mark}>{escape(text)}</td>"


def _mark(column: Sequence[object], texts: Sequence[str]) -> str:
    """Return the CSS class of a column's cells: numbers on the right, short text on one line."""
    if _is_numeric(column):
        return ' class="number"'
    return ' class="short"' if max(map(len, texts), default=0) <= SHORT else ""


def _is_missing(value: object) -> bool:
    return value is None or value != value  # NaN and NaT differ from themselves


def _is_numeric(column: Sequence[object]) -> bool:
    present = [value for value in column if not _is_missing(value)]
    return bool(present) and all(_is_number(value) for value in present)


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _texts(column: Sequence[object]) -> list[str]:
    reals = [
        abs(float(value))
        for value in column
        if isinstance(value, numbers.Real)
        and not isinstance(value, numbers.Integral)
        and math.isfinite(value)
    ]
    largest = max(reals, default=0.0)
    exponent = math.floor(math.log10(largest)) if largest else 0
    decimals = max(FIGURES - 1 - exponent, 0)
    layout = f"z.{decimals}f" if decimals < 9 and exponent < 9 else f".{FIGURES - 1}e"
    return [_text(value, layout) for value in column]


def _text(value: object, layout: str) -> str:
    if _is_missing(value):
        return MISSING
    match value:
        case bool() | np.bool_():
            return "yes" if value else "no"
        case numbers.Integral():
            return str(int(value))
        case numbers.Real():
            return format(float(value), layout).replace("-", "−")
        case datetime.datetime():
            midnight = value.time() == datetime.time()
            return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    return str(value)
