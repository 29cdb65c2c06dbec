"""What the set-up installs, exactly: the lock of a platform and a version of Python.

Needs nothing but Python: the set-up reads locks before there is an environment. They are made
by ``tools/lock.py``.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from glacier_qgis.resources import REQUIREMENTS

LOCKS = REQUIREMENTS / "locks"
LOCKED_EXTRAS = ("igm", "tensorflow", "onnx", "cluster")
"""What a person may add to the engine; others are for developers."""
ROOM = 5
ROOM_GPU = 3
"""Bytes on disk for each byte that is downloaded: the files, and the wheel that pip keeps. GPU
libraries hardly shrink in a wheel."""
LEAST_GB = 999.5e6
"""Bytes that are no longer told in MB, of which there would be 1000."""
_SYSTEMS = {"Darwin": "macos"}
_MACHINES = {"amd64": "x86_64"}
_GPU = re.compile(r"triton$|(nvidia|cuda|rocm)-")
_TORCH_FAMILY = re.compile(r"(pytorch-)?(torch|triton)$|(nvidia|cuda|rocm|intel)-")


@dataclass(frozen=True)
class Package:
    """One package in one version.

    Attributes:
        pin: ``name==version``.
        size: Bytes to download; None where that is unknown.
        hashes: Options for pip, one for each file that may be installed; empty: any file.
    """

    pin: str
    size: int | None
    hashes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name as indexes write it."""
        return canonical(self.pin.partition("==")[0])

    @property
    def version(self) -> str:
        """The version, with the build that it names."""
        return self.pin.partition("==")[2]

    @property
    def line(self) -> str:
        """The line of a requirement file."""
        return " ".join((self.pin, *self.hashes))

    @property
    def room(self) -> int:
        """Bytes on disk, about, with the wheel that pip keeps."""
        return (self.size or 0) * (ROOM_GPU if _GPU.match(self.name) else ROOM)

    @property
    def of_torch(self) -> bool:
        """Whether it comes from where PyTorch comes from: PyTorch itself, or its GPU libraries."""
        return _TORCH_FAMILY.match(self.name) is not None


Lock = Mapping[str, Sequence[Package]]
"""Packages by section: `pip`, `engine`, and for each extra what it needs beyond these two."""


def read_lock(folder: Path = LOCKS) -> Lock:
    """Return the lock of this platform and Python; empty where there is none."""
    path = folder / f"{this_platform()}.txt"
    lock: dict[str, list[Package]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        requirement, _, size = line.partition("#")
        match requirement.split():
            case [title] if title.startswith("["):
                section = lock.setdefault(title.strip("[]"), [])
            case [pin, *hashes]:
                section.append(Package(pin, int(size), tuple(hashes)))
    return lock


def this_platform() -> str:
    """Return the name of this platform and Python, such as ``linux-x86_64-python3.11``."""
    system = _SYSTEMS.get(platform.system(), platform.system().lower())
    machine = platform.machine().lower()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{system}-{_MACHINES.get(machine, machine)}-python{version}"


def packages_of(lock: Lock, sections: Iterable[str]) -> list[Package]:
    """Return the packages of some sections, each once, though extras may share it."""
    return list(dict.fromkeys(package for name in sections for package in lock.get(name, ())))


def download_bytes(lock: Lock, sections: Iterable[str]) -> int:
    """Return the bytes to download for some sections."""
    return sum(package.size or 0 for package in packages_of(lock, sections))


def disk_bytes(lock: Lock, sections: Iterable[str]) -> int:
    """Return the bytes on disk of some sections, about."""
    return sum(package.room for package in packages_of(lock, sections))


def readable(size: float) -> str:
    """Return a number of bytes for a person."""
    return f"{size / 1e9:.1f} GB" if size >= LEAST_GB else f"{size / 1e6:.0f} MB"


def canonical(name: str) -> str:
    """Return a package's name in the one spelling that indexes compare."""
    return re.sub(r"[-_.]+", "-", name).lower()


def public(version: str) -> str:
    """Return a version without the build that it names: ``2.13.0`` of ``2.13.0+cpu``."""
    return version.partition("+")[0]
