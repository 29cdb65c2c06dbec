"""The import name, the wall, and what keeps the plugin's code fit for Qt 6."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import processing
import pytest

from kit.places import ROOT

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
