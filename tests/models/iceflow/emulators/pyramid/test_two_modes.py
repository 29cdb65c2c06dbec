"""Steps towards the balance of forces in ice with two modes, and the multigrid cycle in them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, max_pool2d, pad

from glacier_qgis.models.iceflow.emulators.fields import walled
from glacier_qgis.models.iceflow.emulators.pyramid.membrane import (
    Level,
    Matrix,
    cycle,
    hierarchy,
    levels,
)
from glacier_qgis.models.iceflow.emulators.pyramid.mesh import Changes, Mesh, coarser
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
    fields = (thickness / cell, level / cell, everywhere, c)
    shape = (field[None].float() for field in fields)
    return Glaciers.of(*shape, everywhere[None] > 0, LEVELS)


def whole(rows: int, columns: int) -> Mesh:
    return Mesh.of(torch.ones(1, rows - 1, columns - 1, dtype=torch.bool))


def holed(rows: int, columns: int) -> Mesh:
    """Return a mesh with a hole and a bay."""
    exists = torch.ones(2, rows - 1, columns - 1, dtype=torch.bool)
    exists[0, 2:-2, 2:-2] = False
    exists[0, -3:, 3:] = False
    exists[1] = moved(exists[0], 6) if rows == columns else exists[0].flip(0)
    return Mesh.of(exists)


def moved_by(glaciers: Glaciers, steps: int, pace: float = 1.2) -> Tensor:
    """Return the velocity after some steps from rest, (modes, directions, rows, columns)."""
    velocity = torch.zeros_like(glaciers.load)
    for _ in range(steps):
        velocity = velocity + pace * glaciers.balanced(velocity)
    return glaciers.mesh.rasters(velocity)[:, 0].unflatten(0, (2, 2)).transpose(0, 1)


@pytest.mark.parametrize("mesh", [whole(7, 6), whole(2, 2), holed(12, 9), holed(9, 9)])
def test_corners_get_what_elements_take(mesh: Mesh) -> None:
    """Transposes: (Du, p) = (u, Dᵀp)."""
    exists, cells = mesh.exists.double(), len(mesh.cells)
    u = noise(3, cells)
    parts = Changes(*(noise(4, 3, len(exists)) * exists))
    inside = sum(
        float((one * other).sum()) for one, other in zip(mesh.changes(u), parts, strict=True)
    )
    assert inside == pytest.approx(float((u * mesh.gathered(parts)).sum()))
    assert float((mesh.changes(u).mean * parts.mean).sum()) == pytest.approx(
        float((u * mesh.corners(parts.mean)).sum()) / 4
    )
    flat = Changes(parts.east, parts.north, parts.warp, torch.zeros_like(parts.mean))
    torch.testing.assert_close(
        mesh.pulled(parts.east, parts.north, parts.warp), mesh.gathered(flat)
    )


@pytest.mark.parametrize("mesh", [whole(6, 8), holed(11, 11)])
def test_elements_know_linear_fields_and_their_sides(mesh: Mesh) -> None:
    rows, columns = torch.meshgrid(*map(torch.arange, mesh.shape[1:]), indexing="ij")
    fields = torch.stack([3 * columns - 2 * rows, rows * columns]).double()
    listed = mesh.picked(fields[:, None].expand(-1, mesh.shape[0], -1, -1))
    east, north, warp, mean = (part[:, mesh.exists] for part in mesh.changes(listed))
    assert (east[0] == 6).all()
    assert (north[0] == 4).all()  # row 0 is the north
    assert (warp[0] == 0).all()
    assert (warp[1] == -1).all()
    middle = (fields[0, :-1, :-1] + fields[0, 1:, 1:]) / 2
    both = mesh.between(middle.expand(1, mesh.shape[0], -1, -1))
    torch.testing.assert_close(mean[0], both[0, mesh.exists])


def test_a_mesh_holds_the_corners_of_its_elements_alone() -> None:
    mesh = holed(12, 9)
    exists = mesh.on_grid(mesh.exists[None].double())[0]
    around = avg_pool2d(pad(exists, (1, 1, 1, 1))[:, None], 2, stride=1)[:, 0] > 0
    assert torch.equal(mesh.cells, around.flatten().nonzero().flatten())
    assert float(exists.sum()) == float(mesh.exists.sum())


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
    mesh = whole(48, 40)
    free = torch.ones(4, 48 * 40)
    viscosity = torch.tensor([1.0, 0.8, 0.7])[:, None] * (0.5 + torch.rand(1, 1 + 48 * 40))
    drag = torch.tensor([1e-3, 0.05, 1e-3, 0.05])[:, None] * free
    below = levels(Level(mesh, free), LEVELS)
    matrices = hierarchy(Matrix.of(below[0], viscosity * mesh.exists, drag), below[1:])
    true = torch.randn(4, 1, 6, 5).repeat_interleave(8, 2).repeat_interleave(8, 3).flatten(1)
    nothing = torch.zeros_like(true)
    forces = -matrices[0].rest(nothing, true)
    found = cycle(matrices, forces)
    for _ in range(3):
        found = found + cycle(matrices, matrices[0].rest(forces, found))
    swept = nothing
    for _ in range(40):
        swept = matrices[0].relaxed(matrices[0].rest(forces, swept), swept)
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
    bare = max_pool2d((thickness > 0).double()[None], 3, stride=1, padding=1)[0] == 0
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


def test_ice_that_fills_no_element_does_not_move() -> None:
    ice = torch.zeros(1, 5, 6)
    ice[0, 2, 3] = 0.5
    nowhere = torch.zeros(1, 5, 6, dtype=torch.bool)
    nowhere[0, 2, 3] = True
    alone = Glaciers.of(ice, ice + 20, torch.ones_like(ice), torch.ones_like(ice), nowhere, LEVELS)
    assert float(moved_by(alone, 2).abs().max()) == 0
