"""Reading emulators as IGM publishes them: Keras HDF5 weights and two lists of fields.

Only arrays and JSON are read; no code or pickle in a file is ever run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.networks.igm import LEAK, IgmCnn

INPUTS = ("thk", "slopsurfx", "slopsurfy", "arrhenius", "slidingco", "strflowctrl")
OUTPUTS = ("uvelbase", "vvelbase", "ubar", "vbar", "uvelsurf", "vvelsurf")
NEEDED_INPUTS = ("thk", "slopsurfx", "slopsurfy")
NEEDED_OUTPUTS = ("ubar", "vbar")
_CURE = (
    "give the folder of an emulator of the f12, f14 or f15 family, with model.h5, fieldin.dat "
    "and fieldout.dat in it."
)


@dataclass(frozen=True)
class Published:
    """What the files of an emulator hold; scales by field name, in file order."""

    network: IgmCnn
    inputs: dict[str, float]
    outputs: dict[str, float]


def read_published(weights: Path) -> Published:
    """Read an emulator from its ``model.h5``, with its field lists beside it.

    Raises:
        EngineError: A file is missing or is not what it should be.
    """
    inputs = _read_scales(weights.with_name("fieldin.dat"), INPUTS, NEEDED_INPUTS)
    outputs = _read_scales(weights.with_name("fieldout.dat"), OUTPUTS, NEEDED_OUTPUTS)
    network = read_network(weights)
    shape = (network.inputs, network.outputs)
    if shape != (len(inputs), len(outputs)):
        raise EngineError(
            f"EMULATOR: {weights} maps {shape[0]} fields to {shape[1]}, but the lists beside it "
            f"name {len(inputs)} and {len(outputs)}: they belong to different emulators; {_CURE}"
        )
    return Published(network, inputs, outputs)


def read_network(weights: Path) -> IgmCnn:
    """Read the network for fields whose first row is the north.

    IGM's rasters begin in the south. Turning every kernel upside down makes the same network
    read and write north-up rasters, with v still positive northwards.
    """
    if not weights.is_file():
        raise EngineError(f"EMULATOR: there is no {weights}: {_CURE}")
    if not h5py.is_hdf5(weights):
        raise EngineError(f"EMULATOR: {weights} is not an HDF5 file: {_CURE}")
    try:
        with h5py.File(weights) as file:
            layers = json.loads(file.attrs["model_config"])["config"]["layers"]
            names = _convolutions(layers)
            arrays = [
                tuple(
                    np.asarray(file[f"model_weights/{name}/{name}/{part}:0"], dtype=np.float32)
                    for part in ("kernel", "bias")
                )
                for name in names
            ]
        return _assemble(arrays)
    except (KeyError, TypeError, ValueError, RuntimeError, OSError) as error:
        raise EngineError(
            f"EMULATOR: {weights} does not hold a network of the f12, f14 or f15 layout "
            f"({error}): {_CURE}"
        ) from error


def _convolutions(layers: list[dict[str, Any]]) -> list[str]:
    """Return the convolutions' names, having made sure that the graph is the one we build."""
    found = [layer["config"] for layer in layers if layer["class_name"] == "Conv2D"]
    others = {layer["class_name"] for layer in layers} - {"Conv2D"}
    leaks = [layer for layer in layers if layer["class_name"] == "LeakyReLU"]
    uses = sum(len(layer["inbound_nodes"]) for layer in leaks)
    if not others <= {"InputLayer", "LeakyReLU", "Dropout"}:
        raise ValueError(f"layers of kind {', '.join(sorted(others))}")
    if uses != len(found) - 1 or not np.allclose([x["config"]["alpha"] for x in leaks], LEAK):
        raise ValueError("not a leaky ReLU of slope 0.01 after each hidden convolution")
    plain = {"padding": "same", "activation": "linear", "use_bias": True, "strides": [1, 1]}
    for config in found:
        if any(config[key] != value for key, value in plain.items() if key != "padding"):
            raise ValueError(f"the convolution {config['name']} is not a plain one")
    if any(config["padding"] != "same" for config in found[:-1]):
        raise ValueError("a convolution without 'same' padding")
    return [config["name"] for config in found]


def _assemble(arrays: list[tuple[np.ndarray, ...]]) -> IgmCnn:
    first, head = arrays[0][0], arrays[-1][0]
    network = IgmCnn(first.shape[2], head.shape[3], len(arrays) - 1, first.shape[3])
    state = {}
    for index, (kernel, bias) in enumerate(arrays):
        name = "head" if index == network.radius else f"hidden.{index}"
        upright = np.ascontiguousarray(kernel[::-1].transpose(3, 2, 0, 1))
        if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise ValueError(f"weights of {name} that are not finite")
        state[f"{name}.weight"] = torch.from_numpy(upright)
        state[f"{name}.bias"] = torch.from_numpy(bias)
    network.load_state_dict(state)
    return network.eval().requires_grad_(requires_grad=False)


def _read_scales(path: Path, known: tuple[str, ...], needed: tuple[str, ...]) -> dict[str, float]:
    """Read lines of a field's name and the number that it is scaled by."""
    if not path.is_file():
        raise EngineError(f"EMULATOR: there is no {path}, which names the fields: {_CURE}")
    scales: dict[str, float] = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                name, value = line.split()
                scales[name] = float(value)
    except ValueError as error:
        raise EngineError(f"EMULATOR: {path} is not a list of fields ({error}): {_CURE}") from error
    unknown = [name for name in scales if name not in known]
    missing = [name for name in needed if name not in scales]
    if unknown or missing or not all(np.isfinite(value) and value > 0 for value in scales.values()):
        raise EngineError(
            f"EMULATOR: {path} lists the fields {', '.join(scales) or 'none'}; this version knows "
            f"{', '.join(known)} with positive scales, and needs {', '.join(needed)}: {_CURE}"
        )
    return scales
