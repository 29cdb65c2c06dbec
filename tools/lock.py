"""Write the engine's locks: what the set-up installs, exactly, for each platform and Python.

    python3 tools/lock.py           the newest versions that the requirement files allow
    python3 tools/lock.py --keep    the versions of the present locks, as far as they still fit

One file per platform and Python version in ``glacier_qgis/requirements/locks``, one section
per requirement file, one line per package: its version, the hashes of the wheels that fit, and
the bytes to download. What pip or the engine needs stands there alone; the section of an extra
holds everything else that this extra needs, so that it is whole without the others. A section
that is missing names an extra that cannot be had there. The versions are the same in all
sections of a file. Only wheels are taken: to install them runs none of their code.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from environments import REQUIREMENTS, lock_tools
from terminal import finish, say

LOCKS = REQUIREMENTS / "locks"
BASE = ("pip", "engine")
EXTRAS = ("igm", "onnx", "cluster", "tensorflow")
WITHOUT_DEPENDENCIES = {"igm"}
"""Taken for its files: see the requirement file."""
PLATFORMS = {
    "linux-x86_64": "x86_64-manylinux_2_28",
    "linux-aarch64": "aarch64-manylinux_2_28",
    "macos-arm64": "aarch64-apple-darwin",
    "macos-x86_64": "x86_64-apple-darwin",
    "windows-x86_64": "x86_64-pc-windows-msvc",
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
OLDEST_MACOS = "14.0"
"""The oldest for which there are wheels of the pinned PyTorch."""


class NoSolutionError(Exception):
    """No set of wheels meets the requirements on this platform."""


def main() -> None:
    """Write every lock that can be had, and say which cannot and why."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="change no version without need")
    keep = parser.parse_args().keep
    uv = lock_tools().parent / "uv"
    LOCKS.mkdir(exist_ok=True)
    for platform in PLATFORMS:
        for python in PYTHONS:
            path = LOCKS / f"{platform}-python{python}.txt"
            kept = pins_of(path) if keep else []
            path.unlink(missing_ok=True)
            try:
                text, left_out = lock(Resolver(uv, PLATFORMS[platform], python), kept)
            except NoSolutionError as problem:
                say(f"{path.name}: none. {problem}")
                continue
            path.write_text(text, encoding="utf-8", newline="\n")
            say(f"{path.name}: {text.count('==')} packages" + "".join(left_out))


class Resolver:
    """Finds versions and wheels for one platform and one version of Python."""

    def __init__(self, uv: Path, platform: str, python: str) -> None:
        self._command: list[str | Path] = [uv, "--quiet", "--no-config", "pip", "compile"]
        self._command += ["--system-certs"]
        self._command += ["--only-binary", ":all:", "--prerelease", "disallow"]
        self._command += ["--python-platform", platform, "--python-version", python]

    def resolve(
        self, sections: Sequence[str], pins: Sequence[dict[str, Any]] = ()
    ) -> list[dict[str, Any]]:
        """Return the packages of some requirement files, in the versions of `pins`.

        Raises:
            NoSolutionError: There are none.
        """
        with tempfile.TemporaryDirectory() as scratch:
            constraints = Path(scratch) / "constraints.txt"
            constraints.write_text("".join(f"{pin(package)}\n" for package in pins))
            result = Path(scratch) / "pylock.toml"
            command = [*self._command, "--format", "pylock.toml", "--output-file", result]
            command += ["--constraints", constraints]
            if WITHOUT_DEPENDENCIES.issuperset(sections):
                command.append("--no-deps")
            command += [REQUIREMENTS / f"{name}.txt" for name in sections]
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": OLDEST_MACOS},
            )
            if done.returncode != 0:
                raise NoSolutionError(" ".join(done.stderr.split()))
            packages: list[dict[str, Any]] = tomllib.loads(result.read_text())["packages"]
            return packages


def lock(resolver: Resolver, kept: Sequence[dict[str, Any]]) -> tuple[str, list[str]]:
    """Return the text of a lock, and a sentence about each section that cannot be had.

    Args:
        resolver: Of the platform and the version of Python.
        kept: Packages whose versions must not change.
    """
    together, left_out = ["engine"], []
    pins = resolver.resolve(together, kept)
    for name in EXTRAS:
        if name in WITHOUT_DEPENDENCIES:
            continue
        try:
            pins = resolver.resolve([*together, name], kept)
        except NoSolutionError as problem:
            left_out.append(f"; no '{name}': {problem}")
        else:
            together.append(name)
    lines = ["# Made by tools/lock.py. The number behind a package: bytes to download."]
    base: set[str] = set()
    for name in (*BASE, *EXTRAS):
        if name not in {*BASE, *WITHOUT_DEPENDENCIES, *together}:
            continue
        own = resolver.resolve([name], [*pins, *kept])
        own = [package for package in own if package["name"] not in base]
        lines += ["", f"[{name}]", *map(line, own)]
        if name in BASE:
            base.update(package["name"] for package in own)
    return "\n".join(lines) + "\n", left_out


def line(package: dict[str, Any]) -> str:
    """Return the line of a package: its version, the hashes of its wheels, the largest's bytes."""
    wheels = package["wheels"]
    hashes = sorted(f"--hash=sha256:{wheel['hashes']['sha256']}" for wheel in wheels)
    return f"{pin(package)} {' '.join(hashes)} # {max(wheel['size'] for wheel in wheels)}"


def pins_of(path: Path) -> list[dict[str, Any]]:
    """Return the packages of a lock that is there, each with its version."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = dict(re.findall(r"^([^\s=#]+)==(\S+)", text, re.MULTILINE))
    return [{"name": name, "version": version} for name, version in found.items()]


def pin(package: dict[str, Any]) -> str:
    """Return ``name==version``."""
    return f"{package['name']}=={package['version']}"


if __name__ == "__main__":
    sys.exit(finish(main))
