"""What the book shows of QGIS' Python console."""

from __future__ import annotations

import doctest
import re
import shutil
from pathlib import Path

import pytest

from kit.places import ROOT

GUIDE = ROOT / "docs" / "python" / "index.md"


@pytest.mark.slow
def test_the_console_says_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "glacier_qgis" / "sample" / "jakobshavn", tmp_path / "jakobshavn")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```pycon\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.M | re.S)
    assert blocks
    for block in blocks:
        test = doctest.DocTestParser().get_doctest(block, {}, GUIDE.name, str(GUIDE), 0)
        told: list[str] = []
        assert doctest.DocTestRunner().run(test, out=told.append).failed == 0, "".join(told)
