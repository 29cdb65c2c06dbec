"""Emulators' files that claim gigabytes, or that lead to other files."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import psutil
import pytest

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.dahunet import FEATURES, INPUTS
from glacier_qgis.models.iceflow.emulators.reading import read_core

SHAPES = {"a": (3, 3, 2, 4), "b": (1, 1, 4, 2)}
GROUP = "model_weights/{0}/{0}"


@pytest.fixture(autouse=True)
def cheap() -> Iterator[None]:
    before = psutil.Process().memory_info().rss
    yield
    assert psutil.Process().memory_info().rss - before < 1 << 29


def layers() -> list[dict[str, object]]:
    plain = {"activation": "linear", "use_bias": True, "strides": [1, 1], "dilation_rate": [1, 1]}
    found: list[dict[str, object]] = []
    for name, shape in SHAPES.items():
        config = {"name": name, "kernel_size": [*shape[:2]], "padding": "same", **plain}
        found.append({"class_name": "Conv2D", "config": config})
    leak = {"class_name": "LeakyReLU", "config": {"alpha": 0.01}, "inbound_nodes": [[]]}
    return [{"class_name": "InputLayer", "config": {}}, found[0], leak, found[1]]


def write(folder: Path, spoil: Callable[[h5py.File], None]) -> Path:
    """Write an emulator of thickness and slope, spoilt."""
    with h5py.File(folder / "model.h5", "w") as file:
        file.attrs["model_config"] = json.dumps({"config": {"layers": layers()}})
        for name, shape in SHAPES.items():
            file[f"{GROUP.format(name)}/kernel:0"] = np.ones(shape, "f4")
            file[f"{GROUP.format(name)}/bias:0"] = np.zeros(shape[-1], "f4")
        spoil(file)
    (folder / "fieldin.dat").write_text("thk 100\nslopsurfx 1\n")
    (folder / "fieldout.dat").write_text("ubar 1\nvbar 1\n")
    return folder


def huge(file: h5py.File) -> None:
    del file[GROUP.format("a")]
    shape = (3, 3, 20_000, 20_000)
    file.create_dataset(f"{GROUP.format('a')}/kernel:0", shape, "f4", chunks=(3, 3, 64, 64))
    file[f"{GROUP.format('a')}/bias:0"] = np.zeros(4, "f4")


def wide(file: h5py.File) -> None:
    del file[GROUP.format("a")]
    file[f"{GROUP.format('a')}/kernel:0"] = np.zeros((1, 1, 1, 500_000), "f4")
    file[f"{GROUP.format('a')}/bias:0"] = np.zeros(500_000, "f4")


def text(file: h5py.File) -> None:
    del file[f"{GROUP.format('a')}/bias:0"]
    file[f"{GROUP.format('a')}/bias:0"] = "numbers"


def flat(file: h5py.File) -> None:
    del file[f"{GROUP.format('a')}/kernel:0"]
    file[f"{GROUP.format('a')}/kernel:0"] = np.zeros(4, "f4")


def elsewhere(file: h5py.File) -> None:
    del file[f"{GROUP.format('a')}/kernel:0"]
    file[f"{GROUP.format('a')}/kernel:0"] = h5py.ExternalLink("secret.h5", "/kernel")


def bottomless(file: h5py.File) -> None:
    file.attrs["model_config"] = '{"config":' * 20_000


def test_the_emulator_that_is_spoilt_below_is_sound(tmp_path: Path) -> None:
    read_core(write(tmp_path, lambda file: None))


@pytest.mark.parametrize("spoil", [huge, wide, text, flat, elsewhere, bottomless])
def test_weights_that_claim_gigabytes_or_lie_elsewhere_are_refused(
    tmp_path: Path, spoil: Callable[[h5py.File], None]
) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["kernel"] = np.ones(SHAPES["a"], "f4")
    with pytest.raises(EngineError, match="is not a Keras network"):
        read_core(write(tmp_path, spoil))


def zipped(folder: Path, **changes: object) -> Path:
    network = {"backend": "cnn", "features": FEATURES, "nb_layers": 2, "nb_out_filter": 4}
    network |= {"conv_ker_size": 3, "residual": True, **changes}
    parameters = {"input_names": INPUTS, "Nz": 2, "network_params": network}
    config = {"architecture_name": "dahunet", "architecture_params": parameters}
    with zipfile.ZipFile(folder / "a.keras", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", json.dumps({"config": config}))
        file.writestr("model.weights.h5", bytes(300 << 20) if not changes else b"")
    return folder / "a.keras"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "model.weights.h5 would grow to 300 MiB"),
        ({"nb_layers": 10**9}, "a network of"),
        ({"nb_out_filter": 10**9}, "a network of"),
        ({"conv_ker_size": 10**6}, "a network of"),
    ],
)
def test_a_keras_file_that_claims_gigabytes_is_refused(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(EngineError, match=words):
        read_core(zipped(tmp_path, **changes))
