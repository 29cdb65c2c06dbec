"""Fixtures of the data set's tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kit.training.synthetic_data import Place, Prepared, make_scenes, polygons, prepare


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[Place]:
    return make_scenes(
        tmp_path_factory.mktemp("scenes"),
        {
            "Arni": ["2018-06-02", "2018-07-04"],
            "Breki": ["2018-06-05"],
            "Dagur": ["2019-01-01", "2019-02-01"],
        },
    )


@pytest.fixture(scope="session")
def prepared(places: list[Place], tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("data")
    labels = polygons(places, folder / "zones.gpkg")
    return prepare(
        places,
        folder / "Gögn",
        label_polygons={"path": str(labels)},
        class_field="class",
        stride=24,
    )


@pytest.fixture
def copied(prepared: Prepared, tmp_path: Path) -> Callable[[], Path]:
    """Return a function that copies the data set, to be spoilt."""

    def copy() -> Path:
        return Path(shutil.copytree(prepared.dataset.folder, tmp_path / "copy"))

    return copy
