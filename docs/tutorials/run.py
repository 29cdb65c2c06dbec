"""Run every command of the tutorials and draw their pictures.

    /usr/bin/python3 docs/tutorials/run.py [TUTORIAL ...]

with the Python that QGIS runs in, after ``tools/link.py``. TUTORIAL is the name of a page here;
without one, both that need nothing but the plugin's ZIP. Commands are the blocks marked ``sh``,
and run in ``build/tutorials/TUTORIAL`` with the real ``qgis_process`` and a profile of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ENGINE = ROOT / "build" / "engine" / "bin" / "python"
SAMPLE = ROOT / "glacier_qgis" / "sample"
FROM_THE_ZIP = ("termini", "ice_flow")


@dataclass(frozen=True)
class Tutorial:
    """What a page needs beside its commands.

    Attributes:
        pictures: Script, here, that draws its pictures.
        sample: Folder of the sample data that the reader copies; None for none.
        data: Scripts, here, that write other data.
    """

    pictures: str
    sample: str | None = None
    data: tuple[str, ...] = ()


TUTORIALS = {
    "termini": Tutorial("termini_pictures.py", sample="jakobshavn"),
    "ice_flow": Tutorial("ice_flow_pictures.py", sample="aletsch"),
    "own_model": Tutorial("own_model_pictures.py", data=("retreat.py",)),
    "measured_glaciers": Tutorial("measured_pictures.py", data=("aletsch.py", "south_glacier.py")),
}


def blocks(page: Path, kind: str) -> list[str]:
    """Return a page's blocks of one kind, in their order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


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
    """Do in a fresh folder what a tutorial says, and draw its pictures."""
    tutorial, page, folder = TUTORIALS[name], HERE / f"{name}.md", ROOT / "build/tutorials" / name
    shutil.rmtree(folder, ignore_errors=True)
    variables = environment(folder)
    if tutorial.sample is not None:
        shutil.copytree(SAMPLE / tutorial.sample, folder / tutorial.sample)
    practice = {**os.environ, "PYTHONPATH": str(ROOT / "build" / "plugins")}
    for script in tutorial.data:
        subprocess.run([ENGINE, "-P", HERE / script, folder], env=practice, check=True)
    for table in blocks(page, "csv"):
        (folder / "warming.csv").write_text(table, encoding="utf-8")
    enabling = ["qgis_process", "plugins", "enable", "glacier_qgis"]
    subprocess.run(enabling, env=variables, check=True, stdout=subprocess.DEVNULL)
    for command in blocks(page, "sh"):
        print(f"\n$ {command}", end="", flush=True)
        subprocess.run(["bash", "-euc", command], cwd=folder, env=variables, check=True)
    subprocess.run([sys.executable, HERE / tutorial.pictures, folder], check=True)


if __name__ == "__main__":
    for chosen in sys.argv[1:] or FROM_THE_ZIP:
        work_through(chosen)
