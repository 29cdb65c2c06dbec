"""Waves that grow where time steps are too long for the ice to spread smoothly.

Thickness moves like the diffusion of a bump as well as with the flow, and a step that the speed
allows may be too long for that. Then ∇·(ū h) overshoots: it swings up in one step and down in the
next, in more and more cells. On the Aletsch glacier, growing for a century with a CFL number of
0.3, at most 6 of 9300 cells do so by 5 m a⁻¹; at 0.5 and 0.7 a few hundred do in the first steps,
while the given surface settles, and then as few; at 1 they are a tenth and stay.
"""

from __future__ import annotations

import torch
from torch import Tensor

SWING = 5.0
"""m a⁻¹; smaller changes of ∇·(ū h) from step to step do not count."""
SHARE = 0.001
"""Share of the ice that must swing."""
FEW = 4
"""Cells that may swing beside that share, as single ones do at the margin of small glaciers."""
LASTING = 10
"""Steps in a row; the first steps from a given shape of the ice may swing while it settles."""


class Waves:
    """Follows ∇·(ū h) of a run, step by step."""

    def __init__(self) -> None:
        self._last: Tensor | None = None
        self._change: Tensor | None = None
        self._row: Tensor | None = None
        self._longest: Tensor | None = None

    @property
    def found(self) -> bool:
        """Whether waves have lasted."""
        return self._longest is not None and int(self._longest) >= LASTING

    def see(self, divergence: Tensor, ice: Tensor) -> None:
        """Look at a step, without leaving the device.

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
