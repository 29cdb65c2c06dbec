"""Packages that the engine has on request: the extras of 'Set up engine'."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from glacier_qgis.models.engine.errors import EngineError


def import_extra(package: str, name: str, what: str) -> ModuleType:
    """Import a package of an extra.

    Args:
        package: The module to import.
        name: The extra that brings it, as 'Set up engine' calls it.
        what: What needs it, as the start of a sentence: "A Dask cluster needs".

    Raises:
        EngineError: It is not installed.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise EngineError(
            f"{what} the package {package}, which is not in the engine: run 'Set up engine' with "
            f"the extra '{name}'."
        ) from error
