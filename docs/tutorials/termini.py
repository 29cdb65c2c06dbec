"""Run every command of ``termini.md`` on practice data and draw its pictures.

    /usr/bin/python3 docs/tutorials/termini.py [FOLDER]

with the Python that QGIS runs in, after ``.ci/link.py``. Commands are the blocks marked ``sh``;
they run in FOLDER (``build/tutorial``) with the real ``qgis_process`` and a profile of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ENGINE = ROOT / "build" / "engine" / "bin" / "python"
PAGE = HERE / "termini.md"


def commands(page: Path) -> list[str]:
    """Return a tutorial's commands, in their order."""
    return re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


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


def work_through(page: Path, data: Sequence[str], pictures: str, folder: Path) -> None:
    """Make the data of a tutorial in a fresh folder, run the page's commands there, and draw.

    Args:
        page: The tutorial.
        data: Names of the scripts, here, that write its data.
        pictures: Name of the script, here, that draws its pictures.
        folder: Where to work; what is there is removed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    variables = environment(folder)
    practice = {**os.environ, "PYTHONPATH": str(ROOT / "build" / "plugins")}
    for script in data:
        subprocess.run([ENGINE, "-P", HERE / script, folder], env=practice, check=True)
    enabling = ["qgis_process", "plugins", "enable", "glacier_qgis"]
    subprocess.run(enabling, env=variables, check=True, stdout=subprocess.DEVNULL)
    for command in commands(page):
        print(f"\n$ {command}", end="", flush=True)
        subprocess.run(["bash", "-euc", command], cwd=folder, env=variables, check=True)
    subprocess.run([sys.executable, HERE / pictures, folder], check=True)


def chosen_folder(name: str) -> Path:
    """Return the folder that the caller named, or one of that name in ``build``."""
    return Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / name).absolute()


if __name__ == "__main__":
    work_through(PAGE, ["retreat.py"], "pictures.py", chosen_folder("tutorial"))
