"""The wheel: the same package as the plugin zip, for machines without QGIS."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import build_plugin

NOT_IN_PACKAGE = {"glacier_qgis/metadata.txt", "glacier_qgis/LICENSE"}


def test_the_wheel_holds_what_the_zip_holds(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"  # setuptools leaves its traces beside what it builds
    for room in (build_plugin.FOLDER, *build_plugin.ROOMS):
        shutil.copytree(
            build_plugin.ROOT / room, checkout / room, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in (*build_plugin.FILES, "pyproject.toml", "README.md"):
        shutil.copy(build_plugin.ROOT / name, checkout)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(tmp_path), str(checkout)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith(f"glacier_qgis-{build_plugin.version()}-py3")
    with zipfile.ZipFile(wheel) as bundle:
        packed = {name for name in bundle.namelist() if name.startswith("glacier_qgis/")}
    assert packed == set(build_plugin.plugin_files()) - NOT_IN_PACKAGE
