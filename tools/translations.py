"""Make or update the translation of the plugin into a language, for Qt Linguist and for QGIS.

    python3 tools/translations.py de

``glacier_qgis/i18n/glacier_qgis_de.ts`` gets every text of the plugin and keeps what is translated;
``glacier_qgis_de.qm``, which QGIS reads, is made from it. The work is that of Qt's own ``lupdate``
and ``lrelease``. They find no ``tr`` outside of classes, so they get the texts as a list of
``translate`` with the one context that all of them have.
"""

from __future__ import annotations

import argparse
import ast
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from debian import ensure_packages
from terminal import BUILD, ROOT, StepError, finish, run

CONTEXT = "Glacier"
FOLDER = ROOT / "glacier_qgis" / "i18n"
ROOMS = ("glacier_qgis", "processing")
MODELS = ROOT / "processing" / "graphical"
PROGRAMS = {"lupdate": "qttools5-dev-tools", "lrelease": "qttools5-dev-tools"}
"""By Debian's package; those of Qt 6 do the same."""
TITLES = {"model_name", "model_group", "description", "help"}
"""Entries of a graphical model that a person reads, beside all of its `help`."""


def main() -> None:
    """Update the files of one language."""
    parser = argparse.ArgumentParser(description="Make or update a translation of the plugin.")
    parser.add_argument("language", help="such as de or pt_BR")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the files are")
    options = parser.parse_args()
    update(options.language, options.folder)


def update(language: str, folder: Path) -> Path:
    """Write what is to be translated, and what is translated; return the latter's file.

    Args:
        language: Code of a language, with or without that of a country.
        folder: Where its files are, or will be.
    """
    ensure_packages(sorted({PROGRAMS[name] for name in PROGRAMS if not shutil.which(name)}))
    folder.mkdir(parents=True, exist_ok=True)
    source, compiled = (folder / f"glacier_qgis_{language}.{kind}" for kind in ("ts", "qm"))
    listed = BUILD / "translations" / "texts.py"
    listed.parent.mkdir(parents=True, exist_ok=True)
    calls = (f"translate({_quoted(CONTEXT)}, {_quoted(text)})\n" for text in sorted({*texts()}))
    listed.write_text("".join(calls), encoding="utf-8")
    options = ["-locations", "none", "-no-obsolete", "-target-language", language]
    run(["lupdate", listed, *options, "-ts", source], log="lupdate")
    run(["lrelease", source, "-qm", compiled], log="lrelease")
    return compiled


def texts() -> Iterator[str]:
    """Yield every text of the plugin that a person reads, in the order of the files."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield from texts_in(path)
    for path in sorted(MODELS.glob("*.model3")):
        yield from texts_of_model(path)


def texts_in(path: Path) -> Iterator[str]:
    """Yield the texts that a Python file gives to `tr`.

    Raises:
        StepError: One does not stand in the call.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="tr"), args=[ast.Constant(value=str(text))]):
                yield text
            case ast.Call(func=ast.Name(id="tr")):
                raise StepError(f"{path}:{node.lineno}: tr takes a text as it is written there.")


def texts_of_model(path: Path) -> Iterator[str]:
    """Yield the texts of a graphical model."""
    for parent in ElementTree.parse(path).iter("Option"):  # noqa: S314  (a file of the checkout)
        for entry in parent:
            name, value = entry.get("name"), entry.get("value")
            if value and (name in TITLES or parent.get("name") == "help"):
                yield value


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(finish(main))
