"""Real scenes and glaciers, where ``GLACIER_DATA`` names a folder of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def real_data(*parts: str) -> Path:
    """Return a file or folder of the real data; the test is skipped where there is none."""
    folder = os.environ.get("GLACIER_DATA")
    if not folder:
        pytest.skip("GLACIER_DATA, the folder of real data, is not set")
    path = Path(folder, *parts)
    if not path.exists():
        pytest.skip(f"GLACIER_DATA has no {'/'.join(parts)}")
    return path
