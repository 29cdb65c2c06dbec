"""The energy of a glacier on a grid, and how its unknowns lie there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.fields import walled
from glacier_qgis.models.iceflow.instructors.column import column
from glacier_qgis.models.iceflow.instructors.elements import Elements, Ice
from glacier_qgis.models.iceflow.instructors.energy import Energy
from glacier_qgis.models.iceflow.physics import GLEN, KILOMETRE, WEERTMAN, WEIGHT

SLOWEST_STRAIN = 1e-5
"""Strain rate, a⁻¹, below which the viscosity no longer increases."""
SLOWEST_SLIDING = 1e-3
"""Sliding speed, m a⁻¹, below which friction is linear."""

Window = tuple[slice, slice]


@dataclass(frozen=True)
class Problem:
    """The energy of Blatter-Pattyn ice in the smallest window around it.

    Attributes:
        energy: J of the modes' velocities, (2 modes, rows, columns) of the window, row 0 in the
            south, in units of speed of its own.
        window: rows and columns of the ice with a margin of one cell within the grid.
        ice: where there is any, (rows, columns) of the grid, north-up.
        unit: of speed, m a⁻¹.
    """

    energy: Energy
    window: Window
    ice: Tensor
    unit: float

    @classmethod
    def of(
        cls,
        thickness: Tensor,
        surface: Tensor,
        cell_size: float,
        rate_factor: float | Tensor,
        sliding: float | Tensor,
        modes: int,
    ) -> Problem:
        """Return the problem of a glacier, in double precision.

        Args:
            thickness: h in m, (rows, columns), north-up; there is ice somewhere.
            surface: s in m.
            cell_size: Δ in m.
            rate_factor: A of Glen's law in MPa⁻³ a⁻¹, one or of each cell.
            sliding: c of Weertman's law u_b = c τ_b³ in km MPa⁻³ a⁻¹, one or of each cell; 0 where
                the ice does not slide.
            modes: of the vertical (:mod:`~glacier_qgis.models.iceflow.instructors.column`).
        """
        h = thickness.double()
        ice = h > 0
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
        energy = Energy(
            Elements.of(shape),
            column(modes, h.device),
            smoothing=(SLOWEST_STRAIN / rate) ** 2,
            slowest=(SLOWEST_SLIDING / (rate * cell_size)) ** 2,
        )
        return cls(energy, window, ice, rate * cell_size)

    def inward(self, velocity: Tensor) -> Tensor:
        """Return the modes' velocities of the energy from those on the grid, m a⁻¹, north-up."""
        return velocity[:, *self.window].flip(1) / self.unit

    def outward(self, velocity: Tensor) -> Tensor:
        """Return the modes' velocities on the grid, m a⁻¹, north-up; zero beyond the window."""
        grid = velocity.new_zeros(len(velocity), *self.ice.shape)
        grid[:, *self.window] = velocity.flip(1) * self.unit
        return grid

    def place(self, node: tuple[int, int]) -> tuple[int, int]:
        """Return row and column on the grid, north-up, of a node of the energy."""
        rows, columns = self.window
        last = min(rows.stop, self.ice.shape[0]) - 1
        return last - node[0], columns.start + node[1]


def _window(where: Tensor) -> Window:
    rows, columns = (where.any(dim=axis).nonzero().flatten() for axis in (1, 0))
    return _widened(rows), _widened(columns)


def _widened(hit: Tensor) -> slice:
    return slice(max(int(hit[0]) - 1, 0), int(hit[-1]) + 2)
