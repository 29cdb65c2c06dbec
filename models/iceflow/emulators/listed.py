"""Networks whose fields are named in two lists beside them, `fieldin.dat` and `fieldout.dat`."""

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
from glacier_qgis.models.iceflow.emulators.fields import friction, reference_stress, stack_fields

Network = Callable[[Tensor], Tensor]
"""From (batch, field, row, column) to the same with the network's outputs."""

LEVELS = ("U", "V")
"""Outputs of a network that gives velocities on levels from the bed to the surface."""
SOFTNESS = "arrhenius"
"""The input that some networks on levels take once a level."""
STRETCH = 4.0
"""Of the levels: how much thinner the lowest layer is than an even one (IGM's vert_spacing)."""
LEAST_SLIDING = 1.0
"""c, km MPa⁻³ a⁻¹, that stands in for less where the friction would grow without bound."""
UNRELIABLE = (
    "its authors retrain it on the glacier at hand while they use it, which is not done here; "
    "without that it is unreliable. Prefer another EMULATOR."
)
CURE = (
    "give the folder of an emulator, with model.h5 (or model.keras), fieldin.dat and "
    "fieldout.dat in it, or a .keras file of the dahunet family."
)


@dataclass(frozen=True)
class FieldLists:
    """Names and scales of a network's fields, in its order; 1 where the list gives no scale.

    Attributes:
        inputs: What it takes in.
        outputs: What it gives.
        softness_levels: How many fields in a row are the rate factor, from the bed to the surface.
    """

    inputs: Mapping[str, float]
    outputs: Mapping[str, float]
    softness_levels: int = 1

    @property
    def on_levels(self) -> bool:
        """Whether the network gives U and V on levels."""
        return tuple(self.outputs) == LEVELS

    @property
    def channels(self) -> list[tuple[str, float]]:
        """Name and scale of each field that the network takes in."""
        return [
            field
            for field in self.inputs.items()
            for _ in range(self.softness_levels if field[0] == SOFTNESS else 1)
        ]

    def fitted(self, weights: Path, inputs: int, outputs: int) -> FieldLists:
        """Return the lists for a network of so many fields.

        A network on levels may take the rate factor on each of them.

        Raises:
            EngineError: They do not belong to it.
        """
        levels = outputs // 2
        fits = outputs >= 2 * len(LEVELS) and outputs % 2 == 0
        lists = self
        if self.on_levels and SOFTNESS in self.inputs and inputs == len(self.inputs) + levels - 1:
            lists = replace(self, softness_levels=levels)
        if inputs != len(lists.channels) or not (fits if self.on_levels else self._counts(outputs)):
            raise EngineError(
                f"EMULATOR: {weights} maps {inputs} fields to {outputs}, but the lists beside it "
                f"name {len(self.inputs)} and {len(self.outputs)}: they belong to different "
                f"emulators; {CURE}"
            )
        return lists

    def _counts(self, outputs: int) -> bool:
        return outputs == len(self.outputs)


class ListedCore(nn.Module):
    """A network with the scaling that its lists name.

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
        """Put `network`, which gives so many `channels`, behind the interface.

        Args:
            name: as in the catalogue.
            weights: its file; the folder's name is the cell size of training, m.
            lists: its fields.
            network: maps scaled fields to scaled answers.
            channels: number of the network's answers.
            radius: reach of the network in cells, slopes not included; None if not known.
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
        """Return what the network takes in: (glacier, field, row, column)."""
        cell_size, rate_factor, sliding = parameters
        numbers = {
            SOFTNESS: rate_factor,
            "slidingco": sliding,
            "strflowctrl": rate_factor + sliding,
            "tau_ref": reference_stress(max(sliding, LEAST_SLIDING)),
        }
        if "usurf" in self.card.inputs:
            numbers["slidingco"] = friction(max(sliding, LEAST_SLIDING))
        fields = stack_fields(self._names, thickness, surface, cell_size, numbers)
        return fields / self.scales


def list_card(name: str, folder: Path, lists: FieldLists, radius: int | None) -> Card:
    """Return the card of a network with such lists; the scales bound its training."""
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
    """Return how velocities are made of the network's answers: (velocity, answer)."""
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
    """Return the weights of levels in the mean over depth, by the trapezoidal rule.

    IGM's levels lie at ζ = (z/4)(1 + 3z) of the thickness, z evenly from 0 to 1.
    """
    even = np.linspace(0, 1, levels)
    layers = np.diff(even / STRETCH * (1 + (STRETCH - 1) * even))
    weights: np.ndarray = (np.append(layers, 0) + np.append(0, layers)) / 2
    return weights


def read_lists(weights: Path) -> FieldLists:
    """Read the lists beside a network's file.

    Raises:
        EngineError: One is missing, or is not a list of fields that are known.
    """
    return FieldLists(
        _read_scales(weights.with_name("fieldin.dat"), tuple(UNITS), [("thk",)]),
        _read_scales(weights.with_name("fieldout.dat"), (*OUTPUTS, *LEVELS), [MEAN_FLOW, LEVELS]),
    )


def _read_scales(
    path: Path, known: tuple[str, ...], needed: list[tuple[str, ...]]
) -> dict[str, float]:
    """Read lines of a field's name and the number that it is scaled by, 1 if there is none.

    One of the tuples in `needed` must be among the names.
    """
    if not path.is_file():
        raise EngineError(f"EMULATOR: there is no {path}, which names the fields: {CURE}")
    scales: dict[str, float] = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                name, value = (*line.split(), "1")[:2]
                scales[name] = float(value)
    except ValueError as error:
        raise EngineError(f"EMULATOR: {path} is not a list of fields ({error}): {CURE}") from error
    complete = any(set(names) <= set(scales) for names in needed)
    positive = all(np.isfinite(value) and value > 0 for value in scales.values())
    if not (set(scales) <= set(known) and complete and positive):
        demands = " or ".join(" and ".join(names) for names in needed)
        raise EngineError(
            f"EMULATOR: {path} lists the fields {', '.join(scales) or 'none'}; this version knows "
            f"{', '.join(known)} with positive scales, and needs {demands}: {CURE}"
        )
    return scales
