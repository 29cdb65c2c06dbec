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
import subprocess  # nosec B404: starts only the interpreters and pip of this environment
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from glacier_qgis.locks import (
    Lock,
    Package,
    canonical,
    public,
    read_lock,
    readable,
    this_platform,
)

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements"
DATA_ONLY = {"igm", "demo"}
"""Extras that are taken for their files, without the packages that they name."""
BASE = {"pip", "engine"}
LOCKED_EXTRAS = {"igm", "onnx", "tensorflow"}
EXTRAS = sorted({path.stem for path in REQUIREMENTS.glob("*.txt")} - BASE)
OLDEST_PYTHON = (3, 11)
LARGE_BYTES = 20_000_000
"""Packages from this size on are installed one by one, so that progress can be seen."""
GROUP = 12
TORCH = "torch"
STATE = "setup.json"
"""In the environment's folder: whether it is complete, and whether a set-up was stopped."""
PING_ID = "00000000"


class SetupError(Exception):
    """Something that the person can mend; the message says how."""


@dataclass(frozen=True)
class Order:
    """What a set-up is asked for.

    Attributes:
        folder: Made if it does not exist; must be an environment or empty if it does.
        extras: Names of requirement files beside ``engine``.
        index: Address of a package index that PyTorch alone is taken from, without hashes.
        cuda: Demand that torch can use an NVIDIA graphics card.
        repair: Install again what is there.
        own_torch: Take PyTorch, in its locked version but without hashes, from wherever pip's
            configuration has it: for machines that serve builds of their own.
        unlocked: Let pip choose all versions within the requirement files, without hashes.
    """

    folder: Path
    extras: Sequence[str] = ()
    index: str = ""
    cuda: bool = False
    repair: bool = False
    own_torch: bool = False
    unlocked: bool = False


def tell(event: str, **fields: object) -> None:
    """Write one event."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def interpreter(folder: Path) -> Path:
    """Return the path of the environment's Python."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def set_up(order: Order) -> Path:
    """Build or repair an environment, verify it, and return its interpreter.

    Raises:
        SetupError: Something that the person can mend.
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
    locked = [package for name in sections for package in lock.get(name, ())]
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


class State:
    """What is remembered of set-ups, in the environment's folder.

    Attributes:
        repairing: A repair has not come to its end; the next set-up is one too.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / STATE
        known = read_state(folder)
        self.repairing: bool = known.get("repairing", False)
        self._complete: bool = known.get("complete", False)
        self._extras: list[str] = known.get("extras", [])

    def begin(self, *, repair: bool) -> None:
        """Remember that a set-up runs; unless it is a repair, what was complete still is."""
        self.repairing = repair
        self._complete = self._complete and not repair
        self._write(unfinished=True)

    def fail(self, problem: str) -> None:
        """Remember why a set-up ended early; one that was cancelled has no time to say so."""
        self._write(unfinished=True, problem=problem)

    def complete(self, extras: Sequence[str]) -> None:
        """Remember that a set-up came to its end."""
        self._complete, self.repairing = True, False
        self._extras = sorted({*self._extras, *extras})
        self._write(unfinished=False)

    def _write(self, *, unfinished: bool, problem: str = "") -> None:
        state = {"complete": self._complete, "unfinished": unfinished, "extras": self._extras}
        state["repairing"] = self.repairing
        text = json.dumps(state | {"problem": problem}) + "\n"
        self._path.write_text(text, encoding="utf-8")


