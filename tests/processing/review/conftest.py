"""Scenes with predicted lines, a review of them, and a database to share it in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.qgis.postgres import Server, running_server
from kit.qgis.reviews import make_predictions


@pytest.fixture(scope="session")
def predictions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with four scenes and the lines that were predicted of three of them."""
    return make_predictions(tmp_path_factory.mktemp("predictions"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Return a server; its folder has a short path, as sockets need, that another account sees."""
    folder = Path(tempfile.mkdtemp(prefix="glacier-pg-"))
    folder.chmod(0o755)
    try:
        with running_server(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)
