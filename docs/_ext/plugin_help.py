"""Each page of an algorithm once more, as the plain page that comes with the plugin.

The button *Help* of a dialog opens ``glacier_qgis/help/ALGORITHM.html``, without a network. Such a
page has neither pictures nor navigation, so that the plugin's ZIP stays small. Its links lead to
the other algorithms' pages beside it, and to the rest of the book in the repository. The pages are
written beside the book, into ``help/``; ``tools/book.py`` puts them into the plugin.
"""

from __future__ import annotations

import configparser
from html import escape
from pathlib import Path
from posixpath import join, normpath
from typing import TYPE_CHECKING, Any

from bs4 import BeautifulSoup

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

ALGORITHMS = "algorithms"
METADATA = Path(__file__).parents[2] / "metadata.txt"
STYLE = (
    "body{font-family:sans-serif;line-height:1.5;max-width:52em;margin:2em auto;padding:0 1em}"
    "code,pre{background:#f2f2f2;padding:0 .2em}pre{padding:.8em;overflow-x:auto}"
    "table{border-collapse:collapse}p{margin:.5em 0}.formula{margin:1em 2em}"
    "td,th{border:1px solid #ccc;padding:.3em .5em;text-align:left;vertical-align:top}"
    ".admonition{border-left:4px solid #d9480f;background:#fdf3ee;padding:.1em 1em}"
    ".admonition-title{font-weight:bold}"
    "aside.footnote{display:flex;gap:.7em}.footnote p{margin:.2em 0}.backrefs{display:none}"
)
DROPPED = "img, figure, a.headerlink, a.image-reference"


def write(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: nodes.document | None
) -> None:
    """Write the plugin's page when the book's is written."""
    room, _, name = page.rpartition("/")
    if room != ALGORITHMS or name == "index":
        return
    body = BeautifulSoup(context["body"], "html.parser")
    for element in body.select(DROPPED):
        element.decompose()
    for link in body.select("a[href]"):
        link["href"] = target(str(link["href"]))
    folder = app.outdir.parent / "help"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.html").write_text(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(context['title'])}</title>\n<style>{STYLE}</style></head><body>\n"
        f"{body}\n</body></html>\n",
        encoding="utf-8",
    )


def target(address: str) -> str:
    """Return where a link of an algorithm's page leads from the plugin's page."""
    if "://" in address or address.startswith("#"):
        return address
    path, mark, anchor = address.partition("#")
    page = normpath(join(ALGORITHMS, path)).removesuffix(".html")
    if page == ALGORITHMS + "/index" or not page.startswith(ALGORITHMS + "/"):
        return f"{repository()}/{page}.md{mark}{anchor}"
    return f"{page.removeprefix(ALGORITHMS + '/')}.html{mark}{anchor}"


def repository() -> str:
    """Return the address of the book's sources on the web."""
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read(METADATA, encoding="utf-8")
    return f"{metadata['general']['repository']}/blob/main/docs"


def setup(app: Sphinx) -> ExtensionMetadata:
    """Follow each page that is written."""
    app.connect("html-page-context", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