def read_state(folder: Path) -> dict[str, Any]:
    """Return what is remembered of set-ups in `folder`; nothing where that cannot be read."""
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def create_environment(folder: Path) -> Path:
    """Return the interpreter of the environment in `folder`, built anew if it does not run."""
    python = interpreter(folder)
    made = (folder / "pyvenv.cfg").exists()
    if made and _run_if_there(python, "-I", "-c", "import pip"):
        tell("log", message=f"The environment {folder} is there and runs.")
        return python
    if folder.exists() and any(folder.iterdir()) and not made:
        raise SetupError(f"The folder {folder} holds other files: choose an empty one.")
    tell("progress", fraction=0.0, message=f"Creating the environment {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    done = _run([str(base_python()), "-I", "-m", "venv", str(folder)])
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise SetupError(
            "Python could not create an environment"
            + (
                ": its module ensurepip is missing. Install it (on Debian and Ubuntu: apt install "
                "python3-venv) and run again."
                if "ensurepip" in done.stdout + done.stderr
                else f" in {folder}: {_last_line(done.stdout + done.stderr)}"
            )
        )
    return python


def update_pip(python: Path, locked: Sequence[Package]) -> None:
    """Bring pip to a version that tells its progress to programs."""
    with requirements(locked) as wanted:
        options = ["-r", wanted] if locked else ["-r", str(REQUIREMENTS / "pip.txt")]
        finished = _run([str(python), "-I", "-m", "pip", "install", "--quiet", *options])
    if finished.returncode != 0:
        raise SetupError(
            f"pip could not update itself: {_last_line(finished.stderr)} Check the network "
            "connection and run again."
        )


@contextmanager
def requirements(packages: Sequence[Package]) -> Iterator[str]:
    """Write a requirement file for as long as it is needed."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "requirements.txt"
        path.write_text("".join(f"{package.line}\n" for package in packages))
        yield str(path)


def installed(python: Path) -> dict[str, str]:
    """Return the version of each package that an environment has."""
    code = (
        "import json; from importlib.metadata import distributions; "
        "print(json.dumps([(item.name, item.version) for item in distributions()]))"
    )
    finished = _run([str(python), "-I", "-c", code])
    found: list[tuple[str, str]] = json.loads(finished.stdout)
    return {canonical(name): version for name, version in found}


def torch_packages(
    python: Path, order: Order, locked: Sequence[Package], here: Mapping[str, str]
) -> list[Package]:
    """Return PyTorch and its GPU libraries, from where they are asked for.

    A build that an index named at an earlier set-up stays where no index is named at this one.
    """
    torch = [package for package in locked if package.of_torch]
    wanted = next((package.pin for package in torch if package.name == "torch"), TORCH)
    have = here.get("torch", "")
    if order.index:
        return resolve_torch(python, wanted, ["--index-url", order.index])
    if (
        have
        and public(have) == wanted.partition("==")[2]
        and (order.own_torch or have != public(have))
    ):
        return []
    if order.own_torch:
        return resolve_torch(python, wanted, [])
    return torch


def resolve_torch(python: Path, pin: str, options: Sequence[str]) -> list[Package]:
    """Ask pip for PyTorch and its GPU libraries; what else it needs comes from the lock."""
    tell("progress", fraction=0.02, message=f"Finding {pin} and its libraries")
    constraints = str(REQUIREMENTS / "engine.txt")
    chosen = _dry_run(python, [*options, "--ignore-installed", "-c", constraints, pin], "torch")
    return [package for package in chosen if package.of_torch]


def missing(packages: Sequence[Package], here: Mapping[str, str]) -> list[Package]:
    """Return the packages that are not installed in exactly the version that is wanted."""
    return [package for package in packages if here.get(package.name) != package.version]


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


def install(python: Path, packages: Sequence[Package], order: Order) -> None:
    """Install packages group by group, telling the share of the download that is done.

    Args:
        python: The environment's interpreter.
        packages: Everything that is installed, and nothing else is.
        order: Says where PyTorch comes from.
    """
    if not packages:
        tell("log", message="Every package is there.")
        return
    total = sum(package.size or 0 for package in packages)
    unknown = sum(package.size is None for package in packages)
    tell(
        "log",
        message=f"{len(packages)} packages, {readable(total)} to download"
        + (f", and {unknown} of a size that their index does not tell." if unknown else "."),
    )
    check_room(python.parent, sum(package.room for package in packages))
    done = 0
    for group in in_groups(packages):
        download = Download([package.pin for package in group], done, max(total, 1))
        with requirements(group) as wanted:
            command = [*_pip(python), "--no-deps", "--progress-bar", "raw", "-r", wanted]
            if order.repair:
                command.append("--force-reinstall")
            if group[0].hashes:
                command += ["--require-hashes", "--only-binary", ":all:"]
            elif order.index and group[0].of_torch:
                command += ["--index-url", order.index]
            status, problem = download.follow(command)
        if status != 0:
            raise SetupError(
                f"pip could not install {', '.join(download.pins)}: {problem} Check the network "
                "connection and the free disk space, and run again: it continues from here."
            )
        done += sum(package.size or 0 for package in group)


def check_room(folder: Path, needed: int) -> None:
    """Raise SetupError where so many bytes cannot fit."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SetupError(
            f"The packages need about {readable(needed)} and the disk of {folder} has "
            f"{readable(free)} free: make room, or choose another FOLDER, and run again."
        )


class Download:
    """Follows pip while it downloads and installs one group of packages."""

    def __init__(self, pins: Sequence[str], done: int, total: int) -> None:
        self.pins = pins
        self._done = done
        self._total = total
        self._file = 0

    def follow(self, command: Sequence[str]) -> tuple[int, str]:
        """Run pip to its end; return its exit status and the last line of what it complained."""
        self._tell()
        return follow(command, self._take)

    def _take(self, words: list[str]) -> None:
        """Understand pip's progress for machines: ``Progress <bytes> of <bytes>``."""
        match words:
            case ["Progress", received, "of", size] if received.isdigit() and size.isdigit():
                self._file = int(received)
                self._tell()
                if received == size:
                    self._done, self._file = self._done + self._file, 0

    def _tell(self) -> None:
        share = min((self._done + self._file) / self._total, 1.0)
        tell("progress", fraction=0.05 + 0.9 * share, message=", ".join(self.pins))


