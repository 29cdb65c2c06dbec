"""Archives: what goes in comes out; what is hostile is refused by name and leaves nothing."""

from __future__ import annotations

import json
import pickle
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pystac
import pytest
import torch
from pystac.extensions.mlm import MLMExtension

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.folders import DELIVERED
from glacier_qgis.models.package import archive
from glacier_qgis.models.package.archive import ITEM, is_pickle, pack, unpack
from glacier_qgis.models.package.folder import CARD, read_card
from glacier_qgis.models.package.registry import DEFAULT_MODEL
from glacier_qgis.models.package.stac import stac_item

DEFAULT = DELIVERED / DEFAULT_MODEL
WEIGHTS = "weights.safetensors"
Edit = Callable[[zipfile.ZipFile, dict[str, bytes]], None]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, save_small: Callable[..., None]) -> Path:
    folder = tmp_path_factory.mktemp("models") / "small"
    save_small(folder, classes=[{"value": 3, "name": "glacier"}, {"value": 5, "name": "no ice"}])
    return folder


@pytest.fixture(scope="module")
def packed(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("Pakete für Grönland") / "modèle ü.zip"
    pack(model, path)
    return path


@pytest.fixture
def forge(packed: Path, tmp_path: Path) -> Callable[[Edit], Path]:
    """Return a function that writes a changed copy of the archive."""

    def make(edit: Edit) -> Path:
        with zipfile.ZipFile(packed) as source:
            members = {name: source.read(name) for name in source.namelist()}
        path = tmp_path / "forged.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
            edit(target, members)
            for name, content in members.items():
                target.writestr(name, content)
        return path

    return make


def refuse(path: Path, folder: Path, words: str) -> None:
    """Check that an archive is refused with these words, and that nothing was left."""
    folder.mkdir()
    with pytest.raises(EngineError, match=words):
        unpack(path, folder / "model")
    assert list(folder.iterdir()) == []


def test_the_delivered_package_comes_out_as_it_went_in(tmp_path: Path) -> None:
    packed, folder = tmp_path / "modèle ü.zip", tmp_path / "ein Modell"
    pack(DEFAULT, packed)
    assert unpack(packed, folder) == read_card(DEFAULT)
    weights = read_card(DEFAULT).weights.file
    for name in (CARD, weights):
        assert (folder / name).read_bytes() == (DEFAULT / name).read_bytes()
    pack(folder, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()


@pytest.mark.parametrize("folder", ["default", "small"])
def test_the_item_is_what_catalogues_read(model: Path, folder: str) -> None:
    card = read_card(DEFAULT if folder == "default" else model)
    item = pystac.Item.from_dict(json.loads(json.dumps(stac_item(card))))
    described = MLMExtension.ext(item)
    assert described.mlm_name == card.name
    assert [str(task) for task in described.tasks] == ["semantic-segmentation"]
    (seen,), (answer,) = described.input, described.output
    assert seen.input.shape == [-1, len(card.channels), -1, -1]
    assert len(seen.properties["value_scaling"]) == len(seen.bands) == len(card.channels)
    assert [c.value for c in answer.classes] == [zone.value for zone in card.classes]
    asset = item.assets["weights"]
    assert asset.roles is not None
    assert "mlm:model" in asset.roles
    assert asset.extra_fields["file:checksum"] == "1220" + card.weights.sha256
    assert [band["name"] for band in item.properties["bands"]] == seen.bands


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../evil.safetensors", "outside the package"),
        ("a/../../evil.json", "outside the package"),
        ("..\\evil.json", "outside the package"),
        ("/etc/evil.json", "absolute"),
        ("C:\\evil.json", "absolute"),
        ("\\\\host\\share\\evil.json", "absolute"),
        ("folder/", "folder|not part of"),
        ("sub/weights.safetensors", "is not part of a model package"),
        ("readme.txt", "is not part of a model package"),
        ("weights.pth", "pickle"),
        ("model.pt", "pickle"),
        ("data.PKL", "pickle"),
        ("pytorch_model.bin", "pickle"),
        ("Card.json", "is not part of a model package"),
    ],
)
def test_a_member_that_does_not_belong_is_named(
    forge: Callable[[Edit], Path], tmp_path: Path, name: str, words: str
) -> None:
    path = forge(lambda file, _: file.writestr(name, b"x"))
    refuse(path, tmp_path / "out", words)


def test_a_link_is_refused(forge: Callable[[Edit], Path], tmp_path: Path) -> None:
    def link(file: zipfile.ZipFile, members: dict[str, bytes]) -> None:
        del members[WEIGHTS]
        member = zipfile.ZipInfo(WEIGHTS)
        member.create_system = 3
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(member, "/etc/passwd")

    refuse(forge(link), tmp_path / "out", f"{WEIGHTS}.*is a link")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused(
    forge: Callable[[Edit], Path], tmp_path: Path
) -> None:
    path = forge(lambda file, members: file.writestr(CARD, members[CARD]))
    refuse(path, tmp_path / "out", "card.json' is included twice")


