"""Reports as a browser reads them."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

HOSTILE = "</script><script>harm('1')</script>&amp;{{ 7 * 7 }}"
"""A name that a report must show as it is."""


class Report(HTMLParser):
    """The contents of a report.

    Attributes:
        tags: Of all elements, in order.
        texts: All texts but those of scripts and styles.
        scripts: The texts of scripts.
        addresses: What the page asks for or links to.
        cells: Texts of the cells of tables, and whether they are aligned as numbers.
        tables: Of each table with headings, one mapping from heading to text per row.
    """

    def __init__(self, page: str) -> None:
        """Read a page.

        Raises:
            AssertionError: An element is not closed, or not in order.
        """
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.addresses: list[str] = []
        self.cells: list[tuple[str, bool]] = []
        self.tables: list[list[dict[str, str]]] = []
        self._open: list[str] = []
        self._heads: list[str] = []
        self._row: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        facts = dict(attrs)
        self.addresses += [facts[key] or "" for key in ("src", "href") if key in facts]
        if tag == "td":
            self.cells.append(("", facts.get("class") == "number"))
            self._row.append("")
        if tag == "thead":
            self.tables.append([])
            self._heads = []
        if tag == "th" and "thead" in self._open:
            self._heads.append("")
        if tag not in ("meta", "img", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "tr" and self._row:
            if self._heads:
                self.tables[-1].append(dict(zip(self._heads, self._row, strict=True)))
            self._row = []
        if tag == "table":
            self._heads = []

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside == "script":
            self.scripts.append(data)
        elif inside != "style":
            self.texts.append(data)
        if inside == "td":
            self.cells[-1] = (data, self.cells[-1][1])
            self._row[-1] = data
        if inside == "th" and "thead" in self._open:
            self._heads[-1] = data


def read_report(path: Path) -> Report:
    """Read a report."""
    return Report(path.read_text(encoding="utf-8"))


def assert_shown_as_text(path: Path, text: str = HOSTILE) -> None:
    """Assert that a report shows a text as it is, and that none of it runs as a script."""
    report = read_report(path)
    assert any(text in shown for shown in report.texts)
    assert not [script for script in report.scripts if script.startswith("harm(")]
