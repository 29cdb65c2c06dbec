"""Networks with two lists of their fields, `fieldin.dat` and `fieldout.dat`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.card import (
    MEAN_FLOW,
    OUTPUTS,
    SAME_CELL,
    UNITS,
    Card,
    FlowParameters,
    Range,
)
from glacier_qgis.models.iceflow.emulators.fields import (
    at_least,
    friction,
    reference_stress,
    stack_fields,
)

Network = Callable[[Tensor], Tensor]
"""From (batch, input, row, column) to (batch, output, row, column)."""

LEVELS = ("U", "V")
"""Outputs of a network that predicts velocities on levels from the bed to the surface."""
SOFTNESS = "arrhenius"
"""The input that some networks on levels need once per level."""
STRETCH = 4.0
"""Vertical spacing: ratio of an even layer to the lowest one (IGM's vert_spacing)."""
LEAST_SLIDING = 1.0
"""Least c, km MPa⁻³ a⁻¹, for networks whose friction would be infinite."""
UNRELIABLE = (
    "its authors retrain it on each glacier during use, which is not done here; without that it "
    "is unreliable. Prefer another EMULATOR."
)
REMEDY = (
    "give the folder of an emulator, with model.h5 (or model.keras), fieldin.dat and "
    "fieldout.dat in it, or a .keras file of the dahunet family."
)


@dataclass(frozen=True)
class FieldLists:
    """Names and scales of a network's fields, in order; the scale is 1 if not given.

    Attributes:
        inputs: Input fields.
        outputs: Output fields.
        softness_levels: Number of consecutive fields that hold the rate factor, from the bed to the
            surface.
    """

    inputs: Mapping[str, float]
    outputs: Mapping[str, float]
    softness_levels: int = 1

    @property
    def on_levels(self) -> bool:
        """Whether the network predicts U and V on levels."""
        return tuple(self.outputs) == LEVELS

    @property
    def channels(self) -> list[tuple[str, float]]:
        """Name and scale of each input field."""
        return [
            field
            for field in self.inputs.items()
            for _ in range(self.softness_levels if field[0] == SOFTNESS else 1)
        ]

    def fitted(self, weights: Path, inputs: int, outputs: int) -> FieldLists:
        """Return the lists for a network with these numbers of fields.

        A network on levels may need the rate factor on each of them.

        Raises:
            EngineError: They do not match the network.
        """
        levels = outputs // 2
        fits = outputs >= 2 * len(LEVELS) and outputs % 2 == 0
        lists = self
        if self.on_levels and SOFTNESS in self.inputs and inputs == len(self.inputs) + levels - 1:
            lists = replace(self, softness_levels=levels)
        if inputs != len(lists.channels) or not (fits if self.on_levels else self._counts(outputs)):
            raise EngineError(
                f"EMULATOR: {weights} maps {inputs} fields to {outputs}, but its lists name "
                f"{len(self.inputs)} and {len(self.outputs)}: they belong to different emulators; "
                f"{REMEDY}"
            )
        return lists

    def _counts(self, outputs: int) -> bool:
        return outputs == len(self.outputs)


class ListedCore(nn.Module):
    """A network with the scaling of its lists.

    Attributes:
        card: what it says of itself.
        network: the network alone.
    """

    def __init__(
        self,
        name: str,
        weights: Path,
        lists: FieldLists,
        network: Network,
        channels: int,
        radius: int | None,
    ) -> None:
        """Wrap `network`.

        Args:
            name: as in the catalogue.
            weights: its file; the folder's name is the cell size of training, m.
            lists: its fields.
            network: maps scaled inputs to scaled outputs.
            channels: number of the network's outputs.
            radius: receptive radius of the network in cells, without slopes; None if not known.
        """
        super().__init__()
        self.card = list_card(name, weights.parent, lists, radius)
        self.network = network
        self._names, scaling = zip(*lists.channels, strict=True)
        scales = torch.tensor(scaling)
        self.register_buffer("scales", scales[:, None, None], persistent=False)
        self.register_buffer("mix", _mix(lists, channels), persistent=False)

    scales: Tensor
    mix: Tensor

    def forward(self, thickness: Tensor, surface: Tensor, parameters: FlowParameters) -> Tensor:
        """See `Core`."""
        fields = self.scaled_fields(thickness, surface, parameters)
        return torch.einsum("oc,nchw->nohw", self.mix, self.network(fields))

    def scaled_fields(
        self, thickness: Tensor, surface: Tensor, parameters: FlowParameters
    ) -> Tensor:
        """Return the network's scaled inputs: (glacier, field, row, column)."""
        cell_size, rate_factor, sliding = parameters
        coefficients = {
            SOFTNESS: rate_factor,
            "slidingco": sliding,
            "strflowctrl": rate_factor + sliding,
            "tau_ref": reference_stress(at_least(sliding, LEAST_SLIDING)),
        }
        if "usurf" in self.card.inputs:
            coefficients["slidingco"] = friction(at_least(sliding, LEAST_SLIDING))
        fields = stack_fields(self._names, thickness, surface, cell_size, coefficients)
        return fields / self.scales


def list_card(name: str, folder: Path, lists: FieldLists, radius: int | None) -> Card:
    """Return the card of a network with these lists; scales are bounds of its training data."""
    hull: dict[str, Range] = {}
    for field, scale in (*lists.inputs.items(), *lists.outputs.items()):
        if scale != 1:
            signed = field.startswith("slop") or field in OUTPUTS
            hull[field] = (-scale if signed else 0.0, scale)
    if "usurf" in lists.inputs:
        hull["slidingco"] = (LEAST_SLIDING, math.inf)
    cell = float(folder.name) if folder.name.isdecimal() else None
    reach = radius if radius is None or not _has_slopes(lists) else radius + 1
    return Card(
        name,
        tuple(lists.inputs),
        OUTPUTS if lists.on_levels else tuple(lists.outputs),
        None if cell is None else (cell / SAME_CELL, cell * SAME_CELL),
        hull,
        reach,
        UNRELIABLE if lists.on_levels else "",
    )


def _has_slopes(lists: FieldLists) -> bool:
    return any(name.startswith("slop") for name in lists.inputs)


def _mix(lists: FieldLists, channels: int) -> Tensor:
    """Return the matrix from the network's outputs to velocities: (velocity, output)."""
    if not lists.on_levels:
        return torch.diag(torch.tensor(list(lists.outputs.values())))
    levels = channels // 2
    weights = np.zeros((3, levels))
    weights[0, 0] = weights[2, -1] = 1
    weights[1] = depth_mean(levels)
    mix = np.zeros((3, 2, 2, levels))
    mix[:, 0, 0] = mix[:, 1, 1] = weights
    return torch.from_numpy(mix.reshape(len(OUTPUTS), channels).astype(np.float32))


def depth_mean(levels: int) -> np.ndarray:
    """Return the weights of levels in the depth average, by the trapezoidal rule.

    IGM's levels are at ζ = (z/4)(1 + 3z) of the thickness, with z evenly spaced from 0 to 1.
    """
    even = np.linspace(0, 1, levels)
    layers = np.diff(even / STRETCH * (1 + (STRETCH - 1) * even))
    weights: np.ndarray = (np.append(layers, 0) + np.append(0, layers)) / 2
    return weights


def read_lists(weights: Path) -> FieldLists:
    """Read the lists beside a network's file.

    Raises:
        EngineError: A list is missing, or is not a list of known fields.
    """
    return FieldLists(
        _read_scales(weights.with_name("fieldin.dat"), tuple(UNITS), [("thk",)]),
        _read_scales(weights.with_name("fieldout.dat"), (*OUTPUTS, *LEVELS), [MEAN_FLOW, LEVELS]),
    )


def _read_scales(
    path: Path, known: tuple[str, ...], needed: list[tuple[str, ...]]
) -> dict[str, float]:
    """Read lines with a field's name and its scale, 1 if not given.

    The names must include one of the tuples in `needed`.
    """
    if not path.is_file():
        raise EngineError(f"EMULATOR: the list of fields {path} does not exist: {REMEDY}")
    scales: dict[str, float] = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                name, value = (*line.split(), "1")[:2]
                scales[name] = float(value)
    except ValueError as error:
        raise EngineError(
            f"EMULATOR: {path} is not a list of fields ({error}): {REMEDY}"
        ) from error
    complete = any(set(names) <= set(scales) for names in needed)
    positive = all(np.isfinite(value) and value > 0 for value in scales.values())
    if not (set(scales) <= set(known) and complete and positive):
        demands = " or ".join(" and ".join(names) for names in needed)
        raise EngineError(
            f"EMULATOR: {path} lists the fields {', '.join(scales) or 'none'}; this version "
            f"supports {', '.join(known)} with positive scales, and needs {demands}: {REMEDY}"
        )
    return scales
