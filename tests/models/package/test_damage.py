"""Packages that were damaged or forged are refused with a sentence, whatever is wrong with them."""

from __future__ import annotations

import copy
import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from glacier_qgis.models.app.install import install_model
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.networks.unet import UNet
from glacier_qgis.models.package import registry
from glacier_qgis.models.package.archive import pack, unpack
from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture, ModelCard
from glacier_qgis.models.package.export import ExportModel
from glacier_qgis.models.package.folder import load_package, save_package
from kit.engine.jobs import run_job

Describe = Callable[..., ModelCard]


@pytest.fixture
def package(tmp_path: Path, card: Describe, parameters: dict[str, object]) -> Path:
    folder = tmp_path / "small"
    torch.manual_seed(0)
    save_package(folder, card(), UNet(**parameters).state_dict())  # type: ignore[arg-type]
    return folder


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_bytes_that_fell_over_never_end_in_a_defect(
    package: Path, tmp_path: Path, method: int
) -> None:
    pack(package, tmp_path / "whole.zip")
    whole = io.BytesIO()
    with (
        zipfile.ZipFile(tmp_path / "whole.zip") as given,
        zipfile.ZipFile(whole, "w", method) as written,
    ):
        for name in given.namelist():
            written.writestr(name, given.read(name))
    content, dice = whole.getvalue(), random.Random(method)  # noqa: S311
    refused = 0
    for turn in range(120):
        damaged = bytearray(content)
        for _ in range(dice.randint(1, 4)):
            first = len(content) - 600 if dice.random() < 0.5 else 0
            damaged[dice.randrange(first, len(content))] = dice.randrange(256)
        (tmp_path / "damaged.zip").write_bytes(damaged)
        try:
            unpack(tmp_path / "damaged.zip", tmp_path / f"out {turn}")
            load_package(tmp_path / f"out {turn}")
        except EngineError:
            refused += 1
    assert refused > 80
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("unet", {"width": 4, "levels": 64}),
        ("unet", {"width": 1024, "levels": 4}),
        ("unet", {"width": 4, "levels": 1, "stem": 1024}),
        ("hrnet", {"width": 1, "levels": 1000}),
        ("hed", {"width": 1, "levels": 20}),
        ("unet", {"levels": 0}),
        ("hrnet", {"levels": 0}),
    ],
)
def test_a_network_that_would_not_fit_is_refused_before_it_is_built(
    name: str, parameters: dict[str, object]
) -> None:
    with pytest.raises(EngineError, match=r"cannot be built|more than"):
        build(Architecture.model_validate({"name": name, "parameters": parameters}))


def test_weights_that_are_not_numbers_are_refused(
    tmp_path: Path, card: Describe, parameters: dict[str, object]
) -> None:
    weights = UNet(**parameters).state_dict()  # type: ignore[arg-type]
    weights["head.bias"] *= torch.nan
    with pytest.raises(EngineError, match="predicts values that are not numbers"):
        save_package(tmp_path / "broken", card(), weights)
    assert not list(tmp_path.iterdir())


def test_a_cell_size_without_end_is_refused(package: Path) -> None:
    path = package / "card.json"
    card = json.loads(path.read_text())
    card |= {"cell_size_m": float("inf"), "cell_size_range_m": [1, float("inf")]}
    path.write_text(json.dumps(card))
    with pytest.raises(EngineError, match="CELL_SIZE_M"):
        load_package(package)


def test_no_model_takes_the_place_of_the_emulators(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    emulator = registry.user_folder() / "emulators" / "f15" / "100" / "model.h5"
    emulator.parent.mkdir(parents=True)
    emulator.touch()
    with pytest.raises(EngineError, match="reserved for emulators"):
        install_model(package, "emulators", overwrite=True)
    assert emulator.exists()


@pytest.mark.parametrize(("kind", "name"), [("onnx", "model.zip"), ("package", "model.onnx")])
def test_an_exported_file_is_called_what_it_is(
    package: Path, tmp_path: Path, kind: str, name: str
) -> None:
    asked = {"model": str(package), "format": kind, "output": tmp_path / name}
    with pytest.raises(EngineError, match=f"does not match FORMAT '{kind}'"):
        run_job(ExportModel.model_validate(asked))


@pytest.mark.slow
def test_a_copy_of_an_onnx_network_predicts_the_same(package: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    asked = {"model": str(package), "format": "onnx", "output": tmp_path / "m.onnx"}
    run_job(ExportModel.model_validate(asked))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
        network = load_package(registry.find_model(str(tmp_path / "m.onnx"))).network
    image = torch.randn(1, 2, 16, 16)
    assert torch.equal(copy.deepcopy(network)(image), network(image))
