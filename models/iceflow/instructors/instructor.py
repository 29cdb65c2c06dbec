"""The instructors by name, asked alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor

from glacier_qgis.models.iceflow.instructors.higher_order import higher_order
from glacier_qgis.models.iceflow.instructors.hybrid import hybrid
from glacier_qgis.models.iceflow.instructors.shallow_ice import diffusivity, relaxation, shallow_ice
from glacier_qgis.models.iceflow.instructors.solution import Solution

InstructorName = Literal["Blatter-Pattyn", "hybrid SIA + SSA", "SIA"]
INSTRUCTORS: tuple[InstructorName, ...] = get_args(InstructorName)
DIFFUSIVE_SHARE = 0.25
"""Δt D/Δx² of shallow ice. Linear theory allows 0.5: along the slope ice spreads with n D, across
it with D, and slopes are differences over two cells."""


@dataclass(frozen=True)
class Instructor:
    """A physical model of ice on a grid, with all that it needs beside the shape of the ice.

    Attributes:
        name: which one.
        cell_size: Δ in m.
        rate_factor: A of Glen's law, MPa⁻³ a⁻¹, one or of each cell.
        sliding: c of Weertman's law, km MPa⁻³ a⁻¹, one or of each cell; 0 = no sliding.
        modes: vertical modes of Blatter-Pattyn.
        tolerance: residual to reach.
    """

    name: InstructorName
    cell_size: float
    rate_factor: float | Tensor
    sliding: float | Tensor
    modes: int = 4
    tolerance: float = 1e-4

    def solve(self, thickness: Tensor, surface: Tensor, start: Tensor | None = None) -> Solution:
        """Return the velocity of ice; thickness and surface in m, (rows, columns), north-up.

        Args:
            thickness: h.
            surface: s.
            start: the `modes` of the solution of a similar state; from rest by default.
        """
        h, s = thickness.double(), surface.double()
        more = self.cell_size, self.rate_factor, self.sliding
        match self.name:
            case "Blatter-Pattyn":
                return higher_order(
                    h, s, *more, modes=self.modes, tolerance=self.tolerance, start=start
                )
            case "hybrid SIA + SSA":
                return hybrid(h, s, *more, tolerance=self.tolerance, start=start)
            case "SIA":
                return shallow_ice(h, s, *more)

    def longest_step(self, thickness: Tensor, surface: Tensor) -> float:
        """Return how long an explicit time step may be for ice that spreads by diffusion, a.

        The flow of shallow ice depends on the slope of each place alone, and that of the hybrid as
        far as it deforms. Longitudinal stresses slow bumps down that are short against the
        thickness (:func:`relaxation`), so that Blatter-Pattyn spreads so on large cells only.
        """
        sliding = self.sliding if self.name == "SIA" else 0.0
        shape = thickness.double(), surface.double(), self.cell_size
        spread = diffusivity(*shape, self.rate_factor, sliding)
        if self.name == "Blatter-Pattyn":
            spread = spread * relaxation(thickness.double(), self.cell_size)
        most = float(spread.max())
        return DIFFUSIVE_SHARE * self.cell_size**2 / most if most else math.inf

    @property
    def facts(self) -> dict[str, str]:
        """Facts on the emulator for the provenance of results, by name."""
        words: dict[str, str] = {"INSTRUCTOR": self.name}
        if self.name == "Blatter-Pattyn":
            words["INSTRUCTOR_MODES"] = str(self.modes)
        if self.name != "SIA":
            words["INSTRUCTOR_TOLERANCE"] = f"{self.tolerance:g}"
        return words
