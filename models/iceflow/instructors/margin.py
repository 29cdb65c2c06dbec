"""Nodes beside the ice, which move as its margin.

The elements of the ice reach to the next node outside, where a velocity that is known cell by cell
has no value. The nodes there take what has the least energy beside the ice as it moves, so that the
energy is that of the ice alone: it is least for the solution, and so is its gradient.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from glacier_qgis.models.iceflow.instructors.energy import Energy
from glacier_qgis.models.iceflow.instructors.newton import minimise
from glacier_qgis.models.iceflow.instructors.problem import Problem

TOLERANCE = 1e-3
"""Residual of the nodes beside the ice."""


@dataclass(frozen=True)
class Margin:
    """The elements that reach beyond the ice.

    Attributes:
        energy: of these elements; its unknowns are the nodes beside the ice.
        ice: which nodes have ice, (rows, columns).
    """

    energy: Energy
    ice: Tensor

    @classmethod
    def of(cls, problem: Problem) -> Margin:
        """Return that of a glacier."""
        ice = problem.ice[problem.window].flip(0)
        whole = problem.energy.elements
        reaching = ~ice.flatten()[whole.nodes].all(dim=0)
        elements = replace(
            whole,
            nodes=whole.nodes[:, reaching],
            touched=whole.touched & ~ice,
            sliding=whole.sliding & ~ice,
            thickness=whole.thickness[reaching],
            drive=whole.drive[:, reaching],
            lean=whole.lean[:, reaching],
            widening=whole.widening[:, reaching],
            stiffness=whole.stiffness[reaching],
            friction=whole.friction[reaching],
        )
        return cls(replace(problem.energy, elements=elements), ice)

    @torch.no_grad()
    def settled(self, velocity: Tensor, start: Tensor | None = None) -> Tensor:
        """Return the velocity of the nodes beside the ice, zero elsewhere.

        Args:
            velocity: of the modes, (2 modes, rows, columns); used where there is ice.
            start: an earlier result to begin with, where it has less energy than the mean of the
                ice beside.
        """
        unknown = self.energy.unknown
        inside = torch.where(self.ice, velocity, 0.0)
        if not bool(unknown.any()):
            return torch.zeros_like(inside)
        begin = self._spread(inside) * unknown
        if start is not None:
            earlier, mean = (self.energy.value(inside + one) for one in (start, begin))
            begin = start if bool(earlier < mean) else begin
        return minimise(self.energy, TOLERANCE, begin, fixed=inside).velocity * unknown

    def _spread(self, inside: Tensor) -> Tensor:
        share = avg_pool2d(self.ice.to(inside)[None], 3, 1, 1)
        return avg_pool2d(inside[None], 3, 1, 1)[0] / share.clamp(min=1 / 9)
