"""The flow that an instructor finds, for a glacier that evolves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.instructors.instructor import Instructor
from glacier_qgis.models.iceflow.instructors.solution import Solution
from glacier_qgis.models.iceflow.velocity.flow import NoFlowFoundError


@dataclass(frozen=True)
class Known:
    """A state, m, with its solution."""

    thickness: Tensor
    surface: Tensor
    solution: Solution

    def apart(self, thickness: Tensor) -> float:
        """Return how far another thickness is from this one, as a norm, m."""
        return float((thickness - self.thickness).norm())


@dataclass
class InstructedFlow:
    """A :class:`~glacier_qgis.models.iceflow.velocity.flow.Flow` that an instructor finds.

    Each state begins with the solution of the closest one known, and from rest if that leads
    nowhere.

    Attributes:
        instructor: what finds it.
        place: names a cell on the map, from its row and column, for messages.
        glaciers: how many evolve side by side: so many states are remembered.
    """

    instructor: Instructor
    place: Callable[[int, int], str]
    glaciers: int = 1
    _known: list[Known] = field(default_factory=list)

    def __call__(self, thickness: Tensor, surface: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`~glacier_qgis.models.iceflow.velocity.flow.Flow`."""
        several = thickness.reshape(-1, *thickness.shape[-2:])
        states = zip(several, surface.reshape(several.shape), strict=True)
        means = torch.stack([self.solution(h, s).mean for h, s in states], dim=1)
        u, v = means.to(thickness).reshape(2, *thickness.shape)
        return u, v

    def solution(self, thickness: Tensor, surface: Tensor) -> Solution:
        """Return all that the instructor finds for one state, m, (rows, columns).

        Raises:
            NoFlowFoundError: It does not converge.
        """
        closest = min(self._known, key=lambda known: known.apart(thickness), default=None)
        if closest is None:
            found = self.instructor.solve(thickness, surface)
        elif torch.equal(closest.thickness, thickness) and torch.equal(closest.surface, surface):
            return closest.solution
        else:
            found = self.instructor.solve(thickness, surface, closest.solution.modes)
            if found.residual > self.instructor.tolerance:
                found = self.instructor.solve(thickness, surface)
        if not found.residual <= self.instructor.tolerance:
            raise NoFlowFoundError(self._complaint(found))
        self._remember(Known(thickness, surface, found), closest)
        return found

    def _remember(self, state: Known, closest: Known | None) -> None:
        if closest is not None and len(self._known) >= self.glaciers:
            self._known = [known for known in self._known if known is not closest]
        self._known.append(state)

    def _complaint(self, found: Solution) -> str:
        where = f", most at {self.place(*found.worst)}" if found.worst else ""
        return (
            f"{self.instructor.name} did not converge: after {found.steps} steps of Newton's "
            f"method the forces are out of balance by {found.residual:.2g} of the driving "
            f"stress{where}, and {self.instructor.tolerance:g} was asked for."
        )
