"""The interface of emulators: their card and their call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Range = tuple[float, float]
"""Least and greatest value, both included."""

UNITS = {
    "thk": "m",
    "usurf": "m",
    "slopsurfx": "1",
    "slopsurfy": "1",
    "arrhenius": "MPa-3 a-1",
    "slidingco": "km MPa-3 a-1",
    "strflowctrl": "MPa-3 a-1 + km MPa-3 a-1",
    "tau_ref": "MPa",
    "dX": "m",
}
"""Every input field that a network may need, with its unit; x is east, y is north."""

OUTPUTS = ("uvelbase", "vvelbase", "ubar", "vbar", "uvelsurf", "vvelsurf")
"""Every velocity that an emulator may predict, m a⁻¹: at the bed, depth-averaged, at the surface; u
eastward, v northward."""
MEAN_FLOW = ("ubar", "vbar")

SAME_CELL = 1.25
"""Ratio of cell sizes up to which grids count as equal; slopes change little up to there."""


@dataclass(frozen=True)
class Card:
    """Description of an emulator.

    Attributes:
        name: as in the catalogue.
        inputs: names of the network's input fields, in its order; units are in `UNITS`.
        outputs: names of the predicted velocities, in m a⁻¹.
        cell_sizes: valid cell sizes, m; None if not known.
        hull: bounds of the training data by name of an input or output, in its unit.
        radius: cells beyond which no input changes an output; None if every cell may have an
            effect.
        caveat: warning to the user; blank if there is none.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    cell_sizes: Range | None
    hull: Mapping[str, Range] = field(default_factory=dict)
    radius: int | None = None
    caveat: str = ""


FlowCoefficient = float | Tensor
"""One number for all cells, or a field, (rows, columns), north-up."""


class FlowParameters(NamedTuple):
    """What an emulator takes beside the shape of the ice.

    Attributes:
        cell_size: Edge of a cell, m.
        rate_factor: A of Glen's law, MPa⁻³ a⁻¹.
        sliding: c of Weertman's law, km MPa⁻³ a⁻¹.
    """

    cell_size: float
    rate_factor: FlowCoefficient
    sliding: FlowCoefficient

    def changed(self, change: Callable[[Tensor], Tensor]) -> FlowParameters:
        """Return the parameters with their fields changed; numbers stay as they are."""
        rate_factor, sliding = (
            change(value) if isinstance(value, Tensor) else value
            for value in (self.rate_factor, self.sliding)
        )
        return FlowParameters(self.cell_size, rate_factor, sliding)

    def within(self, rows: slice, columns: slice) -> FlowParameters:
        """Return the parameters of a window of the grid."""
        return self.changed(lambda field: field[..., rows, columns])


class Core(Protocol):
    """An emulator: fields in their physical units in, velocities out."""

    card: Card

    def __call__(self, thickness: Tensor, surface: Tensor, parameters: FlowParameters) -> Tensor:
        """Return velocities in m a⁻¹, shaped (glacier, output of `card`, row, column).

        Args:
            thickness: h in m, north-up, (glacier, row, column).
            surface: s in m, the same.
            parameters: The cell size and the coefficients of the ice.
        """

    def to(self, device: torch.device) -> object:
        """Move to a device."""


@runtime_checkable
class SelectiveCore(Core, Protocol):
    """An emulator that can predict only the wanted cells, which is faster on a CPU."""

    def chosen(
        self,
        thickness: Tensor,
        surface: Tensor,
        parameters: FlowParameters,
        wanted: npt.NDArray[np.bool_],
        ground: Tensor | None = None,
        threads: int = 1,
    ) -> Tensor:
        """Return velocities in the cells where `wanted` is True: (output, cell), m a⁻¹.

        Args:
            thickness: h in m, north-up, (row, column).
            surface: s in m.
            parameters: The cell size and the coefficients of the ice.
            wanted: True in the wanted cells, (row, column); at least one.
            ground: Surface without ice, m, if it is the same in every call; features of it may then
                be cached. It must not be modified.
            threads: Number of threads.
        """
