from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.folders import DELIVERED
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.emulators.reading import read_card
from glacier_qgis.models.iceflow.velocity import catalogue
from glacier_qgis.models.iceflow.velocity.catalogue import find_emulator, installed_emulators
from glacier_qgis.models.iceflow.velocity.emulator import Emulator

if TYPE_CHECKING:
    from kit.engine.listener import Listener


NAMES = (
    "f12_cfsflow_GJ_21_a/100",
    "f14_pism_GJ_21_a/1000",
    "f14_pism_GJ_21_a/2000",
    "f15_cfsflow_GJ_22_a/100",
    "f15_cfsflow_GJ_22_a/200",
)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer with five emulators in the person's own folder and none elsewhere."""
    monkeypatch.setattr(catalogue, "user_folder", lambda: tmp_path)
    monkeypatch.setattr(catalogue, "WHEEL", "no-such-distribution")
    monkeypatch.setattr(catalogue, "OWN", tmp_path / "nothing")
    monkeypatch.delenv("GLACIER_DATA", raising=False)
    for name in NAMES:
        folder = tmp_path / "emulators" / name
        folder.mkdir(parents=True)
        (folder / "model.h5").touch()
        numbers = "arrhenius 100\nslidingco 100" if "f15" in name else "strflowctrl 200"
        (folder / "fieldin.dat").write_text(f"thk 2000\nslopsurfx 1.5\nslopsurfy 1.5\n{numbers}")
        (folder / "fieldout.dat").write_text("ubar 1000\nvbar 1000")
    return tmp_path / "emulators"


def test_installed_emulators_are_found_by_name(shelf: Path) -> None:
    assert sorted(installed_emulators()) == sorted(NAMES)


@pytest.mark.parametrize(
    ("wanted", "resolution", "expected"),
    [
        ("", 100, "f15_cfsflow_GJ_22_a/100"),
        ("automatic", 190, "f15_cfsflow_GJ_22_a/200"),
        ("", 20, "f15_cfsflow_GJ_22_a/100"),
        ("", 900, "f14_pism_GJ_21_a/1000"),
        ("", 5000, "f14_pism_GJ_21_a/2000"),
        ("f14_pism_GJ_21_a", 100, "f14_pism_GJ_21_a/1000"),
        ("f12_cfsflow_GJ_21_a/100", 100, "f12_cfsflow_GJ_21_a/100"),
    ],
)
def test_the_emulator_trained_nearest_is_chosen(
    shelf: Path, listener: Listener, wanted: str, resolution: float, expected: str
) -> None:
    choice = find_emulator(wanted, FlowParameters(resolution, 78.0, 0.0), listener.log)
    assert (choice.name, choice.path) == (expected, shelf / expected)
    assert bool(listener.logs) == (wanted != expected)


def test_a_path_to_a_folder_or_file_or_family_works(shelf: Path, listener: Listener) -> None:
    name = "f14_pism_GJ_21_a/2000"
    for wanted in (shelf / name, shelf / name / "model.h5", shelf / "f14_pism_GJ_21_a"):
        assert (
            find_emulator(str(wanted), FlowParameters(1900, 78.0, 0.0), listener.log).name == name
        )


@pytest.mark.parametrize("wanted", ["f99_none", "/nowhere/model.h5"])
def test_an_emulator_that_is_not_there_names_those_that_are(
    shelf: Path, listener: Listener, wanted: str
) -> None:
    with pytest.raises(EngineError, match=r"(?s)f14_pism_GJ_21_a/2000.*Set up engine"):
        find_emulator(wanted, FlowParameters(100, 78.0, 0.0), listener.log)


def test_without_any_emulator_the_error_says_how_to_get_one(
    shelf: Path, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "user_folder", lambda: Path("/nowhere"))
    with pytest.raises(EngineError, match="extra 'igm'"):
        find_emulator("", FlowParameters(100, 78.0, 0.0), listener.log)


def test_a_message_names_what_the_list_in_the_plugin_offers(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GLACIER_DATA", raising=False)
    monkeypatch.setattr(catalogue, "user_folder", lambda: tmp_path)
    published = installed_emulators()
    told = json.loads((DELIVERED / "emulators.json").read_text(encoding="utf-8"))
    for name, facts in told.items():
        assert tuple(facts["cell_sizes_m"]) == read_card(published[name], name).cell_sizes
    added = tmp_path / "emulators" / "f15_mine" / "250"
    shutil.copytree(published["f15_cfsflow_GJ_22_a/200"], added)
    with pytest.raises(EngineError) as error:
        find_emulator("tractor", FlowParameters(100, 78.0, 0.0), listener.log)
    names = str(error.value).partition("(installed: ")[2].partition(")")[0]
    assert names.split(", ") == [*told, "f15_mine/250"]


def test_every_emulator_of_the_wheel_is_offered_unless_it_has_a_caveat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GLACIER_DATA", raising=False)
    monkeypatch.setattr(catalogue, "user_folder", lambda: tmp_path)
    fit = {name for name, at in installed_emulators().items() if not read_card(at, name).caveat}
    assert fit == set(catalogue.OFFERED)


@pytest.mark.parametrize(
    ("resolution", "sliding", "expected", "verdict"),
    [
        (25, 70, "blatter_pattyn", "it is valid for"),
        (100, 0, "blatter_pattyn", "it is valid for"),
        (140, 12, "blatter_pattyn", "it is valid for"),
        (2000, 6, "blatter_pattyn", "it is valid for"),
        (5000, 0, "blatter_pattyn", "none is valid"),
    ],
)
def test_the_delivered_emulator_is_the_automatic_one(
    read_emulator: Callable[[str], Emulator],
    monkeypatch: pytest.MonkeyPatch,
    listener: Listener,
    resolution: float,
    sliding: float,
    expected: str,
    verdict: str,
) -> None:
    monkeypatch.delenv("GLACIER_DATA", raising=False)
    read_emulator(expected)
    choice = find_emulator("automatic", FlowParameters(resolution, 78.0, sliding), listener.log)
    assert choice.name == expected
    assert verdict in choice.reason
    assert choice.reason in listener.logs[-1]


@pytest.mark.parametrize(
    ("resolution", "sliding", "expected"),
    [
        (100, 0, "f15_cfsflow_GJ_22_a/100"),
        (140, 12, "dahunet_mini"),
        (270, 30, "dahunet_mini"),
    ],
)
def test_sliding_decides_between_published_emulators(
    read_emulator: Callable[[str], Emulator],
    monkeypatch: pytest.MonkeyPatch,
    listener: Listener,
    tmp_path: Path,
    resolution: float,
    sliding: float,
    expected: str,
) -> None:
    """The dahunet family fills gaps between cell sizes."""
    monkeypatch.delenv("GLACIER_DATA", raising=False)
    monkeypatch.setattr(catalogue, "OWN", tmp_path)
    read_emulator(expected)
    choice = find_emulator("automatic", FlowParameters(resolution, 78.0, sliding), listener.log)
    assert choice.name == expected
    assert "it is valid for" in choice.reason


def test_an_unreliable_emulator_is_listed_but_never_chosen(
    read_emulator: Callable[[str], Emulator], listener: Listener
) -> None:
    name = "pinnbp_10_4_cnn_16_32_2_1_a"
    read_emulator(name)
    assert name in installed_emulators()
    for resolution in (20, 100, 300, 1000, 5000):
        for sliding in (0.0, 10.0, 500.0):
            choice = find_emulator("", FlowParameters(resolution, 78.0, sliding), listener.log)
            assert not choice.name.startswith("pinnbp")
