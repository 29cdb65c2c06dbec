"""Folders of the program: what it comes with, what a person adds, what can be computed again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

DELIVERED = Path(__file__).resolve().parent.parent / "zoo"
"""The models that come with the software."""


def user_folder() -> Path:
    """Return the folder for added models, in the system's folder for user data."""
    return _of_the_person("Application Support", "XDG_DATA_HOME", ".local/share") / "models"


def cache_folder() -> Path:
    """Return the program's folder in the system's cache."""
    return _of_the_person("Caches", "XDG_CACHE_HOME", ".cache")


def _of_the_person(macos: str, variable: str, linux: str) -> Path:
    """Return the program's folder in one of the system's folders for a person's files."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / macos
    else:
        base = Path(os.environ.get(variable) or Path.home() / linux)
    return base / "glacier_qgis"
