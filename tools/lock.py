"""Write the engine's locks: what the set-up installs, exactly, for each platform and Python.

    python3 tools/lock.py

One file per platform and Python version in ``glacier_qgis/requirements/locks``, one section
per requirement file, one line per package: its version, the hashes of the wheels that fit, and
the bytes to download. A package is in the first section that needs it; a section that is
missing names an extra that cannot be had there. The versions are the newest that the
requirement files allow, the same in all sections of a file. Only wheels are taken: to
install them runs none of their code.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from environments import REQUIREMENTS, lock_tools
from terminal import finish, say

LOCKS = REQUIREMENTS / "locks"
SECTIONS = ("pip", "engine", "igm", "onnx", "tensorflow")
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
    uv = lock_tools().parent / "uv"
    LOCKS.mkdir(exist_ok=True)
    for platform in PLATFORMS:
        for python in PYTHONS:
            path = LOCKS / f"{platform}-python{python}.txt"
            path.unlink(missing_ok=True)
            try:
                text, left_out = lock(Resolver(uv, PLATFORMS[platform], python))
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


def lock(resolver: Resolver) -> tuple[str, list[str]]:
    """Return the text of a lock, and a sentence about each section that cannot be had."""
    together, left_out = ["engine"], []
    pins = resolver.resolve(together)
    for name in ("onnx", "tensorflow"):
        try:
            pins = resolver.resolve([*together, name])
        except NoSolutionError as problem:
            left_out.append(f"; no '{name}': {problem}")
        else:
            together.append(name)
    lines = ["# Made by tools/lock.py. The number behind a package: bytes to download."]
    seen: set[str] = set()
    for name in SECTIONS:
        if name in {"pip", "igm", *together}:
            lines += ["", f"[{name}]", *_section(resolver.resolve([name], pins), seen)]
    return "\n".join(lines) + "\n", left_out


def _section(packages: Sequence[dict[str, Any]], seen: set[str]) -> Iterator[str]:
    for package in packages:
        if package["name"] in seen:
            continue
        seen.add(package["name"])
        wheels = package["wheels"]
        hashes = sorted(f"--hash=sha256:{wheel['hashes']['sha256']}" for wheel in wheels)
        yield f"{pin(package)} {' '.join(hashes)} # {max(wheel['size'] for wheel in wheels)}"


def pin(package: dict[str, Any]) -> str:
    """Return ``name==version``."""
    return f"{package['name']}=={package['version']}"


if __name__ == "__main__":
    sys.exit(finish(main))
