"""Folders of the program: what it comes with, what a person adds, what can be computed again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

DELIVERED = Path(__file__).resolve().parent.parent / "zoo"
"""The models that come with the software."""


def user_folder() -> Path:
    """Return the folder for added models, in the system's folder for user data."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "glacier_qgis" / "models"


def cache_folder() -> Path:
    """Return the system's cache folder."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "glacier_qgis"
