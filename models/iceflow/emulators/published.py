"""Emulators that are a plain stack of convolutions: the families f12, f14, f15 and pinnbp.

IGM publishes them as Keras HDF5 weights with two lists of fields beside them. Only arrays and JSON
are read; code or pickles in a file are never run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.listed import (
    REMEDY,
    FieldLists,
    read_lists,
)
from glacier_qgis.models.iceflow.emulators.stack import StackCore
from glacier_qgis.models.iceflow.emulators.stored import array, description
from glacier_qgis.models.networks.igm import LEAK, IgmCnn

DEEPEST = 128
"""Largest number of layers; published networks have 18."""
WIDEST = 1024
"""Largest number of channels of a layer; published networks have 256."""


class UnknownLayoutError(ValueError):
    """A Keras model with another graph than the supported one."""


def read_published(weights: Path, name: str, lists: FieldLists | None = None) -> StackCore:
    """Read an emulator from its ``model.h5``, with its field lists beside it.

    Raises:
        EngineError: A file is missing or not valid.
        UnknownLayoutError: It is a Keras model, but of another layout.
    """
    lists = lists or read_lists(weights)
    network = read_network(weights)
    return StackCore(name, weights, lists.fitted(weights, network.inputs, network.outputs), network)


def read_network(weights: Path) -> IgmCnn:
    """Read the network for north-up fields.

    IGM's rasters begin in the south. Flipping every kernel vertically makes the network read and
    write north-up rasters, with v still positive northwards.
    """
    if not weights.is_file():
        raise EngineError(f"EMULATOR: {weights} does not exist: {REMEDY}")
    if not h5py.is_hdf5(weights):
        raise EngineError(f"EMULATOR: {weights} is not an HDF5 file: {REMEDY}")
    try:
        with h5py.File(weights) as file:
            layers = description(file.attrs["model_config"])["config"]["layers"]
            names = _convolutions(layers)
            arrays = [
                tuple(
                    array(file, f"model_weights/{name}/{name}/{part}:0")
                    for part in ("kernel", "bias")
                )
                for name in names
            ]
        return _assemble(arrays)
    except UnknownLayoutError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError, OSError) as error:
        raise EngineError(
            f"EMULATOR: {weights} is not a Keras network ({error}): {REMEDY}"
        ) from error


def _convolutions(layers: list[dict[str, Any]]) -> list[str]:
    """Return the names of the convolutions, after checking that the graph is the supported one."""
    found = [layer["config"] for layer in layers if layer["class_name"] == "Conv2D"]
    others = {layer["class_name"] for layer in layers} - {"Conv2D"}
    leaks = [layer for layer in layers if layer["class_name"] == "LeakyReLU"]
    uses = sum(len(layer["inbound_nodes"]) for layer in leaks)
    slopes = [x["config"].get("alpha", x["config"].get("negative_slope")) for x in leaks]
    if not others <= {"InputLayer", "LeakyReLU", "Dropout"}:
        raise UnknownLayoutError(f"layers of kind {', '.join(sorted(others))}")
    if uses != len(found) - 1 or not np.allclose(slopes, LEAK):
        raise UnknownLayoutError("not a leaky ReLU of slope 0.01 after each hidden convolution")
    if not 0 < len(found) <= DEEPEST:
        raise UnknownLayoutError(f"{len(found)} convolutions")
    plain = {"activation": "linear", "use_bias": True, "strides": [1, 1], "dilation_rate": [1, 1]}
    sizes = [[3, 3]] * (len(found) - 1) + [[1, 1]]
    for config, size in zip(found, sizes, strict=True):
        if config["kernel_size"] != size or any(config[key] != plain[key] for key in plain):
            raise UnknownLayoutError(f"the convolution {config['name']} is not a plain one")
    if any(config["padding"] != "same" for config in found[:-1]):
        raise UnknownLayoutError("a convolution without 'same' padding")
    return [config["name"] for config in found]


def _assemble(arrays: list[tuple[np.ndarray, ...]]) -> IgmCnn:
    first, head = arrays[0][0], arrays[-1][0]
    if any(kernel.ndim != 4 or max(kernel.shape) > WIDEST for kernel, _ in arrays):
        raise ValueError(f"kernels of {', '.join(str(kernel.shape) for kernel, _ in arrays[:3])}")
    network = IgmCnn(first.shape[2], head.shape[3], len(arrays) - 1, first.shape[3])
    state = {}
    for index, (kernel, bias) in enumerate(arrays):
        name = "head" if index == network.radius else f"hidden.{index}"
        if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise ValueError(f"weights of {name} that are not finite")
        state[f"{name}.weight"] = upright(kernel)
        state[f"{name}.bias"] = torch.from_numpy(bias)
    network.load_state_dict(state)
    return network.eval().requires_grad_(requires_grad=False)


def upright(kernel: np.ndarray) -> torch.Tensor:
    """Convert a Keras kernel (row, column, in, out) from south-up to north-up rasters."""
    return torch.from_numpy(np.ascontiguousarray(kernel[::-1].transpose(3, 2, 0, 1)))