def resolve(python: Path, name: str, pins: Sequence[Package]) -> list[Package]:
    """Ask pip which packages of a requirement file are missing, installing nothing."""
    tell("progress", fraction=0.02, message=f"Finding the packages for '{name}'")
    free = [Package(pin.pin, None) for pin in pins if not pin.of_torch]
    with requirements(free) as constraints:
        options = ["-c", constraints, "-r", str(REQUIREMENTS / f"{name}.txt")]
        return _dry_run(python, ["--no-deps", *options] if name in DATA_ONLY else options, name)


def _dry_run(python: Path, options: Sequence[str], name: str) -> list[Package]:
    """Ask pip what it would install, telling each package that it looks at."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        status, problem = follow(
            [*_pip(python), "--dry-run", "--report", str(report), *options], _tell_search
        )
        if status != 0:
            raise SetupError(
                f"pip found no fitting packages for '{name}': {problem} Check the network "
                "connection, and that this Python is 3.11 or later."
            )
        chosen = json.loads(report.read_text(encoding="utf-8"))["install"]
    return [
        Package(
            f"{item['metadata']['name']}=={item['metadata']['version']}",
            download_size(item["download_info"]["url"]),
        )
        for item in chosen
    ]


def _tell_search(words: list[str]) -> None:
    """Understand what pip says while it looks for packages: what it collects, or has on disk."""
    match words:
        case ["Collecting" | "Processing", what, *_]:
            tell("progress", fraction=0.03, message=f"Finding packages: {Path(what).name}")


def follow(command: Sequence[str], take: Callable[[list[str]], None]) -> tuple[int, str]:
    """Run pip to its end, giving each line's words to `take`.

    Returns:
        Its exit status, and the last line of what it complained.
    """
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
        subprocess.Popen(  # noqa: S603  # nosec B603: a list, no shell
            command, stdout=subprocess.PIPE, stderr=complaints, text=True, errors="replace"
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                take(line.split())
        except BaseException:
            process.kill()
            raise
        status = process.wait()
        complaints.seek(0)
        return status, _last_line(complaints.read())


def download_size(url: str) -> int | None:
    """Return the bytes behind `url`; None where that cannot be had."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(unquote(parts.path)).stat().st_size
    if parts.scheme != "https":
        return None
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310  (https only)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  # nosec B310
            length = answer.headers["Content-Length"]
    except OSError:
        return None
    return int(length) if length else None


def in_groups(packages: Sequence[Package]) -> Iterator[list[Package]]:
    """Split packages: large ones alone, small ones by the dozen; hashed ones apart from others."""
    small: dict[tuple[bool, bool], list[Package]] = {}
    for package in packages:
        if (package.size or 0) >= LARGE_BYTES:
            yield [package]
            continue
        group = small.setdefault((bool(package.hashes), package.of_torch), [])
        group.append(package)
        if len(group) == GROUP:
            yield [*group]
            group.clear()
    yield from filter(None, small.values())


def verify(python: Path) -> None:
    """Run the engine with a job that does nothing.

    Raises:
        SetupError: It does not answer.
    """
    with tempfile.TemporaryDirectory() as scratch:
        job = Path(scratch) / "job.json"
        job.write_text(json.dumps({"job": "ping", "id": PING_ID, "parameters": {}}))
        finished = _run([str(python), "-I", str(HERE / "launch.py"), str(job)])
    if finished.returncode != 0:
        raise SetupError(
            "The engine was installed but does not start: "
            f"{_last_line(finished.stderr or finished.stdout)} Run again with REPAIR, which "
            "installs every package once more."
        )


def verify_cuda(python: Path) -> None:
    """Raise SetupError unless torch finds a graphics card."""
    test = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    if _run([str(python), "-I", "-c", test]).returncode != 0:
        raise SetupError(
            "The engine works on the CPU, but its PyTorch finds no NVIDIA graphics card: update "
            "the card's driver, or name a package index with CUDA builds of PyTorch and set up "
            "anew."
        )


def _pip(python: Path) -> list[str]:
    return [str(python), "-I", "-m", "pip", "install", "--disable-pip-version-check"]


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # nosec B603: a list, no shell
        command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
    )


def _run_if_there(python: Path, *arguments: str) -> bool:
    return python.exists() and _run([str(python), *arguments]).returncode == 0


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing."


def end_children_on_cancel() -> None:
    """Let a request to stop end pip, and whatever pip has started, together with this program."""
    if os.name == "nt":
        return
    os.setpgrp()
    signal.signal(signal.SIGTERM, lambda *_: os.killpg(0, signal.SIGKILL))


def main() -> int:
    """Command line: returns 0 when the environment works, 1 when a person must mend something."""
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
