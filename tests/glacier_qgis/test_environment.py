"""The engine's environment, built by real pip from packages that lie in a folder."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from glacier_qgis import environment

SCRIPT = Path(environment.__file__)
PYTHON = shutil.which("python3", path="/usr/bin") or sys.executable
ANSWER = 'print(\'{"event": "result", "outputs": {}}\')\n'


def wheel(folder: Path, name: str, needs: str = "") -> Path:
    """Write the smallest wheel there can be."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    requires = f"Requires-Dist: {needs}\n" if needs else ""
    files = {
        f"{name}.py": "",
        f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\n"
        f"Version: 1.0\n{requires}",
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    record = ""
    for inside, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += f"{inside},sha256={digest.decode()},{len(text)}\n"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in {**files, f"{name}-1.0.dist-info/RECORD": record}.items():
            archive.writestr(inside, text)
    return path


@pytest.fixture(scope="session")
def pip_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a current pip, from wherever this machine has its packages."""
    folder = tmp_path_factory.mktemp("pip")
    requirement = str(SCRIPT.parent / "requirements" / "pip.txt")
    download = [sys.executable, "-m", "pip", "download", "-q", "-d", str(folder), "-r", requirement]
    subprocess.run(download, check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture
def workshop(tmp_path: Path, pip_wheel: Path) -> Path:
    """Return a folder with the script and requirements of its own, and wheels to meet them."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "wheels").mkdir()
    shutil.copy(pip_wheel, tmp_path / "wheels")
    shutil.copy(SCRIPT.parent / "requirements" / "pip.txt", tmp_path / "requirements")
    (tmp_path / "requirements" / "engine.txt").write_text("firn==1.0 # with a reason\n")
    (tmp_path / "requirements" / "igm.txt").write_text("emulators==1.0\n")
    wheel(tmp_path / "wheels", "firn", "serac")
    wheel(tmp_path / "wheels", "serac")
    wheel(tmp_path / "wheels", "emulators", "a-package-that-does-not-exist")
    shutil.copy(SCRIPT, tmp_path)
    (tmp_path / "launch.py").write_text(ANSWER)
    return tmp_path


def command(workshop: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    variables = {
        **os.environ,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(workshop / "wheels"),
        "PIP_CONFIG_FILE": os.devnull,
    }
    script = [PYTHON, "-I", str(workshop / "environment.py")]
    return [*script, str(workshop / "é env"), *arguments], variables


def set_up(workshop: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    words, variables = command(workshop, *arguments)
    done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def messages(events: list[dict[str, Any]], kind: str) -> str:
    return "\n".join(event["message"] for event in events if event["event"] == kind)


def installed(python: str, name: str) -> bool:
    return not subprocess.run([python, "-I", "-c", f"import {name}"], check=False).returncode


def test_it_builds_tells_the_size_verifies_and_goes_on_from_where_it_was(workshop: Path) -> None:
    status, events = set_up(workshop, "--extra", "igm")
    assert status == 0, events
    python = events[-1]["outputs"]["PYTHON"]
    assert all(installed(python, name) for name in ("firn", "serac", "emulators"))
    assert "3 packages, 0 MB" in messages(events, "log")
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions)

    subprocess.run([python, "-m", "pip", "uninstall", "-qy", "serac"], check=True)
    status, events = set_up(workshop, "--extra", "igm")
    assert status == 0
    assert "1 packages" in messages(events, "log")
    assert installed(python, "serac")

    status, events = set_up(workshop, "--extra", "igm")
    assert "Every package is there." in messages(events, "log")


def test_an_environment_that_does_not_run_is_built_anew(workshop: Path) -> None:
    (workshop / "é env" / "bin").mkdir(parents=True)
    (workshop / "é env" / "pyvenv.cfg").write_text("home = /nowhere\n")
    (workshop / "é env" / "bin" / "python").symlink_to("/nowhere/python")
    status, events = set_up(workshop)
    assert status == 0, events
    assert installed(events[-1]["outputs"]["PYTHON"], "firn")


def test_a_folder_with_other_files_is_left_alone(workshop: Path) -> None:
    (workshop / "é env").mkdir()
    (workshop / "é env" / "thesis.tex").write_text("ten years")
    status, events = set_up(workshop)
    assert status == 1
    assert "holds other files" in messages(events, "error")
    assert (workshop / "é env" / "thesis.tex").read_text() == "ten years"


def test_a_package_that_cannot_be_had_is_named_with_a_cure(workshop: Path) -> None:
    (workshop / "wheels" / "serac-1.0-py3-none-any.whl").unlink()
    status, events = set_up(workshop)
    assert status == 1
    assert "'engine'" in messages(events, "error")
    assert "network" in messages(events, "error")


def test_an_engine_that_does_not_answer_is_no_success(workshop: Path) -> None:
    (workshop / "launch.py").write_text("import sys; sys.exit('libtorch.so is missing')")
    status, events = set_up(workshop)
    assert status == 1
    assert "libtorch.so is missing" in messages(events, "error")


def is_running(process: int) -> bool:
    """Say whether a process is there and has not ended without anybody having noticed."""
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


def test_cancel_ends_everything_that_was_started(workshop: Path) -> None:
    (workshop / "launch.py").write_text(
        "import os, sys, time\n"
        f"open({str(workshop / 'child')!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(60)"
    )
    words, variables = command(workshop)
    process = subprocess.Popen(words, env=variables, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (workshop / "child").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.terminate()
    process.wait(timeout=1)
    child = int((workshop / "child").read_text())
    limit = time.monotonic() + 5
    while is_running(child) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not is_running(child)
