"""``./test``: set everything up and run every check, in separate stages.

A stage that fails does not keep the later ones from being tried; the command then ends with
a summary and status 1.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import book
import build_plugin
import trixie
from debian import PYTHON, ensure_packages, ensure_qgis
from environments import THREADS, engine, qgis_tests, tensorflow
from inputs import aletsch_dem, synthetic_scene
from link import TREE, link_tree
from terminal import BUILD, ROOT, TOOLS, StepError, finish, run, say

EXTRAS = ("onnx", "cluster", "igm", "demo", "test", "lint", "docs")
TESTS = ("-P", "-m", "pytest", "--quiet", "--numprocesses", "auto", "--dist", "loadfile")
"""A file's tests share what they set up, so they stay in one process."""
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
"""For each of so many processes as there are cores."""
ROOM = {"engine": 2.5e9, "tensorflow": 1.6e9, "trixie": 1.9e9}
"""Bytes of what is built in ``build/``."""
ROOM_OF_RUNS = 2e9
"""Bytes that tests write, at most at a time."""


class Stages:
    """Runs stages one after another and remembers how each went."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._failed = False

    def run(self, title: str, work: Callable[[], None]) -> None:
        """Run one stage; a failure is reported at once and again in the summary."""
        say(f"\n== {title}")
        start = time.monotonic()
        try:
            work()
            outcome = "passed"
        except StepError as problem:
            say(f"FAILED: {problem}")
            outcome = "FAILED"
            self._failed = True
        self._lines.append(f"  {outcome:8} {time.monotonic() - start:5.0f} s  {title}")

    def skip(self, title: str, reason: str) -> None:
        """Leave a stage out, and say so."""
        say(f"\n== {title}\nSkipped: {reason}.")
        self._lines.append(f"  skipped            {title}: {reason}")

    def summarise(self) -> None:
        """Print how everything went.

        Raises:
            StepError: A stage failed.
        """
        say("\n== Summary")
        say("\n".join(self._lines))
        if self._failed:
            raise StepError("not every stage passed")


def main() -> None:
    """Run everything that ``./test`` promises."""
    parser = argparse.ArgumentParser(prog="./test", description=__doc__)
    parser.add_argument(
        "--no-3.44", dest="newer", action="store_false", help="leave QGIS 3.44 out (no root made)"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="leave out slow tests, notebooks, windows, and QGIS 3.44",
    )
    parser.add_argument(
        "--repeatable", action="store_true", help="draw the same examples of properties each time"
    )
    options = parser.parse_args()

    say("== Setting up")
    check_room()
    program = ensure_qgis()
    python = engine(*EXTRAS)
    link_tree()
    tools = python.parent

    stages = Stages()
    stages.run("Style", lambda: run([tools / "ruff", "check", "--output-format", "concise"]))
    stages.run("Format", lambda: run([tools / "ruff", "format", "--check"]))
    stages.run("Types", lambda: check_types(tools))
    stages.run("Wall between plugin and engine", lambda: check_imports(tools))
    stages.run("Plugin zip and its rules", lambda: build_zip(python))
    stages.run("Pitfalls of QGIS and Qt 6 in the zip", lambda: check_pitfalls(python))
    stages.run("Book", lambda: check_book(python, quick=options.quick))
    chosen = ["-m", "not slow"] if options.quick else []
    examples = ["--hypothesis-profile", "ci"] if options.repeatable else []
    stages.run("Engine suite", lambda: engine_suite(python, *chosen, *examples))
    stages.run("QGIS suite (QGIS as installed)", lambda: qgis_suite(python, *chosen))
    if not options.quick:
        run_as_a_person(stages, program, python, newer=options.newer)
    stages.summarise()


def run_as_a_person(stages: Stages, program: Path, python: Path, *, newer: bool) -> None:
    """Use the built zip through the command line, dialogs and windows of two versions of QGIS."""
    stages.run("Plugin zip in QGIS as installed", lambda: smoke(program, python))
    stages.run("Dialogs of QGIS as installed", lambda: window(python))
    stages.run("From the zip to the first map", lambda: first_map(python))
    title = "Plugin zip in QGIS 3.44"
    reason = trixie.obstacle() if newer else "left out with --no-3.44"
    if reason:
        stages.skip(title, reason)
        return
    given = (build_plugin.archive_path(), *inputs(python))
    stages.run(title, lambda: trixie.smoke(*given))
    stages.run("Dialogs of QGIS 3.44", lambda: trixie.window(*given))


def check_room() -> None:
    """Look whether all fits on the disk, before anything is built.

    Raises:
        StepError: It does not.
    """
    missing = sum(size for name, size in ROOM.items() if not (BUILD / name).exists())
    for folder, needed in ((ROOT, missing + ROOM_OF_RUNS), (tempfile.gettempdir(), ROOM_OF_RUNS)):
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise StepError(
                f"About {needed / 1e9:.0f} GB are needed on the disk of {folder}, and "
                f"{free / 1e9:.1f} GB are free: make room there, and run again."
            )


def check_types(tools: Path) -> None:
    """The package and the scripts beside this, strictly."""
    run([tools / "mypy"])
    scripts = sorted(TOOLS.rglob("*.py"))
    run([tools / "mypy", *scripts])


def check_imports(tools: Path) -> None:
    """Hold the import contracts, on the tree in which the rooms are one package."""
    contracts = ("--config", ROOT / "pyproject.toml")
    run([tools / "lint-imports", "--no-cache", *contracts], cwd=TREE.parent)


def build_zip(python: Path) -> None:
    """Build the zip and scan it as the plugin repository does."""
    run([python, "-B", TOOLS / "build_plugin.py", "--scan"])


def check_book(python: Path, *, quick: bool) -> None:
    """Build the book, and hold the plugin's help pages against it; `quick` runs no notebook."""
    book.build(python, quick=quick)
    book.check()


