"""Run every command and every piece of Python of the book, and draw what came out.

    /usr/bin/python3 docs/run.py [CHAPTER ...]

with the Python that QGIS runs in, after ``tools/link.py``. Commands are the blocks marked ``sh``.
Those of a chapter run page by page, in ``build/run/CHAPTER``, with the real ``qgis_process`` and a
profile of its own; blocks marked ``python`` run in the engine's Python. Without CHAPTER all run
that need nothing but the plugin's ZIP.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).absolute().parent
ROOT = HERE.parent
ENGINE = ROOT / "build" / "engine" / "bin" / "python"
SAMPLE = ROOT / "glacier_qgis" / "sample"
BOTH = ("jakobshavn", "aletsch")
EXAMPLES = (
    *("delineatetermini", "segmentcalvingfront", "extracttermini", "terminifromscene"),
    *("terminustimeseries", "terminuschange", "comparetermini"),
    *("preparetrainingdata", "inspecttrainingdata", "findlearningrate", "trainmodel"),
    *("evaluatemodel", "installmodel", "exportmodel", "engineinfo"),
    *("icevelocity", "surfacemassbalance", "simulateglacier", "glacierfromextent"),
    *("runinstructor", "glacierthickness", "glacierfromoutline"),
    *("trainemulator", "evaluateemulator"),
    *("preparereview", "recordcorrections"),
)
"""Algorithms in the order in which their examples need each other."""


@dataclass(frozen=True)
class Chapter:
    """Pages whose commands run in one folder.

    Attributes:
        pages: In the order in which they run, without suffix.
        sample: Folders of the sample data that the reader copies.
        data: Scripts that write other data.
        pictures: Scripts that draw the pictures.
    """

    pages: tuple[str, ...]
    sample: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()


CHAPTERS = {
    "start": Chapter(
        ("start/first_front", "start/first_glacier", "start/command_line"), sample=BOTH
    ),
    "algorithms": Chapter(
        (*(f"algorithms/{name}" for name in EXAMPLES), "python/index", "concepts/instructors"),
        sample=BOTH,
        pictures=("dialogs.py", "concepts.py", "review.py"),
    ),
    "termini": Chapter(("tutorials/termini",), sample=("jakobshavn",), pictures=("termini.py",)),
    "ice_flow": Chapter(("tutorials/ice_flow",), sample=("aletsch",), pictures=("ice_flow.py",)),
    "teach": Chapter(("tutorials/teach",), sample=("aletsch",), pictures=("teach.py",)),
    "own_model": Chapter(
        ("tutorials/own_model",), data=("retreat.py",), pictures=("own_model.py",)
    ),
    "teach_glacier": Chapter(
        ("tutorials/teach_glacier",),
        sample=("jakobshavn",),
        pictures=("teach_glacier.py", "adapted.py"),
    ),
    "radargram": Chapter(
        (
            *("algorithms/importradargram", "algorithms/exportlayers", "tutorials/radargram"),
            *("algorithms/simulateradargram", "algorithms/tracelayers"),
        ),
        data=("radargram.py",),
        pictures=("radargram.py", "radar_panel.py", "radar_review.py"),
    ),
    "measured_glaciers": Chapter(
        ("tutorials/measured_glaciers",),
        data=("aletsch.py", "south_glacier.py"),
        pictures=("measured_glaciers.py",),
    ),
    "projection": Chapter(
        ("tutorials/projection",), data=("south_glacier.py",), pictures=("projection.py",)
    ),
}


def blocks(page: Path, *kinds: str) -> list[tuple[str, str]]:
    """Return a page's blocks of some kinds, in their order: kind and text."""
    fence = rf"^```({'|'.join(kinds)})\n(.*?)^```$"
    return re.findall(fence, page.read_text(encoding="utf-8"), re.M | re.S)


def environment(folder: Path) -> dict[str, str]:
    """Return the variables under which `qgis_process` is this checkout's, in a fresh profile."""
    tools = folder / "tools"
    tools.mkdir(parents=True)
    program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if program is None:
        sys.exit("qgis_process is not on the PATH: install QGIS.")
    (tools / "qgis_process").symlink_to(program)
    return {
        "GLACIER_ENGINE_PYTHON": str(ENGINE),
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "QGIS_CUSTOM_CONFIG_PATH": str(folder / "profile"),
        "QGIS_PLUGINPATH": str(ROOT / "build" / "plugins"),
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_DATA_HOME": str(folder / "home"),
    }


def work_through(name: str) -> None:
    """Do in a fresh folder what a chapter says, and draw its pictures."""
    chapter, folder = CHAPTERS[name], ROOT / "build" / "run" / name
    shutil.rmtree(folder, ignore_errors=True)
    variables = environment(folder)
    for sample in chapter.sample:
        shutil.copytree(SAMPLE / sample, folder / sample)
    practice = {**os.environ, "PYTHONPATH": str(ROOT / "build" / "plugins")}
    for script in chapter.data:
        data = HERE / "tutorials" / script
        subprocess.run([ENGINE, "-P", data, folder], env=practice, check=True)
    enabling = ["qgis_process", "plugins", "enable", "glacier_qgis"]
    subprocess.run(enabling, env=variables, check=True, stdout=subprocess.DEVNULL)
    for page in (HERE / f"{page}.md" for page in chapter.pages):
        for kind, text in blocks(page, "csv", "sh", "python"):
            print(f"\n{kind}: {text}", end="", flush=True)
            if kind == "csv":
                (folder / "warming.csv").write_text(text, encoding="utf-8")
            elif kind == "sh":
                subprocess.run(["bash", "-euc", text], cwd=folder, env=variables, check=True)
            else:
                subprocess.run([ENGINE, "-P", "-c", text], cwd=folder, env=practice, check=True)
    for script in chapter.pictures:
        subprocess.run([sys.executable, HERE / "pictures" / script, folder], check=True)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or [name for name, each in CHAPTERS.items() if each.sample]:
        work_through(chosen)
