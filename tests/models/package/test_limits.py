"""Models whose files claim sizes that no machine has: refused within seconds, at no cost."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package import onnx_network
from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.package.folder import load_package
from glacier_qgis.models.package.onnx_card import import_onnx

onnx = pytest.importorskip("onnx", reason="the extra 'onnx' is not installed")
FEW_SECONDS = 20.0
GIB = 1 << 30


@pytest.fixture(autouse=True)
def cheap() -> Iterator[None]:
    """Hold every test against the clock, and its process against growth."""
    began, before = time.monotonic(), psutil.Process().memory_info().rss
    yield
    assert time.monotonic() - began < FEW_SECONDS
    assert psutil.Process().memory_info().rss - before < GIB


def write_graph(path: Path, nodes: list[object], bands: int = 1, stored: object = ()) -> Path:
    """Write a model of two classes with Deepness' metadata."""
    real, describe = onnx.TensorProto.FLOAT, onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        "hostile",
        [describe("image", real, ["batch", bands, "size", "size"])],
        [describe("out", real, ["batch", 2, "size", "size"])],
        list(stored),
    )
    opset = onnx.helper.make_opsetid("", 18)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9)
    stated = {
        "model_type": "Segmentor",
        "class_names": {"0": "glacier", "1": "ocean"},
        "resolution": 1000,
    }
    onnx.helper.set_model_props(model, {key: json.dumps(value) for key, value in stated.items()})
    onnx.save(model, str(path))
    return path


def node(kind: str, inputs: list[str], output: str, **attributes: object) -> object:
    return onnx.helper.make_node(kind, inputs, [output], **attributes)


def number(name: str, value: object) -> object:
    return onnx.numpy_helper.from_array(np.array(value), name)


def endless(path: Path) -> Path:
    """A loop of 10¹⁵ rounds."""
    real, describe = onnx.TensorProto.FLOAT, onnx.helper.make_tensor_value_info
    body = onnx.helper.make_graph(
        [node("Identity", ["go"], "on"), node("Add", ["x", "x"], "y")],
        "round",
        [
            describe("round", onnx.TensorProto.INT64, []),
            describe("go", onnx.TensorProto.BOOL, []),
            describe("x", real, None),
        ],
        [describe("on", onnx.TensorProto.BOOL, []), describe("y", real, None)],
    )
    nodes = [
        onnx.helper.make_node("Loop", ["rounds", "yes", "image"], ["after"], body=body),
        node("Concat", ["after", "after"], "out", axis=1),
    ]
    stored = [number("rounds", np.int64(10**15)), number("yes", True)]
    return write_graph(path, nodes, stored=stored)


def immense(path: Path) -> Path:
    """A constant of 4 TB, added up."""
    nodes = [
        node("ConstantOfShape", ["shape"], "sky"),
        node("ReduceSum", ["sky"], "sum", keepdims=0),
        node("Add", ["image", "sum"], "more"),
        node("Concat", ["more", "more"], "out", axis=1),
    ]
    return write_graph(path, nodes, stored=[number("shape", np.array([10**6, 10**6]))])


def greedy(path: Path) -> Path:
    """Grows to hundreds of GB in pieces that each fit."""
    nodes: list[object] = [node("Tile", ["image", "twice"], "x0")]
    nodes += [node("Tile", [f"x{n}", "twice"], f"x{n + 1}") for n in range(25)]
    nodes += [node("ReduceMean", ["x25"], "mean", keepdims=0), node("Add", ["image", "mean"], "m")]
    nodes += [node("Concat", ["m", "m"], "out", axis=1)]
    return write_graph(path, nodes, stored=[number("twice", np.array([2, 1, 1, 1]))])


def wide(path: Path) -> Path:
    """A hundred million channels."""
    nodes = [node("Concat", ["image", "image"], "out", axis=1)]
    return write_graph(path, nodes, bands=10**8)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (endless, "took longer than 5 s"),
        (immense, "ONNX Runtime cannot run|used more than"),
        (
            greedy,
            "ONNX Runtime cannot run|used more than 1.0 GiB|took longer",
        ),
        (wide, r"1e\+08 channels"),
    ],
)
def test_a_small_graph_with_a_large_appetite_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[Path], Path],
    words: str,
) -> None:
    monkeypatch.setattr(onnx_network, "PROBE_SECONDS", 5.0)
    monkeypatch.setattr(onnx_network, "fair_memory", lambda: GIB)
    path = write(tmp_path / "a.onnx")
    assert path.stat().st_size < 10_000
    with pytest.raises(EngineError, match=words):
        import_onnx(path, tmp_path / "package")
    assert not (tmp_path / "package").exists()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("unet", {"bands": 2, "classes": 4, "width": 8, "levels": 2, "dilations": [1] * 20_000}),
        ("unet", {"bands": 2, "classes": 4, "width": 1, "levels": 1000, "dilations": [1]}),
        ("unet", {"bands": 2, "classes": 4, "width": 1024, "levels": 10, "dilations": [1]}),
        ("hrnet", {"bands": 2, "classes": 4, "width": 1, "blocks": 1000, "modules": [1000] * 3}),
    ],
)
def test_a_network_that_would_never_be_built_is_refused(
    name: str, parameters: dict[str, object]
) -> None:
    with pytest.raises(EngineError, match="The network"):
        build(Architecture(name=name, parameters=parameters))


def test_a_card_of_more_bands_than_any_sensor_is_refused(
    save_small: Callable[..., None], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    save_small(folder)
    card = json.loads((folder / "card.json").read_text())
    card |= {"bands": 200_000, "channels": ["x"] * 200_000}
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(EngineError, match="BANDS"):
        load_package(folder)


def test_weights_that_claim_more_than_they_hold_are_refused(
    save_small: Callable[..., None], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    save_small(folder)
    header = json.dumps({"w": {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4]}})
    content = len(header).to_bytes(8, "little") + header.encode() + bytes(4)
    (folder / "weights.safetensors").write_bytes(content)
    card = json.loads((folder / "card.json").read_text())
    card["weights"]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(EngineError, match="do not fit"):
        load_package(folder)