def check_pitfalls(python: Path) -> None:
    """Look at the zip as developers of QGIS plugins do."""
    run([python, "-B", TOOLS / "qgis_findings.py"])


def engine_suite(python: Path, *options: str) -> None:
    """Everything that needs no QGIS, in the engine's environment."""
    reference = {"GLACIER_TENSORFLOW_PYTHON": str(tensorflow())}
    run([python, *TESTS, *options], env={**ONE_THREAD, **reference})


def qgis_suite(python: Path, *options: str) -> None:
    """Everything that runs inside QGIS, with the engine beside it."""
    environment = {
        **ONE_THREAD,
        "QT_QPA_PLATFORM": "offscreen",
        "GLACIER_ENGINE_PYTHON": str(python),
        **postgis(),
    }
    rooms = [ROOT / "tests" / room for room in ("processing", "glacier_qgis")]
    run([qgis_tests(), *TESTS, *options, "-c", rooms[0] / "pytest.ini", *rooms], env=environment)


def postgis() -> dict[str, str]:
    """Install PostGIS; return what makes its tests necessary, nothing where it cannot be had."""
    try:
        if not any(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
            ensure_packages(["postgresql-postgis"])
    except StepError as problem:
        say(f"Tests of a shared review are skipped: {problem}")
        return {}
    return {"GLACIER_POSTGIS": "required"}


def smoke(program: Path, python: Path) -> None:
    """Use the zip as a person would."""
    scene, dem = inputs(python)
    archive = build_plugin.archive_path()
    words = (program, python, archive, scene, dem, BUILD / "smoke")
    run([sys.executable, "-B", "-m", "in_qgis.smoke", *words], cwd=TOOLS)


def window(python: Path) -> None:
    """Press Run in dialogs, as a person would, and look at the map."""
    scene, dem = inputs(python)
    archive = build_plugin.archive_path()
    words = (python, archive, scene, dem, BUILD / "window")
    run([PYTHON, "-B", "-m", "in_qgis.window", *words], cwd=TOOLS)


def first_map(python: Path) -> None:
    """Install the zip in the window of QGIS, press "Try it", and look at the project."""
    if not shutil.which("xvfb-run"):
        ensure_packages(["xvfb", "xauth"])
    words = (python, build_plugin.archive_path(), BUILD / "first-map")
    run([sys.executable, "-B", "-m", "in_qgis.first_map", *words], env=THREADS, cwd=TOOLS)


def inputs(python: Path) -> tuple[Path, Path]:
    """Return a scene and a DEM that lie in the checkout."""
    return synthetic_scene(python, BUILD / "smoke-scene.tif"), aletsch_dem(python)


if __name__ == "__main__":
    sys.exit(finish(main))
