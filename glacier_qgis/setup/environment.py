"""Builds, repairs and verifies the engine's environment.

Needs nothing but Python, so that it runs before there is an environment:
``python3 -I install.py FOLDER --extra igm``. It tells events, as the engine does, so that
QGIS shows its progress. A run that was stopped continues from where it was: what is installed
stays, what was downloaded is kept in pip's cache.

What is installed stands in the lock of this platform, with versions and hashes. Developers'
tools are in no lock: pip chooses them, by what is locked.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from glacier_qgis.resources import LAUNCHER, REQUIREMENTS
from glacier_qgis.setup.locks import LOCKED_EXTRAS, Lock, packages_of, read_lock, this_platform
from glacier_qgis.setup.packages import (
    Order,
    install,
    installed,
    missing,
    resolve,
    torch_packages,
    update_pip,
)
from glacier_qgis.setup.programs import SetupError, last_line, run, tell
from glacier_qgis.setup.state import State, interpreter, read_state

BASE = {"pip", "engine"}
EXTRAS = sorted({path.stem for path in REQUIREMENTS.glob("*.txt")} - BASE)
OLDEST_PYTHON = (3, 11)
PING_ID = "00000000"


def set_up(order: Order) -> Path:
    """Build or repair an environment, verify it, and return its interpreter.

    Raises:
        SetupError: A problem that the user can solve.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise SetupError(
            f"{sys.executable} is Python {sys.version.split()[0]}, and the engine needs 3.11 or "
            "later: install one, make an environment with it, and point GLACIER_ENGINE_PYTHON at "
            "that."
        )
    lock = {} if order.unlocked else read_lock()
    if not order.unlocked:
        check_lock(lock, order.extras)
    python = create_environment(order.folder)
    state = State(order.folder)
    order = replace(order, repair=order.repair or state.repairing)
    state.begin(repair=order.repair)
    update_pip(python, lock.get("pip", ()))
    here = installed(python)
    sections = ["engine", *order.extras]
    locked = packages_of(lock, sections)
    torch = torch_packages(python, order, locked, here)
    rest = [package for package in locked if not package.of_torch]
    wanted = [*torch, *rest]
    install(python, wanted if order.repair else missing(wanted, here), order)
    free = [name for name in sections if name not in lock]
    if free:
        chosen = [package for name in free for package in resolve(python, name, locked)]
        install(python, list(dict.fromkeys(chosen)), order)
    tell("progress", fraction=0.97, message="Starting the engine once")
    verify(python)
    if order.cuda:
        verify_cuda(python)
    state.complete(order.extras)
    return python


def check_lock(lock: Lock, extras: Sequence[str]) -> None:
    """Raise SetupError where the lock lacks what is asked for."""
    if not lock:
        raise SetupError(
            f"There is no PyTorch for {this_platform()}: the engine runs on Linux (x86_64, ARM), "
            "Windows (x86_64) and macOS (ARM) with Python 3.11 to 3.14."
        )
    lacking = [name for name in extras if name in LOCKED_EXTRAS and name not in lock]
    if lacking:
        raise SetupError(
            f"The extra '{', '.join(lacking)}' cannot be had for {this_platform()}: run again "
            "without it."
        )


def create_environment(folder: Path) -> Path:
    """Return the interpreter of the environment in `folder`, rebuilt if it does not run."""
    python = interpreter(folder)
    made = (folder / "pyvenv.cfg").exists()
    if made and _run_if_there(python, "-I", "-c", "import pip"):
        tell("log", message=f"The environment {folder} is there and runs.")
        return python
    if folder.exists() and any(folder.iterdir()) and not made:
        raise SetupError(f"The folder {folder} holds other files: choose an empty one.")
    tell("progress", fraction=0.0, message=f"Creating the environment {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    done = run([str(base_python()), "-I", "-m", "venv", str(folder)])
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise SetupError(
            "Python could not create an environment"
            + (
                ": its module ensurepip is missing. Install it (on Debian and Ubuntu: apt install "
                "python3-venv) and run again."
                if "ensurepip" in done.stdout + done.stderr
                else f" in {folder}: {last_line(done.stdout + done.stderr)}"
            )
        )
    return python


def base_python() -> Path:
    """Return a Python that can create environments; inside QGIS `sys.executable` may be QGIS."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    prefix = Path(sys.base_prefix)
    candidates = [
        Path(sys.executable),
        prefix / "python.exe",
        prefix / "python3.exe",
        prefix / "bin" / f"python{version}",
        prefix / "bin" / "python3",
    ]
    for candidate in candidates:
        if candidate.is_file() and candidate.stem.lower().startswith("python"):
            return candidate
    found = shutil.which("python3") or shutil.which("python")
    if found is None:
        raise SetupError("No Python was found beside QGIS: install Python 3.11 or later.")
    return Path(found)


def verify(python: Path) -> None:
    """Run the engine with a job that does nothing.

    Raises:
        SetupError: It does not answer.
    """
    with tempfile.TemporaryDirectory() as scratch:
        job = Path(scratch) / "job.json"
        job.write_text(json.dumps({"job": "ping", "id": PING_ID, "parameters": {}}))
        finished = run([str(python), "-I", str(LAUNCHER), str(job)])
    if finished.returncode != 0:
        raise SetupError(
            "The engine was installed but does not start: "
            f"{last_line(finished.stderr or finished.stdout)} Run again with REPAIR, which "
            "installs every package once more."
        )


def verify_cuda(python: Path) -> None:
    """Raise SetupError unless torch finds a graphics card."""
    test = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    if run([str(python), "-I", "-c", test]).returncode != 0:
        raise SetupError(
            "The engine works on the CPU, but its PyTorch finds no NVIDIA graphics card: update "
            "the card's driver, or enter a package index with CUDA builds of PyTorch and run the "
            "set-up again."
        )


def _run_if_there(python: Path, *arguments: str) -> bool:
    return python.exists() and run([str(python), *arguments]).returncode == 0


def end_children_on_cancel() -> None:
    """Let a request to stop end pip, and whatever pip has started, together with this program."""
    if os.name == "nt":
        return
    os.setpgrp()
    signal.signal(signal.SIGTERM, lambda *_: os.killpg(0, signal.SIGKILL))


def main() -> int:
    """Command line: returns 0 if the environment works, 1 if the user must solve a problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=lambda text: Path(text).absolute())
    parser.add_argument("--extra", dest="extras", action="append", default=[], choices=EXTRAS)
    parser.add_argument("--index", default="", help="address of a package index for PyTorch alone")
    parser.add_argument("--cuda", action="store_true", help="demand a usable graphics card")
    parser.add_argument("--repair", action="store_true", help="install again what is there")
    developers = parser.add_argument_group("for developers")
    developers.add_argument(
        "--own-torch", action="store_true", help="any build of the locked PyTorch that pip finds"
    )
    developers.add_argument(
        "--unlocked", action="store_true", help="versions by the requirement files, no hashes"
    )
    order = Order(**vars(parser.parse_args()))
    end_children_on_cancel()
    try:
        python = set_up(order)
    except (SetupError, OSError) as error:
        if read_state(order.folder):
            State(order.folder).fail(str(error))
        tell("error", message=str(error), traceback="")
        return 1
    tell("result", outputs={"PYTHON": str(python)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
