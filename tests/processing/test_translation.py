"""The language of what a person reads: nothing is left out, and translations are read."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QLocale

from glacier_qgis import translation
from kit.places import PLUGINS, ROOT

EVERY_TEXT = ROOT / "tests" / "kit" / "qgis" / "every_text.py"
OUTSIDE = {
    *("setup/environment.py", "setup/install.py", "setup/packages.py", "setup/programs.py"),
    *("launch.py", "version.py"),
}
"""Files that run outside QGIS; what they say is English, as the engine's messages."""
PLUGIN = [
    *(ROOT / "processing").rglob("*.py"),
    *sorted(
        {*(ROOT / "glacier_qgis").rglob("*.py")} - {ROOT / "glacier_qgis" / p for p in OUTSIDE}
    ),
]
NAMES = re.compile(r"TensorFlow|ONNX|\b[MG]B\b|<[^>]*>")
"""Names and units that are the same in every language; and the markup of rich text."""
SENTENCE = re.compile(r"[A-Za-z]{2,},? [a-z]{2,}")
CODE = re.compile(r"[\"@=;]|\w\(|^(SELECT|PRAGMA|BEGIN|CREATE|INSERT|UPDATE) |LANGUAGE plpgsql")
"""Expressions of QGIS, SQL and style sheets."""
VALUES = {
    *("rectilinear box", "curvilinear box", "degree days", "raster series", "from the raster"),
    *("first order", "second order", "m per year", "mm per month"),
    *("m ice per year", "m water per year", "mm water per year", "as recorded"),
    *("plain convolutions", "L1 and energy"),
}
"""Options of parameters: permanent, as ids are."""
CARDS = {"weights were chosen", "glacier_qgis echogram"}
"""What the plugin looks for in the cards of models, and in the axes of echograms."""


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return what the plugin shows and asks for in a language that puts all texts between marks."""
    out = tmp_path_factory.mktemp("marked") / "every.json"
    variables = {**os.environ, "GLACIER_ENGINE_PYTHON": "", "XDG_DATA_HOME": str(out.parent)}
    command = [sys.executable, "-P", str(EVERY_TEXT), str(PLUGINS), str(out)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert out.is_file(), done.stderr
    return dict(json.loads(out.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def to_translate() -> set[str]:
    """Return what translators get."""
    code = "import json, translations; print(json.dumps([*translations.texts()]))"
    command = ["/usr/bin/python3", "-B", "-c", code]
    done = subprocess.run(command, cwd=ROOT / "tools", capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_every_text_of_toolbox_dialogs_panel_options_and_menus_is_translated(
    marked: dict[str, list[str]],
) -> None:
    assert len(marked["shown"]) > 1000
    left = [f"{where}: {text}" for where, text in marked["shown"] if not is_marked(text)]
    assert left == []


def is_marked(text: str) -> bool:
    """Whether all of a text is between marks; a first sentence has lost the mark at its end."""
    rest, count = f"{text}⟧" if text.count("⟦") > text.count("⟧") else text, 1
    while count:
        rest, count = re.subn(r"⟦[^⟦⟧]*⟧", "", rest)
    return not re.search("[A-Za-z]", NAMES.sub("", rest))


def test_translators_get_every_text_that_is_asked_for(
    marked: dict[str, list[str]], to_translate: set[str]
) -> None:
    assert set(marked["asked"]) - to_translate == set()


@pytest.mark.parametrize("path", PLUGIN, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sentence_in_the_code_is_left_out(path: Path) -> None:
    assert [*sentences(ast.parse(path.read_text(encoding="utf-8")))] == []


def sentences(node: ast.AST) -> Iterator[str]:
    """Yield the sentences that are not given to `tr`, and are no docstrings."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Call(func=ast.Name(id="tr")) | ast.Expr(value=ast.Constant()):
                continue
            case ast.Constant(value=str(text)):
                if SENTENCE.search(text) and not CODE.search(text) and text not in VALUES | CARDS:
                    yield f"line {child.lineno}: {text}"
            case _:
                yield from sentences(child)


def test_a_sentence_that_is_left_out_is_found() -> None:
    code = (
        """raise QgsProcessingException(f'{name}: the layer is empty.')\nsay(tr('all is well'))"""
    )
    assert [*sentences(ast.parse(code))] == ["line 1: : the layer is empty."]


@pytest.fixture
def german() -> Iterator[None]:
    """Give QGIS the language of Switzerland's north."""
    before = QgsApplication.locale()
    QgsApplication.setLocale(QLocale("de_CH"))
    yield
    QgsApplication.setLocale(QLocale(before))


@pytest.mark.skipif(not shutil.which("lrelease"), reason="Qt's tools for translators lack here")
@pytest.mark.usefixtures("german")
def test_a_translation_is_made_by_one_command_kept_by_the_next_and_installed_by_the_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = ["/usr/bin/python3", "-B", str(ROOT / "tools" / "translations.py")]
    make += ["de", "--folder", str(tmp_path)]
    subprocess.run(make, check=True, capture_output=True)
    translate(tmp_path / "glacier_qgis_de.ts", "Delineate termini", "Gletscherfronten zeichnen")
    subprocess.run(make, check=True, capture_output=True)
    monkeypatch.setattr(translation, "TRANSLATIONS", tmp_path)
    translator = translation.install_translator()
    assert translator is not None
    assert translation.tr("Delineate termini") == "Gletscherfronten zeichnen"
    assert translation.tr("Ice velocity") == "Ice velocity"
    QCoreApplication.removeTranslator(translator)
    assert translation.tr("Delineate termini") == "Delineate termini"


@pytest.mark.usefixtures("german")
def test_without_a_translation_the_plugin_is_english() -> None:
    assert translation.install_translator() is None


def translate(path: Path, text: str, into: str) -> None:
    """Do what a translator does in Qt Linguist."""
    tree = ElementTree.parse(path)  # noqa: S314  (made here)
    message = next(one for one in tree.iter("message") if one.findtext("source") == text)
    entry = message.find("translation")
    assert entry is not None
    entry.text = into
    del entry.attrib["type"]
    tree.write(path, encoding="utf-8")
