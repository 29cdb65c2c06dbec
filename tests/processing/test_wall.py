"""The import name, the wall, and what keeps the plugin's code fit for Qt 6."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import processing
import pytest
from qgis_fixtures import ENGINE, PLUGINS, ROOT

SOURCES = sorted(
    path for room in ("glacier_qgis", "processing") for path in (ROOT / room).rglob("*.py")
)


def test_the_repository_root_is_not_on_the_path() -> None:
    assert ROOT not in {Path(entry).resolve() for entry in sys.path}


def test_processing_is_qgis_own() -> None:
    assert hasattr(processing, "run")
    assert ROOT not in Path(processing.__file__).resolve().parents


def test_the_plugin_loads_nothing_of_the_engine() -> None:
    heavy = {"torch", "rasterio", "pyproj", "shapely", "geopandas", "pydantic", "xarray"}
    assert not heavy & set(sys.modules)
    assert not [name for name in sys.modules if name.startswith("glacier_qgis.models")]


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_qt_comes_through_qgis_and_enums_are_scoped(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [module for module, _ in _imports(tree) if module.startswith(("PyQt", "PySide"))]
    classes = {
        name: getattr(importlib.import_module(module), name)
        for module, name in _imports(tree)
        if module.startswith("qgis.")
    }
    unscoped = [
        f"{node.value.id}.{node.attr} in line {node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in classes
        and _is_enum_member(getattr(classes[node.value.id], node.attr, None))
    ]
    assert not unscoped


def _is_enum_member(value: object) -> bool:
    return isinstance(value, Enum) or (isinstance(value, int) and type(value) not in (int, bool))


def test_nothing_prints() -> None:
    for path in SOURCES:
        calls = [
            node
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call)
        ]
        assert not [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print"], path


@pytest.fixture(scope="module")
def schemas() -> dict[str, dict[str, bool]]:
    """Return, of each job of the engine, the parameters and whether they are required."""
    code = (
        "import json, sys; sys.path.append(sys.argv[1]); from importlib import import_module as i\n"
        "from glacier_qgis.models.app.jobs import JOBS\n"
        "jobs = {n: getattr(i(p.split(':')[0]), p.split(':')[1]) for n, p in JOBS.items()}\n"
        "print(json.dumps({n: {k: f.is_required() for k, f in j.model_fields.items()}"
        " for n, j in jobs.items()}))"
    )
    done = subprocess.run(
        [ENGINE, "-I", "-c", code, str(PLUGINS)], capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


def test_each_algorithm_declares_exactly_what_its_job_takes(
    schemas: dict[str, dict[str, bool]],
) -> None:
    from glacier_qgis.processing.base import EngineAlgorithm
    from glacier_qgis.processing.provider import ALGORITHMS

    for kind in ALGORITHMS:
        if issubclass(kind, EngineAlgorithm):
            algorithm = kind().create()
            declared = {p.name().lower() for p in algorithm.parameterDefinitions()}
            assert declared == set(schemas[algorithm.name()]), algorithm.name()
