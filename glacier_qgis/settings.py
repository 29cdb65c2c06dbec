"""What is remembered: the engine's interpreter, and whether its set-up is still offered."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsSettings
from qgis.PyQt.QtCore import QStandardPaths

VARIABLE = "GLACIER_ENGINE_PYTHON"
"""Overrides the setting, for scripts and tests."""

_KEY = "glacier/engine_python"
_DISMISSED = "glacier/engine_offer_dismissed"


def engine_setting() -> str:
    """Return the interpreter that the person, or the set-up, chose; blank if none."""
    return str(QgsSettings().value(_KEY, "") or "")


def set_engine_setting(python: str) -> None:
    """Remember the engine's interpreter."""
    QgsSettings().setValue(_KEY, python)


def is_offer_dismissed() -> bool:
    """Return whether the person does not want the set-up to be offered at the start."""
    return bool(QgsSettings().value(_DISMISSED, False, bool))


def set_offer_dismissed(dismissed: bool) -> None:
    """Remember whether the set-up is offered at the start."""
    QgsSettings().setValue(_DISMISSED, dismissed)


def default_environment() -> Path:
    """Return the folder of the engine that all of a person's profiles share."""
    return _data_folder() / "engine"


def models_folder() -> Path:
    """Return the folder that 'Install model' fills; the engine finds it by the same rules."""
    return _data_folder() / "models"


def _data_folder() -> Path:
    data = QStandardPaths.StandardLocation.GenericDataLocation
    return Path(QStandardPaths.writableLocation(data)) / "glacier_qgis"
