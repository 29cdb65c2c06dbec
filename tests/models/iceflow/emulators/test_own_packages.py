"""Emulators that the plugin's own training writes: as a zip, as a folder, and installed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import torch

from glacier_qgis.models.app.install import install_emulator
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.card import MEAN_FLOW, OUTPUTS, FlowParameters
from glacier_qgis.models.iceflow.emulators.listed import FieldLists
from glacier_qgis.models.iceflow.emulators.own_file import About
from glacier_qgis.models.iceflow.emulators.plain_file import (
    INPUTS,
    PlainSizes,
    plain_network,
    write_plain,
)
from glacier_qgis.models.iceflow.emulators.reading import read_card, read_core
from glacier_qgis.models.iceflow.velocity.catalogue import find_emulator, installed_emulators
from glacier_qgis.models.iceflow.velocity.emulator import Emulator

ABOUT = About(
    title="A valley",
    version="1.0",
    licence="CC-BY-4.0",
    cell_sizes=(90.0, 110.0),
    hull={"thk": (0.0, 300.0), "slidingco": (0.0, 70.0)},
    training={"instructor": "SIA"},
    fidelity={},
)
SCALES = dict(zip(INPUTS, (300.0, 0.5, 0.5, 100.0, 70.0), strict=True))


def package(path: Path, kernel: int = 3, outputs: tuple[str, ...] = OUTPUTS) -> Path:
    torch.manual_seed(1)
    network = plain_network(PlainSizes(layers=2, filters=4, kernel=kernel), len(outputs))
    write_plain(path, network, FieldLists(SCALES, dict.fromkeys(outputs, 50.0)), ABOUT)
    return path


def glacier() -> tuple[torch.Tensor, torch.Tensor]:
    slope = 2500 - 20 * torch.arange(24.0).expand(20, 24)
    thickness = torch.zeros(20, 24)
    thickness[4:15, 3:18] = 80.0
    return thickness, slope.clone()


@pytest.mark.parametrize("kernel", [3, 5])
def test_a_zip_and_a_folder_predict_the_same(tmp_path: Path, kernel: int) -> None:
    """The selective evaluation of 3 × 3 convolutions, and the plain one of all others."""
    thickness, surface = glacier()
    parameters = FlowParameters(100.0, 78.0, 12.0)
    found = [
        Emulator.read(package(tmp_path / name, kernel)).velocity(thickness, surface, parameters)
        for name in ("a.zip", "folder")
    ]
    assert set(found[0]) == set(OUTPUTS)
    for name in OUTPUTS:
        torch.testing.assert_close(found[0][name], found[1][name])
        assert float(found[0][name][thickness == 0].abs().max()) == 0
        assert float(found[0][name].abs().max()) > 0
    core = read_core(tmp_path / "a.zip")
    whole = core(thickness[None], surface[None], parameters)[0, OUTPUTS.index("ubar")]
    ice = thickness > 0
    torch.testing.assert_close(found[0]["ubar"][ice], whole[ice], atol=1e-4, rtol=1e-4)


def test_the_card_states_hull_reach_and_outputs(tmp_path: Path) -> None:
    card = read_card(package(tmp_path / "valley.zip", 5, MEAN_FLOW))
    assert (card.name, card.outputs, card.radius) == ("valley", MEAN_FLOW, 5)
    assert card.cell_sizes == (90.0, 110.0)
    assert card.hull["thk"] == (0.0, 300.0)


def test_equal_emulators_are_equal_files(tmp_path: Path) -> None:
    one, other = (package(tmp_path / f"{name}.zip").read_bytes() for name in "ab")
    assert one == other


def test_a_package_is_installed_and_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    name, folder = install_emulator(package(tmp_path / "valley.zip"))
    assert name == "valley"
    assert installed_emulators()["valley"] == folder
    chosen = find_emulator("valley", FlowParameters(100, 78, 0), lambda words: None)
    assert read_card(chosen.path, chosen.name).hull["slidingco"] == (0.0, 70.0)
    with pytest.raises(EngineError, match="OVERWRITE"):
        install_emulator(tmp_path / "valley.zip")
    with pytest.raises(EngineError, match="delivered"):
        install_emulator(tmp_path / "valley.zip", "blatter_pattyn")


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("kind", "tractor"),
        ("sizes", {"layers": 10**9, "filters": 4, "kernel": 3}),
        ("sizes", {"layers": 2, "filters": 4, "kernel": 4}),
        ("inputs", {"thk": 0.0}),
        ("outputs", {"ubar": 1.0}),
    ],
)
def test_a_damaged_card_is_refused(tmp_path: Path, part: str, value: object) -> None:
    card = package(tmp_path / "valley") / "card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {part: value}))
    with pytest.raises(EngineError, match="does not hold an emulator"):
        read_core(tmp_path / "valley")


def test_a_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as file:
        file.writestr("notes.txt", "nothing")
    with pytest.raises(EngineError, match="does not hold an emulator"):
        read_core(tmp_path / "other.zip")
