"""The wheel: the same package as the plugin zip, for machines without QGIS."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import build_plugin
import pytest

NOT_IN_PACKAGE = {"glacier_qgis/metadata.txt", "glacier_qgis/LICENSE"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("wheel")
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
    return wheel


@pytest.mark.slow
def test_the_wheel_holds_what_the_zip_holds(wheel: Path) -> None:
    assert wheel.name.startswith(f"glacier_qgis-{build_plugin.version()}-py3")
    with zipfile.ZipFile(wheel) as bundle:
        packed = {name for name in bundle.namelist() if name.startswith("glacier_qgis/")}
    assert packed == set(build_plugin.plugin_files()) - NOT_IN_PACKAGE


def test_python_without_qgis_traces_a_front_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as bundle:
        bundle.extractall(tmp_path)
    program = (
        "from pathlib import Path; import sys, glacier_qgis; "
        "from glacier_qgis.models import delineate; "
        "sample = Path(glacier_qgis.__file__).parent / 'sample' / 'jakobshavn'; "
        "lines = delineate(sample / 'Jakobshavn_TSX_20140918.tif', tta=False); "
        "assert len(lines) == 1 and lines.crs.is_projected; "
        "assert not {'qgis', 'osgeo'} & sys.modules.keys(); "
        "print(glacier_qgis.__file__)"
    )
    variables = {**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-P", "-c", program], env=variables, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(str(tmp_path))
