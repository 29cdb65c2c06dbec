"""QGIS 3.44 in a root of its own, from Debian 13 with its backports.

The engine stays outside: its interpreter is reached from within by changing into the
machine's own root, which is bound into the new one. The checkout has the same path in both.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from debian import ensure_packages, is_root, mirror
from terminal import BUILD, ROOT, TOOLS, StepError, read, run, say

ROOTFS = BUILD / "trixie"
RELEASE = "trixie"
PACKAGES = ("qgis", "python3-qgis", "qgis-providers")
QGIS_PROCESS = "/usr/bin/qgis_process.bin"
ENGINE = BUILD / "engine-from-trixie"
_PIN = f"Package: src:qgis\nPin: release n={RELEASE}-backports\nPin-Priority: 900\n"


def obstacle() -> str:
    """Return why this machine cannot hold another root, or "" if it can."""
    if not is_root():
        return "only root can build a Debian root and change into it"
    if not shutil.which("apt-get"):
        return "this system is no Debian"
    if not read(["unshare", "--mount", "echo", "allowed"]):
        return "mounting is not allowed here"
    return ""


def build() -> None:
    """Make the root unless it is there."""
    if (ROOTFS / "usr" / "bin" / "qgis_process.bin").exists():
        return
    if not shutil.which("mmdebstrap"):
        ensure_packages(["mmdebstrap"])
    address, _ = mirror()
    say("Building a Debian 13 root with QGIS 3.44 (some minutes, 2 GB)")
    draft = ROOTFS.with_name("trixie.part")
    shutil.rmtree(draft, ignore_errors=True)
    pin = BUILD / "trixie-pin"
    pin.write_text(_PIN)
    preferences = '"$1/etc/apt/preferences.d"'
    hook = f"mkdir -p {preferences} && cp {shlex.quote(str(pin))} {preferences}/qgis"
    run(
        [
            "mmdebstrap",
            "--mode=root",
            "--variant=apt",
            '--aptopt=APT::Install-Recommends "false"',
            f"--setup-hook={hook}",
            f"--include={','.join(PACKAGES)}",
            RELEASE,
            draft,
            f"deb {address} {RELEASE} main",
            f"deb {address} {RELEASE}-backports main",
        ],
        log="trixie-root",
        env={"TMPDIR": "/tmp"},  # noqa: S108  (mmdebstrap needs one that every user can enter)
    )
    draft.rename(ROOTFS)


def run_inside(command: list[str | Path], work: Path) -> None:
    """Run a command in the root, with `work` for temporary files that the engine reads too."""
    temporary = work / "temporary"
    temporary.mkdir(parents=True, exist_ok=True)
    python = shlex.quote(str(BUILD / "engine" / "bin" / "python"))
    ENGINE.write_text(f'#!/bin/sh\nexec /usr/sbin/chroot /host {python} "$@"\n')
    ENGINE.chmod(0o755)
    for inside in (ROOTFS / "host", Path(f"{ROOTFS}{ROOT}")):
        inside.mkdir(parents=True, exist_ok=True)
    target = shlex.quote(str(ROOTFS))
    here = shlex.quote(str(ROOT))
    variables = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "OMP_NUM_THREADS": "2",
    }
    settings = [f"{name}={value}" for name, value in variables.items()]
    inner = ["/usr/sbin/chroot", str(ROOTFS), "/usr/bin/env", "-i", "-C", str(TOOLS)]
    script = (
        f"set -e; mount --rbind / {target}/host; mount --bind {here} {target}{here}; "
        f"mount -t proc proc {target}/proc; mount --bind /dev {target}/dev; "
        f"exec {shlex.join([*inner, *settings, *(str(word) for word in command)])}"
    )
    run(["unshare", "--mount", "sh", "-c", script])


def smoke(archive: Path, scene: Path, dem: Path) -> None:
    """Use the plugin zip in QGIS 3.44; all paths lie in the checkout, which both roots see."""
    _inside("smoke", QGIS_PROCESS, ENGINE, archive, scene, dem)


def window(archive: Path, scene: Path, dem: Path) -> None:
    """Press Run in dialogs of QGIS 3.44."""
    _inside("window", ENGINE, archive, scene, dem)


def _inside(name: str, *words: str | Path) -> None:
    """Run a module of `in_qgis` in the root, with a folder of its own to work in."""
    problem = obstacle()
    if problem:
        raise StepError(problem)
    build()
    work = BUILD / f"{name}-3.44"
    run_inside(["/usr/bin/python3", "-B", "-m", f"in_qgis.{name}", *words, work], work)