def test_a_bomb_by_ratio_is_refused_before_it_is_read(
    forge: Callable[[Edit], Path], tmp_path: Path
) -> None:
    def swell(_: zipfile.ZipFile, members: dict[str, bytes]) -> None:
        members[WEIGHTS] = bytes(5 << 20)

    refuse(forge(swell), tmp_path / "out", r"would expand \d+ times")


def test_a_bomb_by_size_is_refused_before_it_is_read(
    forge: Callable[[Edit], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_WEIGHTS_BYTES", 1 << 10)
    refuse(forge(lambda *_: None), tmp_path / "out", "MiB, more than the limit of 0 MiB")


def test_a_card_of_any_size_is_refused(forge: Callable[[Edit], Path], tmp_path: Path) -> None:
    def swell(_: zipfile.ZipFile, members: dict[str, bytes]) -> None:
        members[CARD] += b" " * (2 << 20)

    refuse(forge(swell), tmp_path / "out", "card.json.*MiB")


def test_a_member_longer_than_the_list_says_is_refused(packed: Path, tmp_path: Path) -> None:
    content = bytearray(packed.read_bytes())
    entry = content.rindex(WEIGHTS.encode()) - 46
    assert content[entry : entry + 4] == b"PK\x01\x02"
    content[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    path = tmp_path / "lies.zip"
    path.write_bytes(content)
    refuse(path, tmp_path / "out", "not a complete zip|not what card.json describes")


def test_an_encrypted_member_is_refused(packed: Path, tmp_path: Path) -> None:
    content = bytearray(packed.read_bytes())
    entry = content.rindex(WEIGHTS.encode()) - 46
    content[entry + 8] |= 1
    path = tmp_path / "secret.zip"
    path.write_bytes(content)
    refuse(path, tmp_path / "out", "is encrypted")


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("the pickle was executed",)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_header_whose_length_looks_like_a_pickle_is_none(protocol: int) -> None:
    assert is_pickle(pickle.dumps({"weights": [1.0, 2.0]}, protocol=protocol))
    length = 0x80 + (protocol << 8)
    assert not is_pickle(length.to_bytes(8, "little") + b'{"w":{"dtype":"F32"')


@pytest.mark.parametrize("kind", ["pickle", "torch"])
def test_a_pickle_under_another_name_is_refused(
    forge: Callable[[Edit], Path], tmp_path: Path, kind: str
) -> None:
    if kind == "pickle":
        content = pickle.dumps(Trap())
    else:
        torch.save({"trap": Trap()}, tmp_path / "trap")
        content = (tmp_path / "trap").read_bytes()

    def poison(_: zipfile.ZipFile, members: dict[str, bytes]) -> None:
        members[WEIGHTS] = content

    refuse(forge(poison), tmp_path / "out", f"{WEIGHTS}' is a pickle")


def test_weights_that_the_card_does_not_describe_are_refused(
    forge: Callable[[Edit], Path], tmp_path: Path
) -> None:
    def flip(_: zipfile.ZipFile, members: dict[str, bytes]) -> None:
        members[WEIGHTS] = members[WEIGHTS][:-1] + b"\x01"

    refuse(forge(flip), tmp_path / "out", "not what card.json describes")


def test_an_item_of_other_weights_is_refused(forge: Callable[[Edit], Path], tmp_path: Path) -> None:
    def swap(_: zipfile.ZipFile, members: dict[str, bytes]) -> None:
        item = json.loads(members[ITEM])
        item["assets"]["weights"]["file:checksum"] = "1220" + "0" * 64
        members[ITEM] = json.dumps(item).encode()

    refuse(forge(swap), tmp_path / "out", "item.json describes other weights")


@pytest.mark.parametrize("name", [ITEM, CARD, WEIGHTS])
def test_what_is_missing_is_named(forge: Callable[[Edit], Path], tmp_path: Path, name: str) -> None:
    path = forge(lambda _, members: members.__delitem__(name))
    refuse(path, tmp_path / "out", f"model package: {name} is missing")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_archive_is_refused(packed: Path, tmp_path: Path, share: float) -> None:
    content = packed.read_bytes()
    path = tmp_path / "cut.zip"
    path.write_bytes(content[: int(len(content) * share)])
    refuse(path, tmp_path / "out", "not a complete zip file")


def test_what_is_not_a_zip_is_refused(tmp_path: Path) -> None:
    refuse(DEFAULT / CARD, tmp_path / "out", "not a complete zip file")
