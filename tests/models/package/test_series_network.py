"""The second network of a package: it goes wherever the first goes, and is trusted no more."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pystac
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from glacier_qgis.models.app.install import install_model
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.folders import DELIVERED
from glacier_qgis.models.networks.unet import UNet
from glacier_qgis.models.package.archive import ITEM, pack, unpack
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import (
    CARD,
    file_hash,
    load_package,
    read_card,
    save_package,
)
from glacier_qgis.models.package.onnx_card import CARD_KEY
from glacier_qgis.models.package.onnx_export import metadata
from glacier_qgis.models.package.stac import stac_item

WEIGHTS, SERIES = "weights.safetensors", "series.safetensors"
CHANNELS = ["rank", "zones of the others", "how many others", "valid"]
CALIBRATION = {"level": 0.9, "widths_m": [0, 10], "uncertainties_m": [1, 2], "data": "tests"}
Members = dict[str, bytes]


@pytest.fixture(scope="session")
def second(parameters: dict[str, object]) -> dict[str, object]:
    """Return the card's part of a small network for series."""
    return {
        "architecture": {"name": "unet", "parameters": parameters | {"bands": len(CHANNELS)}},
        "weights": {"file": SERIES, "sha256": "0" * 64},
        "channels": CHANNELS,
        "calibration": CALIBRATION,
    }


@pytest.fixture(scope="session")
def network(parameters: dict[str, object]) -> UNet:
    """Return the small network for series."""
    torch.manual_seed(7)
    return UNet(**parameters | {"bands": len(CHANNELS)}).eval()  # type: ignore[arg-type]


@pytest.fixture
def package(
    tmp_path: Path,
    card: Callable[..., ModelCard],
    parameters: dict[str, object],
    second: dict[str, object],
    network: UNet,
) -> Path:
    folder = tmp_path / "small"
    first = UNet(**parameters).state_dict()  # type: ignore[arg-type]
    save_package(folder, card(series=second), first, network.state_dict())
    return folder


@pytest.fixture
def forge(package: Path, tmp_path: Path) -> Callable[[Callable[[Members], None]], Path]:
    """Return a function that packs the package and changes what the archive holds."""

    def make(edit: Callable[[Members], None]) -> Path:
        path = tmp_path / "forged.zip"
        pack(package, path)
        with zipfile.ZipFile(path) as file:
            members = {name: file.read(name) for name in file.namelist()}
        edit(members)
        with zipfile.ZipFile(path, "w") as file:
            for name, content in members.items():
                file.writestr(name, content)
        return path

    return make


def rewrite(package: Path, **changes: object) -> None:
    """Change the part of the card that describes the second network."""
    content = json.loads((package / CARD).read_text())
    content["series"] |= changes
    (package / CARD).write_text(json.dumps(content))


def flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def test_both_networks_predict_the_same_after_every_journey(
    package: Path, network: UNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (package / "note.txt").write_text("not a part of it")
    pack(package, tmp_path / "small.zip")
    unpack(tmp_path / "small.zip", tmp_path / "unpacked")
    _, from_zip = install_model(tmp_path / "small.zip")
    _, renamed = install_model(package, "other")
    saved = load_package(package)
    image, scene = torch.rand(1, len(CHANNELS), 16, 16), torch.rand(1, 2, 16, 16)
    for folder in (package, tmp_path / "unpacked", from_zip, renamed):
        model = load_package(folder)
        assert model.series is not None
        assert not model.series.training
        with torch.inference_mode():
            torch.testing.assert_close(model.series(image), network(image), rtol=0, atol=0)
            assert torch.equal(model.network(scene), saved.network(scene))
        assert model.card.for_series().provenance["MODEL_HASH"] == file_hash(package / SERIES)
    assert sorted(path.name for path in renamed.iterdir()) == [CARD, SERIES, WEIGHTS]
    assert model.card == saved.card.model_copy(update={"name": "other"})
    pack(from_zip, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "small.zip").read_bytes()


def test_results_say_which_of_the_networks_made_them(package: Path) -> None:
    model = load_package(package)
    first, second = model.card.provenance, model.card.for_series().provenance
    assert first["MODEL_HASH"] == file_hash(package / WEIGHTS)
    assert second["MODEL_HASH"] == file_hash(package / SERIES)
    assert "CALIBRATION" not in first
    assert json.loads(second["CALIBRATION"]) == CALIBRATION
    assert model.for_series().network is model.series
    assert model.for_series().card.channels == CHANNELS


def test_each_network_knows_its_own_coast(package: Path) -> None:
    coast = "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))"
    assert "coast" not in (package / CARD).read_text(), "omitted where there is none"
    rewrite(package, coast=coast)
    card = read_card(package)
    assert (card.coast, card.for_series().coast) == ("", coast)
    assert "COAST" not in card.provenance
    assert card.for_series().provenance["COAST"] == coast


def test_a_package_of_one_network_is_written_as_before(
    tmp_path: Path, save_small: Callable[..., None]
) -> None:
    save_small(tmp_path / "small")
    assert "series" not in json.loads((tmp_path / "small" / CARD).read_text())
    model = load_package(tmp_path / "small")
    assert model.series is None
    with pytest.raises(ValueError, match="no network for series"):
        model.for_series()
    assert list(stac_item(model.card)["assets"]) == ["weights", "card"]  # type: ignore[arg-type]
    pack(tmp_path / "small", tmp_path / "small.zip")
    with zipfile.ZipFile(tmp_path / "small.zip") as file:
        assert file.namelist() == [ITEM, CARD, WEIGHTS]


@pytest.mark.parametrize("folder", sorted(path.parent for path in DELIVERED.glob(f"*/{CARD}")))
def test_delivered_cards_are_written_as_they_were_read(folder: Path) -> None:
    text = (folder / CARD).read_text(encoding="utf-8")
    card = read_card(folder)
    assert json.loads(card.model_dump_json()) == json.loads(text)
    assert ModelCard.model_validate(card.model_dump()) == card


@pytest.mark.parametrize(
    ("changes", "series", "words"),
    [
        ({}, {"weights": {"file": "series.onnx", "sha256": "0" * 64}}, "must be safetensors"),
        ({}, {"weights": {"file": WEIGHTS, "sha256": "0" * 64}}, "a different file from"),
        ({}, {"weights": {"file": f"W{WEIGHTS[1:]}", "sha256": "0" * 64}}, "a different file from"),
        ({}, {"weights": {"file": f"../{SERIES}", "sha256": "0" * 64}}, "package's own folder"),
        ({}, {"weights": {"file": "series.pth", "sha256": "0" * 64}}, "pattern"),
        ({}, {"channels": ["rank", "valid"]}, "the channels of other scenes"),
        ({"channels": ["rank"]}, {}, "and the mask"),
        ({"bands": 2, "channels": ["a", "b", "valid"]}, {}, "of one band"),
        ({"input_values": {"kind": "scaled", "mean": [0], "std": [1]}}, {}, "the rank"),
    ],
)
def test_a_card_whose_second_network_cannot_be_is_refused(
    card: Callable[..., ModelCard],
    second: dict[str, object],
    changes: dict[str, object],
    series: dict[str, object],
    words: str,
) -> None:
    card(series=second)
    with pytest.raises(ValidationError, match=words):
        card(**changes, series=second | series)


def test_card_and_states_must_both_have_the_second_network(
    tmp_path: Path,
    card: Callable[..., ModelCard],
    parameters: dict[str, object],
    second: dict[str, object],
    network: UNet,
) -> None:
    first = UNet(**parameters).state_dict()  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="series_state"):
        save_package(tmp_path / "small", card(), first, network.state_dict())
    with pytest.raises(ValueError, match="series_state"):
        save_package(tmp_path / "small", card(series=second), first)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fault", "act"),
    [
        *product(("tampered", "missing"), ("load", "pack", "install")),
        *product(("link",), ("load", "install")),
    ],
)
def test_a_second_file_that_is_not_the_card_s_is_refused_by_name(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, act: str
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    path = package / SERIES
    if fault == "tampered":
        path.write_bytes(flipped(path.read_bytes()))
    else:
        path.rename(tmp_path / "elsewhere")
    if fault == "link":
        path.symlink_to(tmp_path / "elsewhere")
    acts: dict[str, Callable[[], object]] = {
        "load": lambda: load_package(package),
        "pack": lambda: pack(package, tmp_path / "small.zip"),
        "install": lambda: install_model(package),
    }
    with pytest.raises(EngineError, match=rf"{SERIES}.*(?i:get the package again)"):
        acts[act]()
    assert not (tmp_path / "small.zip").exists()


def test_a_second_network_of_another_shape_is_refused(
    package: Path, second: dict[str, object]
) -> None:
    rewrite(package, channels=[*CHANNELS, "one more"])
    with pytest.raises(EngineError, match="does not accept the 5 channels"):
        load_package(package)
    wide = {"bands": len(CHANNELS), "classes": 2, "width": 8, "levels": 1, "dilations": [1, 2]}
    rewrite(package, channels=CHANNELS, architecture={"name": "unet", "parameters": wide})
    with pytest.raises(EngineError, match=f"{SERIES} do not fit the network 'unet'"):
        load_package(package)
    other = {**wide, "classes": 3}
    save_file(UNet(**other).state_dict(), package / SERIES)  # type: ignore[arg-type]
    named = {"file": SERIES, "sha256": file_hash(package / SERIES)}
    rewrite(package, weights=named, architecture={"name": "unet", "parameters": other})
    with pytest.raises(EngineError, match="predicts 3 classes"):
        load_package(package)


def tamper(members: Members) -> None:
    members[SERIES] = flipped(members[SERIES])


def omit(members: Members) -> None:
    del members[SERIES]


def exchange(members: Members) -> None:
    members[WEIGHTS], members[SERIES] = members[SERIES], members[WEIGHTS]


def add(members: Members) -> None:
    members["third.safetensors"] = members[SERIES]


def forget(members: Members) -> None:
    card = json.loads(members[CARD])
    del card["series"]
    members[CARD] = json.dumps(card).encode()


def poison(members: Members) -> None:
    members[SERIES] = pickle.dumps({"weights": [1.0]})


def lead_out(members: Members) -> None:
    members[CARD] = members[CARD].replace(SERIES.encode(), f"../{SERIES}".encode())


def leave_undescribed(members: Members) -> None:
    item = json.loads(members[ITEM])
    del item["assets"]["series_weights"]
    members[ITEM] = json.dumps(item).encode()


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (tamper, f"{SERIES} is not what card.json describes"),
        (exchange, f"{WEIGHTS} is not what card.json describes"),
        (omit, f"{SERIES} is missing"),
        (add, "'third.safetensors' is not named in its card.json"),
        (forget, f"'{SERIES}' is not named in its card.json"),
        (poison, f"'{SERIES}' is a pickle"),
        (lead_out, "package's own folder"),
        (leave_undescribed, f"item.json describes other weights than {SERIES}"),
    ],
)
def test_a_forged_archive_is_refused_by_name_and_leaves_nothing(
    forge: Callable[[Callable[[Members], None]], Path],
    tmp_path: Path,
    edit: Callable[[Members], None],
    words: str,
) -> None:
    path = forge(edit)
    (tmp_path / "out").mkdir()
    with pytest.raises(EngineError, match=words):
        unpack(path, tmp_path / "out" / "model")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_name_that_ends_early_writes_no_second_card(
    forge: Callable[[Callable[[Members], None]], Path], tmp_path: Path
) -> None:
    path = forge(lambda members: members.__setitem__(f"{CARD}~.safetensors", b"x"))
    content = path.read_bytes().replace(f"{CARD}~".encode(), f"{CARD}\0".encode())
    path.write_bytes(content)
    with pytest.raises(EngineError, match="has a name that would change when it is written"):
        unpack(path, tmp_path / "model")


def test_the_item_describes_both_files(package: Path) -> None:
    card = read_card(package)
    item = pystac.Item.from_dict(json.loads(json.dumps(stac_item(card))))
    for key, name in (("weights", WEIGHTS), ("series_weights", SERIES)):
        asset = item.assets[key]
        assert asset.href == f"./{name}"
        assert asset.extra_fields["file:checksum"] == "1220" + file_hash(package / name)
        assert asset.extra_fields["mlm:artifact_type"] == "safetensors"
        assert "mlm:weights" in (asset.roles or [])
    assert "zones of the others" in str(item.assets["series_weights"].description)


def test_an_onnx_file_says_nothing_of_the_network_that_it_does_not_hold(package: Path) -> None:
    model = load_package(package)
    inside = metadata(model.card, model.stride)[CARD_KEY]
    assert ModelCard.model_validate(inside) == model.card.model_copy(update={"series": None})
    assert "series" not in inside  # type: ignore[operator]
