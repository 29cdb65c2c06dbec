"""The one setting: which interpreter is the engine's."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsSettings
from qgis.PyQt.QtCore import QStandardPaths

VARIABLE = "GLACIER_ENGINE_PYTHON"
"""Overrides the setting, for scripts and tests."""

_KEY = "glacier/engine_python"


def engine_setting() -> str:
    """Return the interpreter that the person, or the set-up, chose; blank if none."""
    return str(QgsSettings().value(_KEY, "") or "")


def set_engine_setting(python: str) -> None:
    """Remember the engine's interpreter."""
    QgsSettings().setValue(_KEY, python)


def default_environment() -> Path:
    """Return the folder of the engine that all of a person's profiles share."""
    return _data_folder() / "engine"


def models_folder() -> Path:
    """Return the folder that 'Install model' fills; the engine finds it by the same rules."""
    return _data_folder() / "models"


def _data_folder() -> Path:
    data = QStandardPaths.StandardLocation.GenericDataLocation
    return Path(QStandardPaths.writableLocation(data)) / "glacier_qgis"
