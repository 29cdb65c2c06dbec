"""What flake8-qgis and qgis-plugin-analyzer find in the plugin zip, less what is waived here.

    python tools/qgis_findings.py

They know the pitfalls of PyQGIS and of Qt 6. A waiver that no finding needs is reported too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import build_plugin


class Finding(NamedTuple):
    """One finding, with its file inside the plugin's folder."""

    rule: str
    file: str
    line: int
    text: str


class Waiver(NamedTuple):
    """Findings that are accepted: a rule in the files of a pattern, and why."""

    rule: str
    files: str
    reason: str


ENGINE = "models"
"""The engine's folder in the zip: it runs outside QGIS, and imports nothing of it."""
WAIVERS = (
    Waiver("QGS105", "*", "an argument can be another in a test; the global is None without one"),
    Waiver("IFACE_AS_ARGUMENT", "*", "the same, by the other tool"),
    Waiver("QGS201", "window/try_it.py", "a relief that is not smoothed is still a relief"),
    Waiver("QGS202", "*", "goes by the name of a method alone: setValue() of a progress bar"),
    Waiver("MISSING_I18N", "*", "tests/processing/test_translation.py sees what is left out"),
    Waiver("MISSING_DOCSTRING", "*", "ruff holds docstrings; these functions are inside others"),
    Waiver("GOD_OBJECT", "*", "counts the fields of a window, each a widget, as responsibilities"),
    Waiver("POTENTIAL_MISSING_SLOT", "panel/front_preview.py", "the slots are signals of its own"),
    Waiver("QT6_ADDACTION_MULTIARG", "processing/dialogs/choices.py", "QLineEdit's has a place"),
    Waiver("SPATIAL_INDEX", "processing/outputs/destinations.py", "every feature is copied"),
    Waiver("SPATIAL_INDEX", "processing/postgis/sharing.py", "every correction is compared"),
    Waiver("PRINT_STATEMENT", "setup/packages.py", "in a program for the engine's interpreter"),
    Waiver("BLOCKING_NETWORK_CALL", "setup/packages.py", "in a process of its own, with no window"),
    Waiver("UNSAFE_SUBPROCESS", "setup/programs.py", "a list of words, without a shell"),
)


def main() -> int:
    """Build the zip and look at it; 0 when nothing is found that is not waived."""
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(build_plugin.build()) as bundle:
        bundle.extractall(scratch)
        plugin = Path(scratch) / build_plugin.FOLDER
        problems = unwaived([*flake8_qgis(plugin), *qgis_plugin_analyzer(plugin)], WAIVERS)
    print("\n".join(problems) or "nothing that is not waived")
    return 1 if problems else 0


def unwaived(found: Sequence[Finding], waivers: Sequence[Waiver]) -> list[str]:
    """Return a line per finding that no waiver covers, and per waiver that covers none."""
    problems = [
        f"{one.file}:{one.line}: {one.rule} {one.text}"
        for one in found
        if not any(_covers(waiver, one) for waiver in waivers)
    ]
    return problems + [
        f"the waiver of {waiver.rule} in {waiver.files} covers nothing"
        for waiver in waivers
        if not any(_covers(waiver, one) for one in found)
    ]


def flake8_qgis(plugin: Path) -> Iterator[Finding]:
    """Yield what flake8-qgis finds."""
    form = "%(path)s\t%(row)d\t%(code)s\t%(text)s"
    command = ["flake8", "--isolated", "--select=QGS", f"--exclude={ENGINE}", f"--format={form}"]
    for line in _said([*command, "."], plugin).splitlines():
        path, row, code, text = line.split("\t")
        yield Finding(code, Path(path).as_posix(), int(row), text)


def qgis_plugin_analyzer(plugin: Path) -> Iterator[Finding]:
    """Yield what qgis-plugin-analyzer finds."""
    options = ["--json", "--no-cache", "--linters=none", f"--exclude={ENGINE}"]
    report = json.loads(_said(["analyzer.main", "analyze", ".", *options], plugin))
    issues = report["qgis_compliance"]["best_practices"]["issues"]
    for issue in [*issues, *report["security"]["findings"]]:
        yield Finding(issue["type"], issue["file"], int(issue["line"]), issue["message"])


def _covers(waiver: Waiver, finding: Finding) -> bool:
    return waiver.rule == finding.rule and fnmatch(finding.file, waiver.files)


def _said(module: list[str], plugin: Path) -> str:
    command = [sys.executable, "-m", *module]
    done = subprocess.run(command, cwd=plugin, check=False, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{module[0]} did not run: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
