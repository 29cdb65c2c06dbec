"""The folders of a person's models, cache and runs on each system: they hold a user's own files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from glacier_qgis.models.engine.folders import cache_folder, user_folder
from glacier_qgis.models.engine.runs import notes_folder

HOME = Path("/home/me")
VARIABLES = ("XDG_DATA_HOME", "XDG_CACHE_HOME", "LOCALAPPDATA")
SYSTEMS = {
    "linux": (".local/share", ".cache"),
    "darwin": ("Library/Application Support", "Library/Caches"),
    "win32": ("AppData/Local", "AppData/Local"),
}


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "home", lambda: HOME)
    monkeypatch.setattr(sys, "platform", request.param)
    return str(request.param)


def folders() -> tuple[Path, Path, Path]:
    return user_folder(), cache_folder(), notes_folder()


def below(data: Path, cache: Path) -> tuple[Path, Path, Path]:
    program = cache / "glacier_qgis"
    return data / "glacier_qgis" / "models", program, program / "runs"


def test_they_are_in_the_systems_folders(system: str) -> None:
    data, cache = SYSTEMS[system]
    assert folders() == below(HOME / data, HOME / cache)


def test_they_follow_the_variables_of_their_system_only(
    system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in VARIABLES:
        monkeypatch.setenv(variable, f"/elsewhere/{variable}")
    moved = {
        "linux": below(Path("/elsewhere/XDG_DATA_HOME"), Path("/elsewhere/XDG_CACHE_HOME")),
        "darwin": below(*(HOME / part for part in SYSTEMS["darwin"])),
        "win32": below(Path("/elsewhere/LOCALAPPDATA"), Path("/elsewhere/LOCALAPPDATA")),
    }
    assert folders() == moved[system]


def test_an_empty_variable_is_none(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = folders()
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "")
    assert folders() == expected
