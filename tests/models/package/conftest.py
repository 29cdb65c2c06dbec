"""Small models: a network with random weights, and ONNX graphs whose answer is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from glacier_qgis.models.networks.unet import UNet
from glacier_qgis.models.package.card import Architecture, ModelCard, Weights, ZoneClass
from glacier_qgis.models.package.folder import save_package

PARAMETERS = {"bands": 2, "classes": 2, "width": 4, "levels": 1, "dilations": [1, 2]}
MEAN, STD = 0.4, 0.2
SHARPNESS = 30.0


def _card(**changes: object) -> ModelCard:
    fields: dict[str, object] = {
        "name": "small",
        "version": "1",
        "title": "A small model",
        "task": "tests",
        "architecture": Architecture(name="unet", parameters=PARAMETERS),
        "weights": Weights(file="weights.safetensors", sha256="0" * 64),
        "classes": [ZoneClass(value=3, name="glacier"), ZoneClass(value=4, name="ocean")],
        "bands": 1,
        "channels": ["rank", "valid"],
        "cell_size_m": 60,
        "cell_size_range_m": (30, 120),
        "normalisation": "rank",
        "training_data": [],
        "split": "",
        "licence": "CC0",
        "software": "",
        "citation": "",
        "intended_use": "",
        "limits": "",
    }
    return ModelCard.model_validate(fields | changes)


@pytest.fixture(scope="session")
def card() -> Callable[..., ModelCard]:
    """Return a function that describes a small model, with changes."""
    return _card


@pytest.fixture(scope="session")
def parameters() -> dict[str, object]:
    """Return the parameters of the small network."""
    return dict(PARAMETERS)


@pytest.fixture(scope="session")
def save_small() -> Callable[..., None]:
    """Return a function that saves a small model with weights of a seed."""

    def save(folder: Path, seed: int = 0, **changes: object) -> None:
        torch.manual_seed(seed)
        save_package(folder, _card(**changes), UNet(**PARAMETERS).state_dict())  # type: ignore[arg-type]

    return save


@pytest.fixture(scope="session")
def deepness_model() -> Callable[..., Path]:
    """Return a function that writes an ONNX model of 10 m cells with Deepness' metadata.

    It gives a byte to the class with the nearest centre: its logits are, but for what all have
    in common, - SHARPNESS (x - centre)²; with one centre alone, SHARPNESS (x - centre).
    """
    onnx = pytest.importorskip("onnx", reason="the extra 'onnx' is not installed")
    pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")

    def write(
        path: Path,
        centres: Sequence[float],
        names: Sequence[str],
        size: int | str = "size",
        last: str = "",
        keys: Mapping[str, object] | None = None,
    ) -> Path:
        places = (np.array(centres, dtype=np.float32) / 255 - MEAN) / STD
        weight = (2 * SHARPNESS * places).reshape(-1, 1, 1, 1)
        bias = -SHARPNESS * places**2
        if len(centres) == 1:
            weight, bias = np.full((1, 1, 1, 1), SHARPNESS, np.float32), -SHARPNESS * places
        nodes = [onnx.helper.make_node("Conv", ["image", "w", "b"], ["logits" if last else "out"])]
        if last:
            axis = {"axis": 1} if last in ("Softmax", "ArgMax") else {}
            nodes.append(onnx.helper.make_node(last, ["logits"], ["out"], **axis))
        real = onnx.TensorProto.FLOAT
        kind = onnx.TensorProto.INT64 if last == "ArgMax" else real
        batch = "batch" if isinstance(size, str) else 1
        channels = 1 if last == "ArgMax" else len(centres)
        describe = onnx.helper.make_tensor_value_info
        graph = onnx.helper.make_graph(
            nodes,
            "nearest",
            [describe("image", real, [batch, 1, size, size])],
            [describe("out", kind, [batch, channels, size, size])],
            [onnx.numpy_helper.from_array(weight, "w"), onnx.numpy_helper.from_array(bias, "b")],
        )
        opset = onnx.helper.make_opsetid("", 18)
        model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9)
        stated: dict[str, object] = {
            "model_type": "Segmentor",
            "class_names": {str(index): name for index, name in enumerate(names)},
            "resolution": 1000,
            "standardization_mean": [MEAN],
            "standardization_std": [STD],
            **(keys or {}),
        }
        props = {key: json.dumps(value) for key, value in stated.items() if value is not None}
        onnx.helper.set_model_props(model, props)
        onnx.save(model, str(path))
        return path

    return write
