"""A report: one HTML file that works offline, to read, print or add to a supplement.

The HTML is in ``templates``; Jinja2 fills it in and escapes every text.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from glacier_qgis.models.report.columns import columns_of

_TEMPLATES = Environment(
    loader=PackageLoader("glacier_qgis.models.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


@dataclass(frozen=True)
class _Part:
    """A part of a page: the name of a macro in ``templates/parts.html`` and its arguments."""

    kind: str
    fields: Mapping[str, object]


class HtmlPage:
    """A page that grows from top to bottom; all text is escaped.

    Args:
        title: Title and heading of the page.
        lead: The first paragraph: what was done or found, in one or two sentences.
    """

    def __init__(self, title: str, lead: str = "") -> None:
        self._title, self._lead = title, lead
        self._content: list[_Part] = []
        self._counts = {"Figure": 0, "Table": 0}
        self._interactive = 0

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._add("heading", text=text)

    def paragraph(self, text: str) -> None:
        """Add a paragraph."""
        self._add("paragraph", text=text)

    def warning(self, text: str) -> None:
        """Add a highlighted paragraph."""
        self._add("warning", text=text)

    def facts(self, facts: Mapping[str, str]) -> None:
        """Add names and values, one pair per line."""
        self._add("facts", facts=dict(facts))

    def table(self, rows: Sequence[Mapping[str, object]], caption: str = "") -> None:
        """Add a table with the columns of `columns_of`."""
        columns = columns_of(rows)
        cells = [[(column, column.texts[row]) for column in columns] for row in range(len(rows))]
        label = self._label("Table", caption)
        self._add("table", columns=columns, rows=cells, label=label, caption=caption)

    def figure(self, figure: go.Figure, caption: str = "") -> None:
        """Add an interactive figure; the page holds the script that draws it once."""
        self._interactive += 1
        html = _drawing(figure, self._interactive)
        self._add("drawing", html=html, label=self._label("Figure", caption), caption=caption)

    def image(self, png: bytes, caption: str = "") -> None:
        """Add an image, embedded in the page."""
        data = base64.b64encode(png).decode("ascii")
        self._add("image", png=data, label=self._label("Figure", caption), caption=caption)

    def write(self, path: Path) -> None:
        """Write the page."""
        page = _TEMPLATES.get_template("page.html")
        text = page.render(title=self._title, lead=self._lead, content=self._content)
        path.write_text(text, encoding="utf-8")

    def _add(self, kind: str, **fields: object) -> None:
        self._content.append(_Part(kind, fields))

    def _label(self, kind: str, caption: str) -> str:
        """Return the next number of a kind; only what has a caption is counted."""
        if not caption:
            return ""
        self._counts[kind] += 1
        return f"{kind} {self._counts[kind]}"


def _drawing(figure: go.Figure, number: int) -> Markup:
    """Return a figure as HTML, the only text that a page takes without escaping it.

    Plotly writes the data as JSON in which ``<``, ``>`` and ``/`` are escaped.
    """
    html = figure.to_html(
        full_html=False,
        include_plotlyjs=number == 1,
        div_id=f"figure-{number}",
        config={"displaylogo": False, "responsive": True},
    )
    return Markup(html)  # noqa: S704  # nosec B704: what Plotly has escaped
