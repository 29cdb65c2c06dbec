"""The energy, its derivatives and the solver, in units of cells."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd import grad

from glacier_qgis.models.iceflow.instructors.column import MOST_MODES, column
from glacier_qgis.models.iceflow.instructors.elements import Elements, Ice
from glacier_qgis.models.iceflow.instructors.energy import Energy
from glacier_qgis.models.iceflow.instructors.matrix import newton_matrix
from glacier_qgis.models.iceflow.instructors.newton import minimise
from glacier_qgis.models.iceflow.instructors.sparse import Couplings, dissection
from glacier_qgis.models.iceflow.instructors.state import Linearisation


def bumpy(periodic: bool = False, seed: int = 3) -> Ice:
    """Return ice with a hole, an island of one cell, rock without sliding, and a soft corner."""
    generator = torch.Generator().manual_seed(seed)
    thickness, surface, stiffness, friction = (
        torch.rand(7, 6, generator=generator, dtype=torch.float64) for _ in range(4)
    )
    thickness[2, 3] = 0
    thickness[4:, 3:] = 0
    thickness[6, 5] = 0.5
    friction[:3, :2] = math.inf
    return Ice(
        thickness=thickness,
        surface=thickness / 2 + surface / 3,
        stiffness=0.5 + stiffness,
        friction=friction,
        tilt=(-0.1, 0.05),
        periodic=periodic,
    )


def energy_of(ice: Ice, modes: int, exponent: float = 3.0) -> Energy:
    return Energy(Elements.of(ice), column(modes), 1e-6, 1e-14, exponent)


def some_velocity(energy: Energy) -> Tensor:
    generator = torch.Generator().manual_seed(8)
    values = torch.randn(energy.load.shape, generator=generator, dtype=torch.float64)
    return 0.1 * values * energy.unknown


def full(blocks: Tensor, couplings: Couplings, energy: Energy) -> Tensor:
    """Return a matrix in full, of the unknowns alone, by what it solves: A⁻¹ column by column."""
    unknown = energy.unknown.flatten()
    columns = []
    for index in unknown.nonzero().flatten():
        right = torch.zeros(unknown.shape, dtype=torch.float64)
        right[index] = 1
        solved = couplings.solve(blocks, right.reshape(energy.load.shape), energy.unknown)
        columns.append(solved.flatten()[unknown])
    return torch.linalg.inv(torch.stack(columns, dim=1))


@pytest.mark.parametrize("modes", range(1, MOST_MODES + 1))
def test_modes_vanish_at_the_bed_and_their_means_are_their_integrals(modes: int) -> None:
    vertical = column(modes)
    assert float(vertical.weights.sum()) == pytest.approx(1)
    torch.testing.assert_close(vertical.values @ vertical.weights, vertical.means)
    gram = (vertical.slopes * vertical.weights) @ vertical.slopes.T
    expected = torch.eye(modes, dtype=torch.float64)
    expected[0, 0] = 0
    torch.testing.assert_close(gram, expected, atol=1e-9, rtol=0)


def test_two_modes_hold_the_profile_of_shallow_ice() -> None:
    vertical = column(2)
    profile = 1 - (1 - vertical.heights) ** 4
    torch.testing.assert_close(vertical.values[1] / vertical.surface[1], profile)
    assert float(vertical.means[1] / vertical.surface[1]) == pytest.approx(4 / 5)


@pytest.mark.parametrize("modes", [0, MOST_MODES + 1])
def test_modes_that_do_not_exist_are_refused(modes: int) -> None:
    with pytest.raises(ValueError, match=f"not {modes}"):
        column(modes)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize(("modes", "exponent"), [(1, 3.0), (2, 3.0), (4, 1.0)])
def test_the_gradient_is_that_of_the_energy(modes: int, exponent: float, periodic: bool) -> None:
    energy = energy_of(bumpy(periodic), modes, exponent)
    velocity = some_velocity(energy).requires_grad_()
    (expected,) = grad(energy.value(velocity), velocity)
    torch.testing.assert_close(energy.gradient(velocity.detach()), expected)


@pytest.mark.slow
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize(("modes", "exponent"), [(1, 3.0), (3, 3.0), (2, 1.0)])
def test_the_matrix_is_the_derivative_of_the_gradient(
    modes: int, exponent: float, periodic: bool
) -> None:
    energy = energy_of(bumpy(periodic), modes, exponent)
    velocity = some_velocity(energy)
    couplings = Couplings(energy.elements.nodes, energy.elements.shape)
    blocks = newton_matrix(energy, couplings, Linearisation.moving(energy, velocity))
    jacobian = torch.autograd.functional.jacobian(energy.gradient, velocity)
    unknown = energy.unknown.flatten()
    size = unknown.numel()
    expected = jacobian.reshape(size, size)[unknown][:, unknown]
    torch.testing.assert_close(full(blocks, couplings, energy), expected, rtol=1e-7, atol=1e-7)


def test_the_first_step_from_rest_is_that_of_a_fixed_viscosity() -> None:
    energy = energy_of(bumpy(), 2)
    couplings = Couplings(energy.elements.nodes, energy.elements.shape)
    blocks = newton_matrix(energy, couplings, Linearisation.at_rest(energy))
    matrix = full(blocks, couplings, energy)
    torch.testing.assert_close(matrix, matrix.T, rtol=1e-7, atol=1e-9)
    assert float(torch.linalg.eigvalsh(matrix).min()) > 0


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (13, 6), (32, 17)])
def test_dissection_names_every_node_once(shape: tuple[int, int]) -> None:
    assert sorted(dissection(*shape)) == list(range(shape[0] * shape[1]))


def test_dissection_fills_less_than_rows_one_after_the_other() -> None:
    """Fill of the factors, counted by eliminating symbolically."""

    def fill(order: np.ndarray, side: int) -> int:
        row, column = np.divmod(np.arange(side**2), side)
        near = np.maximum(abs(row[:, None] - row), abs(column[:, None] - column)) <= 1
        pattern = near[order][:, order]
        for pivot in range(side**2):
            below = pivot + 1 + np.flatnonzero(pattern[pivot + 1 :, pivot])
            pattern[np.ix_(below, below)] = True
        return int(np.tril(pattern).sum())

    assert fill(dissection(40, 40), 40) < 0.75 * fill(np.arange(40**2), 40)


@pytest.mark.parametrize("exponent", [1.0, 3.0])
@pytest.mark.parametrize("periodic", [False, True])
def test_the_minimum_is_reached_to_rounding_and_is_one(periodic: bool, exponent: float) -> None:
    energy = energy_of(bumpy(periodic), 3, exponent)
    minimum = minimise(energy, 1e-10)
    assert minimum.residual < 1e-10
    lowest = float(energy.value(minimum.velocity))
    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        other = torch.randn(energy.load.shape, generator=generator, dtype=torch.float64)
        assert float(energy.value(minimum.velocity + 1e-2 * other * energy.unknown)) > lowest


def test_a_slab_slides_and_deforms_by_the_formula() -> None:
    """On an inclined plane u(z − s) has ∂u/∂x = −∂s/∂x ∂u/∂z, so that q = (¼ + |∇s|²) u_z²."""
    height, slope, beta = 0.8, 0.1, 0.3
    field = torch.ones(4, 5, dtype=torch.float64)
    ice = Ice(height * field, 0 * field, field, beta * field, tilt=(-slope, 0.0), periodic=True)
    energy = Energy(Elements.of(ice), column(2), 1e-16, 1e-20)
    velocity = minimise(energy, 1e-9).velocity.unflatten(0, (2, 2))
    stress = height * slope
    torch.testing.assert_close(velocity[0, 0], (stress / beta) ** 3 * field)
    deformed = energy.column.surface[1] * velocity[1, 0]
    expected = height * stress**3 / 2 / (1 + 4 * slope**2) ** 2
    torch.testing.assert_close(deformed, expected * field, rtol=1e-6, atol=0)
    assert float(velocity[:, 1].abs().max()) < 1e-12


def test_forces_on_periodic_ice_balance_as_a_whole() -> None:
    friction = torch.ones(7, 6, dtype=torch.float64)
    energy = energy_of(replace(bumpy(periodic=True), friction=friction), 3)
    base = energy.base(minimise(energy, 1e-10).velocity)
    drag = energy.points.friction * energy.speed(base) ** energy.drag_power * base
    weight = (energy.elements.drive * energy.elements.thickness).sum((1, 2)) / 4
    torch.testing.assert_close(drag.sum((1, 2)), -weight, rtol=1e-7, atol=1e-9)
