"""Export of a model as ONNX, with a check that its predictions are the same."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import JsonValue
from torch import Tensor, nn

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import Model, Unmasked
from glacier_qgis.models.package.onnx_card import BYTE, CARD_KEY, SEGMENTOR, STRIDE_KEY
from glacier_qgis.models.package.onnx_file import needed
from glacier_qgis.models.package.onnx_network import OnnxNetwork, OnnxSettings

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 18
TOLERANCE = 1e-4
"""Largest difference of a probability from that of the model."""
TILE, OVERLAP_PERCENT = 512, 25
"""Tile size and overlap for other programs, with the same context as here."""
SIZE = "size"
"""Name of the axes of rows and of columns; equal names mean square images to some programs."""


class Probabilities(nn.Module):
    """A network followed by a softmax, as programs expect of a segmentation model."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, rows, columns) to probabilities (N, classes, rows, columns)."""
        shares: Tensor = self.network(image).softmax(dim=1)
        return shares


def export_onnx(model: Model, path: Path) -> float:
    """Write a model as one ONNX file.

    Args:
        model: The model; if it is already an ONNX file, it is copied.
        path: To write.

    Returns:
        The largest difference of a probability between file and model.

    Raises:
        EngineError: Python packages are missing, or the predictions differ.
    """
    inner = model.network.inner if isinstance(model.network, Unmasked) else model.network
    if isinstance(inner, OnnxNetwork):
        shutil.copyfile(inner.path, path)
        return 0.0
    onnx = needed("onnx")
    needed("onnxscript")
    network = Probabilities(inner).eval()
    graph = _graph(network, len(model.card.channels), model.stride)
    _rename_axes(graph)
    graph.doc_string = _explanation(model.card)
    for key, value in metadata(model.card, model.stride).items():
        entry = graph.metadata_props.add()
        entry.key, entry.value = key, json.dumps(value, ensure_ascii=False)
    path.write_bytes(graph.SerializeToString())
    onnx.checker.check_model(str(path))
    difference = parity(network, path, model)
    if difference > TOLERANCE:
        raise EngineError(
            "Nothing was written: probabilities of the exported model differ from those of "
            f"{model.card.name} by up to {difference:.1e}, more than {TOLERANCE:g}. Run 'Set up "
            "engine' again with the extra 'onnx'."
        )
    return difference


def metadata(card: ModelCard, stride: int) -> dict[str, JsonValue]:
    """Return the metadata for Deepness and for this program, see `onnx_card`.

    The file contains only the network for single scenes, so the card has no part for series.
    """
    values = card.input_values
    scaled = values.kind == "scaled"
    mean = [value / BYTE for value in values.mean] if scaled else [0.5] * card.bands
    std = [value / BYTE for value in values.std] if scaled else [0.5] * card.bands
    masks = len(card.channels) - card.bands
    return {
        "model_type": SEGMENTOR.capitalize(),
        "class_names": {str(i): zone.name for i, zone in enumerate(card.classes)},
        "resolution": 100 * card.cell_size_m,
        "tile_size": TILE,
        "tiles_overlap": OVERLAP_PERCENT,
        "standardization_mean": [*mean, *[0.0] * masks],
        "standardization_std": [*std, *[1.0] * masks],
        CARD_KEY: card.model_dump(mode="json", exclude={"series"}),
        STRIDE_KEY: stride,
    }


def parity(network: nn.Module, path: Path, model: Model) -> float:
    """Return the largest difference of a probability, over inputs of several sizes."""
    stride = model.stride
    settings = OnnxSettings(classes=list(range(len(model.card.classes))), stride=stride)
    exported = OnnxNetwork(path, settings)
    generator = np.random.default_rng(0)
    largest = 0.0
    for batch, rows, columns in ((1, 4, 4), (2, 4, 7), (1, 9, 5)):
        shape = (batch, len(model.card.channels), rows * stride, columns * stride)
        image = torch.from_numpy(generator.uniform(-1, 1, shape).astype(np.float32))
        image[..., : stride // 2, :] = 0
        with torch.inference_mode():
            change = exported(image).softmax(dim=1) - network(image)
        largest = max(largest, float(change.abs().max()))
    return largest


def _graph(network: nn.Module, channels: int, stride: int) -> ModelProto:
    """Trace a network for any number of images of any size."""
    example = torch.zeros(2, channels, 4 * stride, 6 * stride)
    anything = torch.export.Dim.DYNAMIC
    exporters = logging.getLogger("torch.onnx"), logging.getLogger("onnxscript")
    levels = [logger.level for logger in exporters]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings of the exporter about itself
        for logger in exporters:
            logger.setLevel(logging.ERROR)
        try:
            program = torch.onnx.export(
                network,
                (example,),
                input_names=["image"],
                output_names=["probabilities"],
                opset_version=OPSET,
                dynamo=True,
                external_data=False,
                dynamic_shapes=({0: anything, 2: anything, 3: anything},),
                artifacts_dir=folder,
                verbose=False,
            )
        finally:
            for logger, level in zip(exporters, levels, strict=True):
                logger.setLevel(level)
    if program is None:
        raise RuntimeError("torch.onnx.export returned nothing")
    return program.model_proto


def _rename_axes(graph: ModelProto) -> None:
    for value in [*graph.graph.input, *graph.graph.output]:
        axes = value.type.tensor_type.shape.dim
        for axis, name in ((axes[0], "batch"), (axes[2], SIZE), (axes[3], SIZE)):
            axis.dim_param = name


def _explanation(card: ModelCard) -> str:
    text = f"{card.title}, {card.version}. {card.intended_use} {card.limits}"
    if card.input_values.kind == "rank":
        text += (
            " Bands are to be histogram-equalised over the whole scene to 8 bits (0 to 255) before "
            "the model sees them"
        )
        text += ", the last channel being 255 where the scene has data." if card.has_mask else "."
    return text
