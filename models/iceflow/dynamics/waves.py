"""Detection of numerical oscillations from too long time steps.

Thickness evolves by diffusion as well as by advection, and a time step that the speed allows may be
too long for the diffusion. Then ∇·(ū h) oscillates from step to step, in more and more cells. In a
simulation of the Aletsch glacier over a century with a CFL number of 0.3, at most 6 of 9300 cells
oscillate by 5 m a⁻¹. At 0.5 and 0.7 a few hundred do in the first steps, while the given surface
adjusts, and then as few; at 1, one tenth of the cells do throughout.
"""

from __future__ import annotations

import torch
from torch import Tensor

SWING = 5.0
"""Least change of ∇·(ū h) from step to step that counts, m a⁻¹."""
SHARE = 0.001
"""Least share of oscillating cells of the ice."""
FEW = 4
"""Number of oscillating cells that is always allowed, for the margin of small glaciers."""
LASTING = 10
"""Number of consecutive steps; the first steps from a given geometry may oscillate."""


class Waves:
    """Observes ∇·(ū h) of a run, step by step."""

    def __init__(self) -> None:
        self._last: Tensor | None = None
        self._change: Tensor | None = None
        self._row: Tensor | None = None
        self._longest: Tensor | None = None

    @property
    def found(self) -> bool:
        """Whether oscillations have persisted."""
        return self._longest is not None and int(self._longest) >= LASTING

    def see(self, divergence: Tensor, ice: Tensor) -> None:
        """Process one step, on the device.

        Args:
            divergence: ∇·(ū h) in m a⁻¹.
            ice: True in cells with ice.
        """
        change = None if self._last is None else divergence - self._last
        if change is not None and self._change is not None:
            back = change * self._change < -(SWING**2)
            much = (back & ice).sum() > FEW + SHARE * ice.sum()
            row = torch.zeros_like(much, dtype=torch.int32) if self._row is None else self._row
            self._row = torch.where(much, row + 1, 0)
            longest = self._row if self._longest is None else self._longest
            self._longest = torch.maximum(longest, self._row)
        self._last, self._change = divergence, change
