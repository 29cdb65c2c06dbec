"""The commands of the book name algorithms and parameters that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from qgis.core import QgsApplication

from kit.places import ROOT

PAGES = [
    page
    for page in sorted((ROOT / "docs").rglob("*.md"))
    if re.search("^qgis_process run", page.read_text(encoding="utf-8"), re.M)
]


def commands(page: Path) -> Iterator[tuple[str, set[str]]]:
    """Yield the algorithm and the parameters of each command on a page."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for name, words in re.findall(r"^qgis_process run (\S+:\S+)(?: -- (.*))?$", text, re.M):
        yield name, set(re.findall(r"(?:^|[\s'])([A-Za-z][A-Za-z_]+)=", words))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_commands_fit_the_toolbox(page: Path) -> None:
    found = list(commands(page))
    assert found
    for name, given in found:
        algorithm = QgsApplication.processingRegistry().algorithmById(name)
        assert algorithm is not None, name
        known = {definition.name() for definition in algorithm.parameterDefinitions()}
        assert given <= known, name
