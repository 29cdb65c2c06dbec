"""Steps towards the balance of forces in ice with two modes, and the multigrid cycle in them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.fields import walled
from glacier_qgis.models.iceflow.emulators.pyramid.membrane import (
    Changes,
    Matrix,
    changes,
    coarser,
    corners,
    cycle,
    gathered,
    hierarchy,
    means,
)
from glacier_qgis.models.iceflow.emulators.pyramid.pyramid import unit_speed
from glacier_qgis.models.iceflow.emulators.pyramid.two_modes import MEAN, Glaciers
from glacier_qgis.models.iceflow.instructors.higher_order import higher_order
from glacier_qgis.models.iceflow.physics import KILOMETRE
from glacier_qgis.models.iceflow.teaching.states.states import random_state
from glacier_qgis.models.networks.halving import halved
from glacier_qgis.models.networks.symmetric import ORDER, moved, moved_vectors

CELL, RATE = 100.0, 78.0
LEVELS = 6


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)


def glacier(cells: int = 40, cell_size: float = CELL) -> tuple[Tensor, Tensor]:
    """Return thickness and surface of a made glacier, m."""
    state = random_state(np.random.default_rng(8), cells, cell_size=cell_size)
    return torch.from_numpy(state.thickness), torch.from_numpy(state.surface)


def ice(thickness: Tensor, surface: Tensor, slip: Tensor | float, cell: float = CELL) -> Glaciers:
    everywhere = torch.ones_like(thickness)
    c = torch.as_tensor(slip) * everywhere * KILOMETRE / (RATE * cell)
    level = walled(thickness, surface)
    level = level - level.min()
    fields = (thickness / cell, level / cell, everywhere, c, everywhere)
    return Glaciers.of(*(field[None].float() for field in fields))


def moved_by(glaciers: Glaciers, steps: int, pace: float = 1.2) -> Tensor:
    """Return the velocity after some steps from rest, (modes, directions, rows, columns)."""
    velocity = torch.zeros_like(glaciers.load)
    for _ in range(steps):
        velocity = velocity + pace * glaciers.balanced(velocity, LEVELS)
    return velocity[:, 0].unflatten(0, (2, 2)).transpose(0, 1)


@pytest.mark.parametrize("shape", [(7, 6), (12, 9), (2, 2)])
def test_corners_get_what_elements_take(shape: tuple[int, int]) -> None:
    """Transposes: (Du, p) = (u, Dᵀp)."""
    u = noise(3, *shape)
    parts = Changes(*noise(3, 3, shape[0] - 1, shape[1] - 1))
    inside = sum(float((one * other).sum()) for one, other in zip(changes(u), parts, strict=True))
    assert inside == pytest.approx(float((u * gathered(parts)).sum()))
    assert float((means(u) * parts.east).sum()) == pytest.approx(
        float((u * corners(parts.east)).sum()) / 4
    )


def test_elements_know_linear_fields_and_their_sides() -> None:
    rows, columns = torch.meshgrid(torch.arange(6.0), torch.arange(8.0), indexing="ij")
    east, north, warp = changes(3 * columns - 2 * rows)  # row 0 is the north
    assert (east == 6).all()
    assert (north == 4).all()
    assert (warp == 0).all()
    assert (changes(rows * columns).warp == -1).all()


@pytest.mark.parametrize("shape", [(12, 16), (13, 16), (11, 9)])
def test_coarse_elements_are_between_coarse_cells(shape: tuple[int, int]) -> None:
    fine = torch.rand(1, shape[0] - 1, shape[1] - 1)
    coarse = coarser(fine)
    cells = halved(torch.zeros(1, 1, *shape))
    assert coarse.shape[1:] == (cells.shape[-2] - 1, cells.shape[-1] - 1)
    for symmetry in range(ORDER):
        torch.testing.assert_close(coarser(moved(fine, symmetry)), moved(coarse, symmetry))
    assert (coarser(torch.ones_like(fine)) == 1).all()


def test_a_cycle_leaves_little_of_the_forces() -> None:
    """Slippery ice, whose stresses reach far: a cycle beats ten times as many sweeps of Jacobi."""
    torch.manual_seed(0)
    free = torch.ones(4, 1, 48, 40)
    viscosity = torch.tensor([1.0, 0.8, 0.7]).view(3, 1, 1, 1) * (0.5 + torch.rand(1, 1, 47, 39))
    drag = torch.tensor([1e-3, 0.05, 1e-3, 0.05]).view(4, 1, 1, 1) * free
    matrices = hierarchy(Matrix.of(viscosity, drag, free), LEVELS)
    true = torch.randn(4, 1, 6, 5).repeat_interleave(8, 2).repeat_interleave(8, 3)
    nothing = torch.zeros_like(true)
    forces = -matrices[0].rest(nothing, true)
    found = cycle(matrices, forces)
    for _ in range(3):
        found = found + cycle(matrices, matrices[0].rest(forces, found))
    swept = nothing
    for _ in range(40):
        swept = swept + 0.65 * matrices[0].relaxed(matrices[0].rest(forces, swept))
    assert float((found - true).norm()) < 0.15 * float(true.norm())
    assert float((found - true).norm()) < 0.5 * float((swept - true).norm())


@pytest.mark.parametrize("c", [0.0, 12.0, 70.0])
def test_steps_lead_to_the_solution_with_two_modes(c: float) -> None:
    thickness, surface = glacier(32)
    true = higher_order(thickness, surface, CELL, RATE, c, modes=2)
    velocity = moved_by(ice(thickness, surface, c), 16) * unit_speed(CELL, RATE)
    mean = velocity[0] + MEAN * velocity[1]
    where = thickness > 0
    error = (mean - true.mean)[:, where].abs().sum() / true.mean[:, where].abs().sum()
    assert float(error) < 0.12
    if c == 0:
        assert float(velocity[0].abs().max()) == 0


def test_ice_slides_only_where_it_may() -> None:
    thickness, surface = glacier(56)
    slip = torch.full_like(thickness, 25.0)
    slip[:, 12:20] = 0
    sliding, deforming = moved_by(ice(thickness, surface, slip), 4)
    assert float(sliding[:, :, 12:20].abs().max()) == 0
    assert float(sliding.abs().max()) > 0
    bare = corners((means((thickness > 0).double()) > 0).double()) == 0
    assert float(deforming[:, bare].abs().max()) == 0


@pytest.mark.parametrize("cells", [32, 33])
def test_steps_turn_and_mirror_with_the_ice(cells: int) -> None:
    thickness, surface = glacier(cells)
    straight = moved_by(ice(thickness, surface, 12.0), 3)
    for symmetry in range(ORDER):
        turned = ice(moved(thickness, symmetry), moved(surface, symmetry), 12.0)
        torch.testing.assert_close(
            moved_by(turned, 3), moved_vectors(straight, symmetry), rtol=2e-3, atol=1e-5
        )


def test_uniform_ice_moves_as_shallow_ice() -> None:
    """In the middle of a wide slab nothing but its weight matters."""
    cells, h, slope, c = 48, 60.0, 0.1, 10.0
    thickness = torch.full((cells, cells), h, dtype=torch.float64)
    surface = (3000 - slope * CELL * torch.arange(cells, dtype=torch.float64))[:, None]
    found = moved_by(ice(thickness, surface.expand(cells, cells), c), 16)[..., 24, 24]
    stress = h / CELL * slope
    base = c * KILOMETRE / (RATE * CELL) * stress**3
    deformation = 2 / 5 * stress**3 * h / CELL
    assert float(found[0, 1]) == pytest.approx(-base, rel=0.02)
    assert MEAN * float(found[1, 1]) == pytest.approx(-deformation, rel=0.05)
    assert abs(float(found[0, 0])) < 1e-3 * base


@pytest.mark.parametrize("shape", [(2, 2), (2, 9), (3, 3), (5, 40)])
def test_narrow_grids_have_finite_velocities(shape: tuple[int, int]) -> None:
    thickness = torch.full(shape, 80.0, dtype=torch.float64)
    surface = 2000 + noise(*shape) * 5
    assert bool(moved_by(ice(thickness, surface, 6.0), 3).isfinite().all())
