"""Blatter-Pattyn ice in metres and years.

Three modes or more resolve the vertical, two are MOLHO, and one is the shallow shelf, which
slides and does not deform.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.fields import walled
from glacier_qgis.models.iceflow.instructors.column import Column, column
from glacier_qgis.models.iceflow.instructors.elements import Elements, Ice
from glacier_qgis.models.iceflow.instructors.energy import Energy
from glacier_qgis.models.iceflow.instructors.newton import Minimum, minimise
from glacier_qgis.models.iceflow.instructors.solution import Solution
from glacier_qgis.models.iceflow.physics import GLEN, KILOMETRE, WEERTMAN, WEIGHT

FEW_MODES = 2
ROUGH = 1e-2
"""Residual of the solution with few modes, which is the start for many modes."""
SLOWEST_STRAIN = 1e-5
"""Strain rate, a⁻¹, below which the viscosity no longer increases."""
SLOWEST_SLIDING = 1e-3
"""Sliding speed, m a⁻¹, below which friction is linear."""

Window = tuple[slice, slice]


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
    h = thickness.double()
    ice = h > 0
    if not ice.any():
        nothing = h.new_zeros(2, *h.shape)
        return Solution(nothing, nothing, nothing)
    softness, slip = (
        torch.as_tensor(value, dtype=h.dtype, device=h.device).expand(h.shape)
        for value in (rate_factor, sliding)
    )
    typical = float(softness[ice].log().mean().exp())
    rate = typical * (WEIGHT * cell_size) ** GLEN  # the unit of strain rates, a⁻¹
    window = _window(ice)
    h, s, softness, slip = (
        field[window].flip(0) for field in (h, walled(h, surface.double()), softness, slip)
    )
    shape = Ice(
        thickness=h / cell_size,
        surface=s / cell_size,
        stiffness=(softness / typical) ** (-1 / GLEN),
        friction=(slip * KILOMETRE / (typical * cell_size)) ** (-1 / WEERTMAN),
    )
    vertical = column(modes, h.device)
    energy = Energy(
        Elements.of(shape),
        vertical,
        smoothing=(SLOWEST_STRAIN / rate) ** 2,
        slowest=(SLOWEST_SLIDING / (rate * cell_size)) ** 2,
    )
    unit = rate * cell_size
    if start is None:
        minimum = _minimum(energy, tolerance)
    else:
        minimum = minimise(energy, tolerance, start[:, *window].flip(1) / unit)
    velocity = h.new_zeros(2 * modes, *ice.shape)
    velocity[:, *window] = minimum.velocity.flip(1) * unit
    mean, base, top = (torch.where(ice, level, 0.0) for level in _at_heights(velocity, vertical))
    worst = _on_the_grid(minimum.worst, window, len(h))
    return Solution(mean, base, top, minimum.residual, minimum.steps, worst, velocity)


def _minimum(energy: Energy, tolerance: float) -> Minimum:
    """Return the minimum; many modes, which cost more, start from a rough solution with few."""
    if energy.column.modes <= FEW_MODES:
        return minimise(energy, tolerance)
    few = column(FEW_MODES, energy.load.device)
    rough = minimise(replace(energy, column=few), max(ROUGH, tolerance))
    fine = minimise(energy, tolerance, rough.velocity)
    return replace(fine, steps=rough.steps + fine.steps)


def _window(where: Tensor) -> Window:
    """Return the rows and columns of the ice with a margin of one cell within the grid."""
    rows, columns = (where.any(dim=axis).nonzero().flatten() for axis in (1, 0))
    return _widened(rows), _widened(columns)


def _widened(hit: Tensor) -> slice:
    return slice(max(int(hit[0]) - 1, 0), int(hit[-1]) + 2)


def _at_heights(velocity: Tensor, vertical: Column) -> tuple[Tensor, Tensor, Tensor]:
    """Return the mean over depth, at the bed and at the surface, each (2, rows, columns)."""
    modes = velocity.reshape(vertical.modes, 2, *velocity.shape[1:])
    mean, surface = (
        torch.einsum("k,kcyx->cyx", weights, modes)
        for weights in (vertical.means, vertical.surface)
    )
    return mean, modes[0], surface


def _on_the_grid(node: tuple[int, int], window: Window, rows: int) -> tuple[int, int]:
    """Return row and column on the whole grid, north-up, of a node of the window's `rows`."""
    return window[0].start + rows - 1 - node[0], window[1].start + node[1]
