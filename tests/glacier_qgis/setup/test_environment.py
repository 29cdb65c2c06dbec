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

from glacier_qgis.resources import REQUIREMENTS
from glacier_qgis.setup import environment, packages
from glacier_qgis.setup.state import read_state

SCRIPT = Path(environment.__file__)
PLUGIN = SCRIPT.parents[1]
PYTHON = shutil.which("python3", path="/usr/bin") or sys.executable
ANSWER = 'print(\'{"event": "result", "outputs": {}}\')\n'


def wheel(folder: Path, name: str, needs: str = "", version: str = "1.0") -> Path:
    """Write the smallest wheel there can be."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    requires = f"Requires-Dist: {needs}\n" if needs else ""
    files = {
        f"{name}.py": "",
        f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\n"
        f"Version: {version}\n{requires}",
        f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    record = ""
    for inside, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += f"{inside},sha256={digest.decode()},{len(text)}\n"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in {**files, f"{name}-{version}.dist-info/RECORD": record}.items():
            archive.writestr(inside, text)
    return path


@pytest.fixture(scope="session")
def pip_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a current pip, from wherever this machine has its packages."""
    folder = tmp_path_factory.mktemp("pip")
    requirement = str(REQUIREMENTS / "pip.txt")
    download = [sys.executable, "-m", "pip", "download", "-q", "-d", str(folder), "-r", requirement]
    subprocess.run(download, check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture
def workshop(tmp_path: Path, pip_wheel: Path) -> Path:
    """Return a folder with the script and requirements of its own, and wheels to meet them."""
    package = tmp_path / "glacier_qgis"
    (package / "requirements" / "locks").mkdir(parents=True)
    for name in ("__init__.py", "resources.py", "setup"):
        (package / name).symlink_to(PLUGIN / name)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    shutil.copy(pip_wheel, wheels)
    shutil.copy(REQUIREMENTS / "pip.txt", package / "requirements")
    (package / "requirements" / "engine.txt").write_text("firn>=1 # with a reason\n")
    (package / "requirements" / "igm.txt").write_text("emulators==1.0\n")
    (package / "requirements" / "test.txt").write_text("probe\n")
    wheel(wheels, "firn", "serac")
    wheel(wheels, "serac")
    wheel(wheels, "emulators", "a-package-that-does-not-exist")
    wheel(wheels, "torch", "serac")
    wheel(wheels, "probe", "serac")
    (package / "launch.py").write_text(ANSWER)
    lock(tmp_path)
    return tmp_path


def lock(workshop: Path, **hashes: str) -> Path:
    """Lock what lies in the folder, with `hashes` in place of those of some packages."""
    lines = []
    for section, names in {
        "pip": ["pip"],
        "engine": ["firn", "serac", "torch"],
        "igm": ["emulators"],
    }.items():
        lines.append(f"[{section}]")
        for name in names:
            path = next((workshop / "wheels").glob(f"{name}-*.whl"))
            content = path.read_bytes()
            digest = hashes.get(name) or hashlib.sha256(content).hexdigest()
            version = path.name.split("-")[1]
            lines.append(f"{name}=={version} --hash=sha256:{digest} # {len(content)}")
    path = locks_of(workshop) / f"{this_platform(PYTHON)}.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def locks_of(workshop: Path) -> Path:
    return workshop / "glacier_qgis" / "requirements" / "locks"


def this_platform(python: str) -> str:
    code = f"import sys; sys.path.append({str(PLUGIN.parent)!r}); "
    code += "from glacier_qgis.setup import locks; "
    done = subprocess.run(
        [python, "-I", "-c", code + "print(locks.this_platform())"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def command(workshop: Path, *arguments: str) -> tuple[list[str], dict[str, str]]:
    variables = {
        **os.environ,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(workshop / "wheels"),
        "PIP_CONFIG_FILE": os.devnull,
    }
    script = [PYTHON, "-I", str(workshop / "glacier_qgis" / "setup" / "install.py")]
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


@pytest.mark.slow
def test_it_builds_tells_the_size_verifies_and_resumes_where_it_was(workshop: Path) -> None:
    status, events = set_up(workshop, "--extra", "igm")
    assert status == 0, events
    python = events[-1]["outputs"]["PYTHON"]
    assert all(installed(python, name) for name in ("firn", "serac", "emulators"))
    assert "4 packages, 0 MB" in messages(events, "log")
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions)

    subprocess.run([python, "-m", "pip", "uninstall", "-qy", "serac"], check=True)
    status, events = set_up(workshop, "--extra", "igm")
    assert status == 0
    assert "1 packages" in messages(events, "log")
    assert installed(python, "serac")

    status, events = set_up(workshop, "--extra", "igm")
    assert "Every package is there." in messages(events, "log")


@pytest.mark.slow
def test_an_environment_that_does_not_run_is_rebuilt(workshop: Path) -> None:
    (workshop / "é env" / "bin").mkdir(parents=True)
    (workshop / "é env" / "pyvenv.cfg").write_text("home = /nowhere\n")
    (workshop / "é env" / "bin" / "python").symlink_to("/nowhere/python")
    status, events = set_up(workshop)
    assert status == 0, events
    assert installed(events[-1]["outputs"]["PYTHON"], "firn")


@pytest.mark.slow
def test_a_folder_with_other_files_is_left_alone(workshop: Path) -> None:
    (workshop / "é env").mkdir()
    (workshop / "é env" / "thesis.tex").write_text("ten years")
    status, events = set_up(workshop)
    assert status == 1
    assert "holds other files" in messages(events, "error")
    assert (workshop / "é env" / "thesis.tex").read_text() == "ten years"


@pytest.mark.slow
def test_a_package_that_cannot_be_had_is_named_with_a_remedy(workshop: Path) -> None:
    (workshop / "wheels" / "serac-1.0-py3-none-any.whl").unlink()
    status, events = set_up(workshop)
    assert status == 1
    assert "serac==1.0" in messages(events, "error")
    assert "network" in messages(events, "error")


@pytest.mark.slow
def test_a_file_that_is_not_the_locked_one_is_refused(workshop: Path) -> None:
    lock(workshop, serac="0" * 64)
    status, events = set_up(workshop)
    assert status == 1
    assert "serac" in messages(events, "error")
    assert not installed(str(workshop / "é env" / "bin" / "python"), "serac")


@pytest.mark.slow
def test_another_version_than_the_locked_one_is_replaced(workshop: Path) -> None:
    assert set_up(workshop)[0] == 0
    python = str(workshop / "é env" / "bin" / "python")
    folder = workshop / "other"
    folder.mkdir()
    other = wheel(folder, "serac", version="1.1")
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", str(other)], check=True)
    status, events = set_up(workshop)
    assert status == 0
    assert "1 packages" in messages(events, "log")
    assert packages.installed(Path(python))["serac"] == "1.0"


@pytest.mark.slow
def test_without_a_lock_for_this_platform_it_says_where_the_engine_runs(workshop: Path) -> None:
    lock(workshop).unlink()
    status, events = set_up(workshop)
    assert status == 1
    assert this_platform(PYTHON) in messages(events, "error")
    assert not (workshop / "é env").exists()


@pytest.mark.slow
def test_an_extra_that_the_lock_lacks_is_named_before_anything_is_made(workshop: Path) -> None:
    (workshop / "glacier_qgis" / "requirements" / "onnx.txt").write_text("onnx\n")
    status, events = set_up(workshop, "--extra", "onnx")
    assert status == 1
    assert "'onnx'" in messages(events, "error")
    assert not (workshop / "é env").exists()


@pytest.mark.slow
def test_unlocked_pip_chooses_and_tells_what_it_looks_at(workshop: Path) -> None:
    lock(workshop).unlink()
    status, events = set_up(workshop, "--unlocked")
    assert status == 0, events
    assert "Finding packages: firn" in messages(events, "progress")
    assert installed(events[-1]["outputs"]["PYTHON"], "serac")


@pytest.mark.slow
def test_developers_packages_keep_to_what_is_locked(workshop: Path) -> None:
    wheel(workshop / "wheels", "serac", version="1.1")
    status, events = set_up(workshop, "--extra", "test")
    assert status == 0, events
    found = packages.installed(Path(events[-1]["outputs"]["PYTHON"]))
    assert (found["probe"], found["serac"]) == ("1.0", "1.0")


@pytest.mark.slow
def test_own_torch_is_any_build_of_the_locked_version_and_stays(workshop: Path) -> None:
    build = wheel(workshop / "wheels", "torch", "serac", version="1.0+cpu")
    status, events = set_up(workshop, "--own-torch")
    assert status == 0, events
    python = Path(events[-1]["outputs"]["PYTHON"])
    assert packages.installed(python)["torch"] == "1.0+cpu"
    build.unlink()
    for options in ((), ("--repair",)):
        status, events = set_up(workshop, *options)
        assert status == 0
        assert packages.installed(python)["torch"] == "1.0+cpu"


@pytest.mark.slow
def test_a_named_index_gives_torch_and_nothing_else(workshop: Path) -> None:
    index = workshop / "index"
    for name, version in (("torch", "1.0+rocm"), ("serac", "9.0"), ("firn", "9.0")):
        (index / name).mkdir(parents=True)
        path = wheel(index / name, name, "serac" if name == "torch" else "", version=version)
        (index / name / "index.html").write_text(f'<a href="{path.name}">{path.name}</a>')
    words, variables = command(workshop, "--index", index.as_uri())
    variables.pop("PIP_NO_INDEX")
    variables["PIP_INDEX_URL"] = (workshop / "empty").as_uri()
    done = subprocess.run(words, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    found = packages.installed(workshop / "é env" / "bin" / "python")
    assert (found["torch"], found["serac"], found["firn"]) == ("1.0+rocm", "1.0", "1.0")


@pytest.mark.slow
def test_repair_puts_back_a_file_that_is_gone(workshop: Path) -> None:
    status, events = set_up(workshop)
    python = events[-1]["outputs"]["PYTHON"]
    (gone,) = (workshop / "é env").rglob("serac.py")
    gone.unlink()
    assert set_up(workshop)[0] == 0
    assert not installed(python, "serac")
    status, events = set_up(workshop, "--repair")
    assert status == 0, events
    assert installed(python, "serac")


@pytest.mark.slow
def test_a_repair_that_was_stopped_is_continued(workshop: Path) -> None:
    assert set_up(workshop)[0] == 0
    python = str(workshop / "é env" / "bin" / "python")
    (workshop / "glacier_qgis" / "launch.py").write_text("import sys; sys.exit('stopped')")
    assert set_up(workshop, "--repair")[0] == 1
    assert not read_state(workshop / "é env")["complete"]
    (gone,) = (workshop / "é env").rglob("serac.py")
    gone.unlink()
    (workshop / "glacier_qgis" / "launch.py").write_text(ANSWER)
    assert set_up(workshop)[0] == 0
    assert installed(python, "serac")
    _, events = set_up(workshop)
    assert "Every package is there." in messages(events, "log")


@pytest.mark.slow
def test_a_python_that_is_no_environment_is_left_alone(workshop: Path) -> None:
    (workshop / "é env" / "bin").mkdir(parents=True)
    (workshop / "é env" / "bin" / "python").symlink_to(PYTHON)
    status, events = set_up(workshop)
    assert status == 1
    assert "holds other files" in messages(events, "error")


@pytest.mark.slow
def test_an_engine_that_does_not_answer_is_no_success(workshop: Path) -> None:
    (workshop / "glacier_qgis" / "launch.py").write_text(
        "import sys; sys.exit('libtorch.so is missing')"
    )
    status, events = set_up(workshop)
    assert status == 1
    assert "libtorch.so is missing" in messages(events, "error")


def is_running(process: int) -> bool:
    """Say whether a process is there and has not ended without anybody having noticed."""
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_cancel_ends_everything_that_was_started(workshop: Path) -> None:
    (workshop / "glacier_qgis" / "launch.py").write_text(
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
    state = read_state(workshop / "é env")
    assert state["unfinished"]
    assert not state["complete"]
    assert not state["problem"]

    (workshop / "glacier_qgis" / "launch.py").write_text(ANSWER)
    status, events = set_up(workshop)
    assert status == 0
    assert "Every package is there." in messages(events, "log")
    assert read_state(workshop / "é env")["complete"]
