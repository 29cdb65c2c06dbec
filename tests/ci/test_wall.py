"""The wall between the plugin and the engine, and the one import name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import build_plugin
import pytest

ROOT = build_plugin.ROOT


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The package in one piece, as in the zip."""
    for name, source in build_plugin.plugin_files().items():
        if source.suffix == ".py":
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, path)
    return tmp_path


def contracts(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(
        [*command, "--config", str(ROOT / "pyproject.toml")],
        cwd=tree,
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_contracts_are_kept(tree: Path) -> None:
    done = contracts(tree)
    assert done.returncode == 0, done.stdout


def test_every_module_of_the_plugin_is_behind_the_wall(tree: Path) -> None:
    package = tree / "glacier_qgis"
    modules = [path for path in package.glob("*.py") if path.stem not in ("__init__", "launch")]
    modules.append(package / "processing" / "provider.py")
    for path in modules:
        path.write_text(path.read_text() + "\nimport torch\n")
    printed = contracts(tree).stdout
    spared = [
        name
        for path in modules
        if f"{(name := '.'.join(path.relative_to(tree).with_suffix('').parts))} -> torch"
        not in printed
    ]
    assert not spared, f"name these in pyproject.toml's contract: {spared}"


def test_an_engine_that_imports_qgis_is_caught(tree: Path) -> None:
    path = tree / "glacier_qgis" / "models" / "engine" / "job.py"
    path.write_text(path.read_text() + "\nfrom qgis.core import QgsApplication\n")
    assert "glacier_qgis.models.engine.job -> qgis" in contracts(tree).stdout


def test_a_lazy_import_that_runs_upward_is_caught(tree: Path) -> None:
    path = tree / "glacier_qgis" / "models" / "fronts" / "termini" / "extract.py"
    lazy = "\n\ndef late() -> None:\n    from glacier_qgis.models.fronts.jobs import scene\n"
    path.write_text(path.read_text() + lazy)
    upward = "fronts.termini is not allowed to import glacier_qgis.models.fronts.jobs"
    assert upward in " ".join(contracts(tree).stdout.split())


def test_a_room_without_a_place_among_the_layers_is_caught(tree: Path) -> None:
    room = tree / "glacier_qgis" / "models" / "moraines"
    room.mkdir()
    (room / "__init__.py").write_text("")
    assert "moraines" in contracts(tree).stdout


def test_files_that_import_each_other_are_caught(tree: Path) -> None:
    path = tree / "glacier_qgis" / "models" / "raster" / "grid.py"
    path.write_text(path.read_text() + "\nimport glacier_qgis.models.raster.sink\n")
    assert "- .sink -> .grid" in contracts(tree).stdout


def test_the_checkout_is_not_on_the_path() -> None:
    assert str(ROOT) not in [str(Path(entry).resolve()) for entry in sys.path], (
        "start the suite as build/engine/bin/pytest: 'python -m pytest' puts the checkout on "
        "the path, where processing/ hides QGIS' package of that name"
    )
