"""The Python environments in ``build/``: the engine's, and those that only tests need."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from debian import PYTHON
from link import TREE, link_tree
from terminal import BUILD, ROOT, TOOLS, StepError, run, say

REQUIREMENTS = ROOT / "glacier_qgis" / "requirements"
THREADS = {"OMP_NUM_THREADS": "2"}
"""Small networks gain nothing from more threads, and a shared machine loses."""


def engine(*extras: str) -> Path:
    """Return the interpreter of an engine built by the plugin's own script."""
    folder = BUILD / "engine"
    files = [REQUIREMENTS / f"{name}.txt" for name in ("engine", *extras)]
    files += sorted((REQUIREMENTS / "locks").glob("*.txt"))
    if not _is_current(folder, files):
        say("Building the engine's environment in build/engine")
        link_tree()
        options = [word for extra in extras for word in ("--extra", extra)]
        # A machine for tests may serve a small PyTorch of its own; the rest is as users get it.
        _follow(
            [str(_base()), str(TREE / "setup" / "install.py"), str(folder), "--own-torch", *options]
        )
        _mark_current(folder, files)
    return folder / "bin" / "python"


def tensorflow() -> Path:
    """Return an interpreter with TensorFlow, which the parity test compares with."""
    return _plain("tensorflow", [REQUIREMENTS / "tensorflow.txt"])


def qgis_tests() -> Path:
    """Return an interpreter that sees the system's QGIS and has pytest-qgis."""
    return _plain("qgis", [TOOLS / "qgis-tests.txt"], "--system-site-packages")


def lock_tools() -> Path:
    """Return an interpreter that has what the engine's locks are made with."""
    return _plain("lock-tools", [TOOLS / "lock-tools.txt"])


def _plain(name: str, files: Sequence[Path], *options: str) -> Path:
    folder = BUILD / name
    python = folder / "bin" / "python"
    if not _is_current(folder, files):
        say(f"Building build/{name}")
        run([_base(), "-m", "venv", *options, folder], log=f"venv-{name}")
        wanted = [word for path in files for word in ("-r", path)]
        run([python, "-m", "pip", "install", "--quiet", *wanted], log=f"pip-{name}")
        _mark_current(folder, files)
    return python


def _base() -> Path:
    return PYTHON if PYTHON.exists() else Path(sys.executable)


def _follow(command: Sequence[str]) -> None:
    """Run the environment script and show what it tells."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    shown, problem = "", "it said nothing"
    for line in process.stdout or ():
        event = json.loads(line)
        message = event.get("message", "")
        if event["event"] == "error":
            problem = message
        elif message and message != shown:
            say(f"  {message}")
            shown = message
    if process.wait() != 0:
        raise StepError(f"The engine's environment could not be built: {problem}")


def _digests(files: Sequence[Path]) -> set[str]:
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _is_current(folder: Path, files: Sequence[Path]) -> bool:
    """Whether an environment was completed from what `files` say now, or from more."""
    stamp = folder / "complete.txt"
    runs = (folder / "bin" / "python").exists() and stamp.exists()
    return runs and _digests(files) <= set(stamp.read_text().split())


def _mark_current(folder: Path, files: Sequence[Path]) -> None:
    stamp = folder / "complete.txt"
    known = set(stamp.read_text().split()) if stamp.exists() else set()
    stamp.write_text("\n".join(sorted(known | _digests(files))) + "\n")
