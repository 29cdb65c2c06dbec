"""The DahuNet emulators of igm-model 3.2: trained on physics, for many cell sizes at once.

A ``.keras`` file is a zip with the weights as HDF5 and the architecture as JSON; both are read as
data, no code is run.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor, nn

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.card import OUTPUTS, Card, FlowParameters, Range
from glacier_qgis.models.iceflow.emulators.fields import (
    at_least,
    reference_stress,
    sliding_of,
    slopes,
    stack_fields,
)
from glacier_qgis.models.iceflow.emulators.published import upright
from glacier_qgis.models.iceflow.emulators.stored import (
    MOST_TEXT,
    array,
    description,
    member,
)
from glacier_qgis.models.networks.dahunet import DahuNet

INPUTS = ("thk", "usurf", "arrhenius", "tau_ref", "dX")
FEATURES = ("dsdx", "dsdy", "grad_s", "u_sia", "u_weertman")
SLOPE, THICKNESS = 0.1, 200.0
"""Reference slope and thickness (m) of the derived features."""
BASIS = torch.tensor(
    [
        [1, 0, 0, 0],
        [0, 0, 1, 0],
        [0.2, 0.8, 0, 0],
        [0, 0, 0.2, 0.8],
        [0, 1, 0, 0],
        [0, 0, 0, 1],
    ]
)
"""From the network's u and v at the bed and the surface to all velocities. The profile is u_b +
(u_s − u_b)(1 − (1 − ζ)⁴), MOLHO for n = 3, with the mean u_b/5 + 4 u_s/5 (Dias dos Santos et al.
2022, doi 10.5194/tc-16-179-2022)."""
CELL_SIZES = (100.0, 280.0)
"""Cell sizes on which the published weights were trained, m."""
LARGEST = (128, 1024, 31)
"""Limits of layers, filters and cells per side of a kernel."""
_UNIFORM = math.sqrt(3)
"""Half the width of a uniform distribution, in standard deviations."""
_FAR = 6
"""Standard deviations from the mean beyond which less than 3 % of any training data lie
(Chebyshev's inequality)."""


class DahunetCore(nn.Module):
    """A DahuNet with its derived features and standardisation.

    Attributes:
        card: what it says of itself.
        network: the network alone.
    """

    mean: Tensor
    deviation: Tensor
    basis: Tensor

    def __init__(self, card: Card, network: DahuNet, mean: Tensor, deviation: Tensor) -> None:
        """Wrap `network`; statistics are those of the inputs."""
        super().__init__()
        self.card = card
        self.network = network
        self.register_buffer("mean", mean[:, None, None])
        self.register_buffer("deviation", deviation[:, None, None])
        self.register_buffer("basis", BASIS.clone())

    def forward(self, thickness: Tensor, surface: Tensor, parameters: FlowParameters) -> Tensor:
        """See `Core`. Sliding is raised to the least value of the training data."""
        least, _ = self.card.hull["slidingco"]
        coefficients = {
            "arrhenius": parameters.rate_factor,
            "tau_ref": reference_stress(at_least(parameters.sliding, least)),
        }
        fields = stack_fields(INPUTS, thickness, surface, parameters.cell_size, coefficients)
        features = derived(thickness, surface, parameters.cell_size)
        standard = (fields - self.mean) / self.deviation
        answer = self.network(torch.cat([features, standard], dim=1))
        return torch.einsum("oc,nchw->nohw", self.basis, answer)


def derived(thickness: Tensor, surface: Tensor, cell_size: float) -> Tensor:
    """Return the derived features, which precede the inputs: (glacier, feature, row, column).

    Slopes to the east and north, their magnitude, and the logarithms of quantities proportional to
    the shallow-ice and the sliding velocity.
    """
    east, north = (slope / SLOPE for slope in slopes(surface, cell_size))
    steepness = torch.hypot(east, north)
    cubed, ratio = steepness**3, thickness / THICKNESS
    shallow, basal = (torch.log1p(cubed * ratio**power) for power in (4, 3))
    return torch.stack([east, north, steepness, shallow, basal], dim=1)


@dataclass(frozen=True)
class _Configuration:
    layers: int
    filters: int
    kernel: int
    residual: bool

    @property
    def radius(self) -> int:
        """Receptive radius of network and slopes, in cells."""
        return self.layers * (self.kernel // 2) + 1


def is_dahunet(weights: Path) -> bool:
    """Return whether a file is a DahuNet of the supported layout."""
    if not zipfile.is_zipfile(weights):
        return False
    try:
        with zipfile.ZipFile(weights) as file:
            config = description(member(file, "config.json", MOST_TEXT))["config"]
    except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile):
        return False
    return isinstance(config, dict) and config.get("architecture_name") == "dahunet"


def read_dahunet(weights: Path, name: str) -> DahunetCore:
    """Read an emulator for rasters whose first row is the north.

    Raises:
        EngineError: The file is damaged, or a DahuNet of another kind.
    """
    with _explained(weights):
        configuration, file = _open(weights)
        with file:
            mean, deviation = _statistics(file)
            network = _network(file, configuration)
    statistics = torch.from_numpy(mean), torch.from_numpy(deviation)
    card = _card(name, configuration, mean, deviation)
    return DahunetCore(card, network, *statistics).eval().requires_grad_(requires_grad=False)


def dahunet_card(weights: Path, name: str) -> Card:
    """Read the card of an emulator.

    Raises:
        EngineError: As `read_dahunet`.
    """
    with _explained(weights):
        configuration, file = _open(weights)
        with file:
            return _card(name, configuration, *_statistics(file))


@contextmanager
def _explained(weights: Path) -> Iterator[None]:
    """Convert errors of reading a file to a message for the user."""
    try:
        yield
    except (KeyError, TypeError, ValueError, RuntimeError, OSError, zipfile.BadZipFile) as error:
        raise EngineError(
            f"EMULATOR: {weights} is not a network of the dahunet layout ({error}): get it again "
            "from igm-model 3.2.1, or choose another emulator."
        ) from error


def _open(weights: Path) -> tuple[_Configuration, h5py.File]:
    with zipfile.ZipFile(weights) as archive:
        config = description(member(archive, "config.json", MOST_TEXT))["config"]
        config = config["architecture_params"]
        content = member(archive, "model.weights.h5")
    network: dict[str, Any] = config["network_params"]
    if network["backend"] != "cnn" or tuple(config["input_names"]) != INPUTS:
        raise ValueError(f"a {network['backend']} of {', '.join(config['input_names'])}")
    if tuple(network["features"]) != FEATURES or config["Nz"] != 2:
        raise ValueError(f"other features or levels: {network['features']}, {config['Nz']}")
    configuration = _Configuration(
        network["nb_layers"],
        network["nb_out_filter"],
        network["conv_ker_size"],
        network["residual"],
    )
    sizes = (configuration.layers, configuration.filters, configuration.kernel)
    if any(not 0 < size <= most for size, most in zip(sizes, LARGEST, strict=True)):
        raise ValueError(f"a network of {sizes} layers, filters and cells a kernel")
    return configuration, h5py.File(io.BytesIO(content))


def _statistics(file: h5py.File) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of the inputs over the training data."""
    mean, variance = (array(file, f"core/input_normalizer/vars/{index}") for index in (0, 1))
    if not (np.isfinite(mean).all() and (variance > 0).all()):
        raise ValueError("statistics of the inputs that are not numbers")
    return mean, np.sqrt(variance)


def _network(file: h5py.File, configuration: _Configuration) -> DahuNet:
    network = DahuNet(
        len(FEATURES) + len(INPUTS),
        BASIS.shape[1],
        configuration.layers,
        configuration.filters,
        configuration.kernel,
        residual=configuration.residual,
    )
    root = "core/layers/_cnn_backend"
    names = {"lift": "combine", "skip": "skip_proj", "head": "out"}
    for index in range(configuration.layers):
        names[f"backbone.{index}"] = f"backbone/conv2d_{index}" if index else "backbone/conv2d"
    state = {}
    for ours, theirs in names.items():
        kernel, bias = (array(file, f"{root}/{theirs}/vars/{index}") for index in (0, 1))
        if not (np.isfinite(kernel).all() and np.isfinite(bias).all()):
            raise ValueError(f"weights of {theirs} that are not finite")
        state[f"{ours}.weight"] = upright(kernel if kernel.ndim == 4 else kernel[None, None])
        state[f"{ours}.bias"] = torch.from_numpy(bias)
    network.load_state_dict(state)
    return network


def _card(
    name: str, configuration: _Configuration, mean: np.ndarray, deviation: np.ndarray
) -> Card:
    """Return the card; constants were drawn uniformly, fields come from the training glaciers."""
    hull: dict[str, Range] = {}
    for field, middle, spread in zip(INPUTS, map(float, mean), map(float, deviation), strict=True):
        width = spread * (_UNIFORM if field in ("arrhenius", "tau_ref") else _FAR)
        hull[field] = (middle - width, middle + width)
    del hull["dX"]
    weakest, strongest = hull.pop("tau_ref")
    hull["slidingco"] = (sliding_of(strongest), sliding_of(weakest))
    hull["thk"] = (0.0, hull["thk"][1])
    return Card(name, INPUTS, OUTPUTS, CELL_SIZES, hull, configuration.radius)
