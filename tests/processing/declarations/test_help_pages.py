"""The page that the button 'Help' opens, and the page of the book that it was made from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from qgis.core import QgsProcessingAlgorithm, QgsProcessingProvider
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QTextDocumentFragment

from kit.places import ROOT

PAGES = ROOT / "docs" / "algorithms"
IDS = sorted(page.stem for page in PAGES.glob("*.md") if page.stem != "index")


@pytest.fixture(params=IDS)
def algorithm(
    request: pytest.FixtureRequest, provider: QgsProcessingProvider
) -> QgsProcessingAlgorithm:
    return provider.algorithm(request.param).create()


def opened(algorithm: QgsProcessingAlgorithm) -> Path:
    """Return the file that the button opens."""
    return Path(QUrl(algorithm.helpUrl()).toLocalFile())


def plain(html: str) -> str:
    """Return the words of a page, with single spaces between them."""
    return " ".join(QTextDocumentFragment.fromHtml(html).toPlainText().split())


def test_each_algorithm_has_a_page(provider: QgsProcessingProvider) -> None:
    assert sorted(algorithm.name() for algorithm in provider.algorithms()) == IDS


def test_help_opens_a_page_that_explains_every_parameter(algorithm: QgsProcessingAlgorithm) -> None:
    shown = plain(opened(algorithm).read_text(encoding="utf-8"))
    assert shown.startswith(algorithm.displayName())
    for parameter in algorithm.parameterDefinitions():
        explained = f"{parameter.name()} {parameter.description()}. {parameter.help()}"
        assert " ".join(explained.split()) in shown, parameter.name()
    for output in algorithm.outputDefinitions():
        assert output.name() in shown


def test_links_between_help_pages_lead_to_pages(algorithm: QgsProcessingAlgorithm) -> None:
    page = opened(algorithm)
    html = page.read_text(encoding="utf-8")
    assert not re.search(r"<(img|script|link)\b", html)  # one file, without a network
    for address, anchor in re.findall(r'href="([^"#]*)#?([^"]*)"', html):
        if "://" in address:
            assert address.startswith("https://")
            continue
        other = page.with_name(address) if address else page
        assert other.is_file(), address
        if anchor:
            assert f'id="{anchor}"' in other.read_text(encoding="utf-8"), (address, anchor)


def test_the_page_of_the_book_is_of_the_algorithm(algorithm: QgsProcessingAlgorithm) -> None:
    page = (PAGES / f"{algorithm.name()}.md").read_text(encoding="utf-8")
    assert page.startswith(
        f"# {algorithm.displayName()}\n\n`{algorithm.id()}`, group *{algorithm.group()}*"
    )
    assert f"pictures/dialogs/{algorithm.name()}.png" in page
    for section in ("Example", "Pitfalls", "See also"):
        assert f"\n## {section}\n" in page
