"""What this machine gets from Debian's packages, QGIS above all."""

from __future__ import annotations

import os
import platform
import re
import shutil
from pathlib import Path

from terminal import StepError, read, run, say

PYTHON = Path("/usr/bin/python3")
"""The interpreter that Debian's QGIS is built for; everything here is set up with it."""
QGIS_MINIMUM = (3, 40)
QGIS_PACKAGES = ("qgis", "python3-qgis", "qgis-providers")
_SOURCES = Path("/etc/apt/sources.list.d")
_QUIET = {"DEBIAN_FRONTEND": "noninteractive"}


def ensure_qgis() -> Path:
    """Return the ``qgis_process`` of QGIS 3.40 or later, with all that is needed beside it."""
    ensure_packages(_missing())
    program = qgis_process()
    if program is None or _qgis_version(program) < QGIS_MINIMUM:
        raise StepError("QGIS 3.40 or later is not on this machine, even after installing it.")
    say("QGIS {}.{} ({})".format(*_qgis_version(program), program))
    return program


def qgis_process() -> Path | None:
    """Find ``qgis_process``: Debian's wrapper of that name passes an option that it refuses."""
    found = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    return Path(found) if found else None


def ensure_packages(names: list[str]) -> None:
    """Install packages; from backports where QGIS is among them and the release is too old.

    Raises:
        StepError: Something is missing and this is no Debian, or not root.
    """
    if not names:
        return
    wanted = " ".join(names)
    if not is_root():
        raise StepError(
            f"Packages are missing and only root may install them: {wanted}. Ask for them "
            f"(qgis in version 3.40 or later{_where_from()}) and run this again."
        )
    if not shutil.which("apt-get"):
        raise StepError(f"Install with this system's own package manager: {wanted}.")
    say(f"Installing with apt: {wanted}")
    run(["apt-get", "update"], log="apt-update", env=_QUIET)
    options = ["--yes", "--no-install-recommends"]
    if "qgis" in names and _candidate("qgis") < QGIS_MINIMUM:
        options += ["--target-release", _add_backports()]
    run(["apt-get", "install", *options, *names], log="apt-install", env=_QUIET)


def is_root() -> bool:
    """Whether packages can be installed and file systems mounted."""
    return os.geteuid() == 0


def mirror() -> tuple[str, str]:
    """Return the address and code name of the Debian release that apt is set up with."""
    release = _codename()
    fields = "$(REPO_URI)|$(RELEASE)|$(CODENAME)|$(COMPONENT)"
    for line in read(["apt-get", "indextargets", "--format", fields]).splitlines():
        address, suite, codename, component = line.split("|")
        if release in (suite, codename) and component == "main":
            return address, release
    raise StepError(
        f"apt knows no mirror of Debian {release or '(this is no Debian)'}: install QGIS 3.40 "
        "or later by hand and run this again."
    )


def _missing() -> list[str]:
    names: list[str] = []
    program = qgis_process()
    if program is None or _qgis_version(program) < QGIS_MINIMUM:
        names += QGIS_PACKAGES
    elif not read([PYTHON, "-c", "import qgis; print(qgis)"]):
        names.append("python3-qgis")
    if not read([PYTHON, "-c", "import ensurepip; print(ensurepip)"]):
        names.append("python3-venv")
    if not any(Path("/usr/share/fonts").rglob("*.[to]tf")):
        names.append("fonts-dejavu-core")  # a map's legend needs some font
    return names


def _qgis_version(program: Path) -> tuple[int, int]:
    text = read([program, "--version"], {"QT_QPA_PLATFORM": "offscreen"})
    return _first_two(re.search(r"QGIS (\d+)\.(\d+)", text))


def _candidate(package: str) -> tuple[int, int]:
    text = read(["apt-cache", "policy", package], {"LC_ALL": "C"})
    return _first_two(re.search(r"Candidate: (?:\d+:)?(\d+)\.(\d+)", text))


def _first_two(match: re.Match[str] | None) -> tuple[int, int]:
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _codename() -> str:
    try:
        return platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    except OSError:
        return ""


def _where_from() -> str:
    release = _codename()
    return f", from {release}-backports" if release == "bookworm" else ""


def _add_backports() -> str:
    """Make the backports of this release known to apt, from the mirror it already uses."""
    address, release = mirror()
    suite = f"{release}-backports"
    known = read(["apt-get", "indextargets", "--format", "$(RELEASE)"]).splitlines()
    if suite not in known:
        say(f"Adding {suite} to apt's sources")
        (_SOURCES / "qgis-backports.sources").write_text(
            f"Types: deb\nURIs: {address}\nSuites: {suite}\nComponents: main\n"
            "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        )
        run(["apt-get", "update"], log="apt-update", env=_QUIET)
    return suite
