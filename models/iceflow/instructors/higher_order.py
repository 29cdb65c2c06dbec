"""Blatter-Pattyn ice in metres and years.

Three modes or more resolve the vertical, two are MOLHO, and one is the shallow shelf, which
slides and does not deform.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.instructors.column import Column, column
from glacier_qgis.models.iceflow.instructors.energy import Energy
from glacier_qgis.models.iceflow.instructors.newton import Minimum, minimise
from glacier_qgis.models.iceflow.instructors.problem import Problem
from glacier_qgis.models.iceflow.instructors.solution import Solution

FEW_MODES = 2
ROUGH = 1e-2
"""Residual of the solution with few modes, which is the start for many modes."""


def higher_order(
    thickness: Tensor,
    surface: Tensor,
    cell_size: float,
    rate_factor: float | Tensor,
    sliding: float | Tensor,
    *,
    modes: int = 4,
    tolerance: float = 1e-4,
    start: Tensor | None = None,
) -> Solution:
    """Solve the Blatter-Pattyn equations on a regular grid.

    At the border of the grid ice ends free of longitudinal stress.

    Args:
        thickness: h in m, (rows, columns), north-up.
        surface: s in m.
        cell_size: Δ in m.
        rate_factor: A of Glen's law in MPa⁻³ a⁻¹, one or of each cell.
        sliding: c of Weertman's law u_b = c τ_b³ in km MPa⁻³ a⁻¹, one or of each cell; 0 where
            the ice does not slide.
        modes: of the vertical (:mod:`~glacier_qgis.models.iceflow.instructors.column`).
        tolerance: residual to reach.
        start: the `modes` of the solution of a similar state, to begin with; from rest by default.

    Returns:
        The solution, in double precision on the device of `thickness`; check its `residual`.

    Raises:
        ValueError: the grid is one cell wide, or there are no such `modes`.
    """
    if min(thickness.shape) < 2:
        rows, columns = thickness.shape
        raise ValueError(
            f"Stresses need two cells in each direction; there are {rows} × {columns}."
        )
    if not bool((thickness > 0).any()):
        nothing = thickness.double().new_zeros(2, *thickness.shape)
        return Solution(nothing, nothing, nothing)
    problem = Problem.of(thickness, surface, cell_size, rate_factor, sliding, modes)
    energy, ice = problem.energy, problem.ice
    if start is None:
        minimum = _minimum(energy, tolerance)
    else:
        minimum = minimise(energy, tolerance, problem.inward(start))
    velocity = problem.outward(minimum.velocity)
    mean, base, top = (
        torch.where(ice, level, 0.0) for level in _at_heights(velocity, energy.column)
    )
    worst = problem.place(minimum.worst)
    return Solution(mean, base, top, minimum.residual, minimum.steps, worst, velocity)


def _minimum(energy: Energy, tolerance: float) -> Minimum:
    """Return the minimum; many modes, which cost more, start from a rough solution with few."""
    if energy.column.modes <= FEW_MODES:
        return minimise(energy, tolerance)
    few = column(FEW_MODES, energy.load.device)
    rough = minimise(replace(energy, column=few), max(ROUGH, tolerance))
    fine = minimise(energy, tolerance, rough.velocity)
    return replace(fine, steps=rough.steps + fine.steps)


def _at_heights(velocity: Tensor, vertical: Column) -> tuple[Tensor, Tensor, Tensor]:
    """Return the mean over depth, at the bed and at the surface, each (2, rows, columns)."""
    modes = velocity.reshape(vertical.modes, 2, *velocity.shape[1:])
    mean, surface = (
        torch.einsum("k,kcyx->cyx", weights, modes)
        for weights in (vertical.means, vertical.surface)
    )
    return mean, modes[0], surface
