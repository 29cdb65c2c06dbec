"""The version of this software, stated once: in metadata.txt."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path


def read_version() -> str:
    """Return the version from beside this file (installed in QGIS) or above it (a checkout)."""
    here = Path(__file__).parent
    for folder in (here, here.parent):
        if (folder / "metadata.txt").is_file():
            return _stated_in(folder / "metadata.txt")
    return importlib.metadata.version("glacier-qgis")  # installed from a wheel


def _stated_in(metadata: Path) -> str:
    for line in metadata.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "version":
            return value.strip()
    raise ValueError(f"{metadata} states no version")


VERSION = read_version()
