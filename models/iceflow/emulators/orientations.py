"""An emulator's prediction averaged over the eight orientations of a square grid.

Physics is invariant to the orientation of the grid; a trained network is not exactly. The average
over all rotations and flips is.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.card import Core, FlowParameters, SelectiveCore

ORIENTATIONS = tuple((turns, mirrored) for mirrored in (False, True) for turns in range(4))
"""Counterclockwise rotations by 90°, after a flip of east and west."""


class Averaged:
    """Averages an emulator over eight orientations."""

    def __init__(self, core: Core) -> None:
        """Average over `core`."""
        self.core = core
        self.card = core.card
        self._pairs = _pairs(core.card.outputs)

    def __call__(self, thickness: Tensor, surface: Tensor, parameters: FlowParameters) -> Tensor:
        """See `Core`."""
        total: Tensor | None = None
        for turns, mirrored in ORIENTATIONS:
            ice = _turn(thickness, turns, mirrored=mirrored)
            height = _turn(surface, turns, mirrored=mirrored)
            turned = parameters.changed(partial(_turn, turns=turns, mirrored=mirrored))
            answer = self.core(ice, height, turned)
            answer = self._back(answer, turns, mirrored=mirrored)
            total = answer if total is None else total + answer
        return torch.as_tensor(total) / len(ORIENTATIONS)

    def to(self, device: torch.device) -> Averaged:
        """See `Core`."""
        self.core.to(device)
        return self

    def _back(self, answer: Tensor, turns: int, *, mirrored: bool) -> Tensor:
        """Rotate fields and vectors back; counterclockwise by 90°, (u, v) becomes (−v, u)."""
        fields = torch.rot90(answer, -turns, (-2, -1))
        fields = fields.flip(-1) if mirrored else fields
        result = torch.empty_like(fields)
        for east, north in self._pairs:
            u, v = fields[:, east], fields[:, north]
            for _ in range(turns):
                u, v = v, -u
            result[:, east], result[:, north] = -u if mirrored else u, v
        return result


class SelectivelyAveraged(Averaged):
    """The same for a `SelectiveCore`."""

    core: SelectiveCore

    def chosen(
        self,
        thickness: Tensor,
        surface: Tensor,
        parameters: FlowParameters,
        wanted: npt.NDArray[np.bool_],
        ground: Tensor | None = None,
        threads: int = 1,
    ) -> Tensor:
        """See `SelectiveCore`."""
        cells = torch.from_numpy(wanted)
        total = thickness.new_zeros((len(self.card.outputs), int(wanted.sum())))
        for turns, mirrored in ORIENTATIONS:
            ice, height, here = (
                _turn(field, turns, mirrored=mirrored) for field in (thickness, surface, cells)
            )
            fields = thickness.new_zeros((1, len(total), *here.shape))
            turned = parameters.changed(partial(_turn, turns=turns, mirrored=mirrored))
            fields[0, :, here] = self.core.chosen(
                ice, height, turned, here.numpy(), threads=threads
            )
            total += self._back(fields, turns, mirrored=mirrored)[0][:, cells]
        return total / len(ORIENTATIONS)


def mean_over_orientations(core: Core) -> Averaged:
    """Return an emulator averaged over the eight orientations."""
    return SelectivelyAveraged(core) if isinstance(core, SelectiveCore) else Averaged(core)


def _turn(field: Tensor, turns: int, *, mirrored: bool) -> Tensor:
    return torch.rot90(field.flip(-1) if mirrored else field, turns, (-2, -1)).contiguous()


def _pairs(outputs: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return the indices of (u, v) among the outputs."""
    return [
        (index, outputs.index("v" + name[1:]))
        for index, name in enumerate(outputs)
        if name.startswith("u")
    ]
