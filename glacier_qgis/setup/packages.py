"""The packages of the engine's environment: found, downloaded and installed by its pip."""

from __future__ import annotations

import json
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from glacier_qgis.resources import REQUIREMENTS
from glacier_qgis.setup.locks import Package, canonical, public, readable
from glacier_qgis.setup.programs import SetupError, follow, last_line, run, tell

DATA_ONLY = {"igm", "demo"}
"""Extras that are taken for their files, without the packages that they name."""
LARGE_BYTES = 20_000_000
"""Packages from this size on are installed one by one, so that progress can be seen."""
GROUP = 12
TORCH = "torch"


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


def update_pip(python: Path, locked: Sequence[Package]) -> None:
    """Bring pip to a version that tells its progress to programs."""
    with requirements(locked) as wanted:
        options = ["-r", wanted] if locked else ["-r", str(REQUIREMENTS / "pip.txt")]
        finished = run([str(python), "-I", "-m", "pip", "install", "--quiet", *options])
    if finished.returncode != 0:
        raise SetupError(
            f"pip could not update itself: {last_line(finished.stderr)} Check the network "
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
    finished = run([str(python), "-I", "-c", code])
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


def _pip(python: Path) -> list[str]:
    return [str(python), "-I", "-m", "pip", "install", "--disable-pip-version-check"]
