"""The energy of a glacier is least for its flow, whoever solved it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from glacier_qgis.models.iceflow.teaching.energy import Unsolved
from glacier_qgis.models.iceflow.teaching.states.solved import Solved, solve, unsolved
from glacier_qgis.models.iceflow.teaching.states.states import random_state


@pytest.fixture(scope="module")
def solved() -> list[Solved]:
    """Return small glaciers with their flow, one that slides and one that does not."""
    found = []
    for seed, c in ((1, 0.0), (2, 20.0)):
        state = random_state(np.random.default_rng(seed), 20, cell_size=100.0)
        full = np.full_like(state.thickness, c)
        found.append(solve(replace(state, sliding=full)))
    return found


def levels(solved: Solved) -> torch.Tensor:
    """Return velocities in the order of energy: bed, mean, surface."""
    return solved.velocity[[1, 0, 2]].float()


def test_the_flow_has_less_energy_than_others(solved: list[Solved]) -> None:
    for state in solved:
        energy = Unsolved.of(state)
        true = levels(state)
        least = float(energy.energy(true))
        assert -1.1 < least < -1  # a rough guess is -1
        ripples = 1 + 0.3 * torch.randn(true.shape[-2:], generator=torch.manual_seed(0))
        for other in (0.6 * true, 1.5 * true, ripples * true, true.flip(1), 0 * true):
            assert float(energy.energy(other)) > least


def test_it_needs_no_solution_and_knows_no_scale(solved: list[Solved]) -> None:
    state = solved[1]
    twice = replace(
        state,
        cell_size=2 * state.cell_size,
        thickness=2 * state.thickness,
        surface=2 * state.surface,
        sliding=2 * state.sliding,
    )
    blind = replace(twice, velocity=torch.full_like(state.velocity, torch.nan))
    assert not blind.solved
    assert state.solved
    here, there = Unsolved.of(state), Unsolved.of(blind)
    one, other = (float(here.energy(levels(state))), float(there.energy(16 * levels(state))))
    assert other * there.unit == pytest.approx(one * here.unit, rel=1e-3)
    assert there.unit == pytest.approx(here.unit, rel=0.05)  # guesses may be a step apart


def test_the_best_multiple_of_the_flow_is_about_the_flow(solved: list[Solved]) -> None:
    factors = np.linspace(0.7, 1.3, 61)
    for state, tolerance in zip(solved, (0.011, 0.011), strict=True):
        energy = Unsolved.of(state)
        values = [float(energy.energy(factor * levels(state))) for factor in factors]
        assert factors[int(np.argmin(values))] == pytest.approx(1, abs=tolerance)


def test_its_gradient_leads_to_less_energy(solved: list[Solved]) -> None:
    for state in solved:
        energy = Unsolved.of(state)
        velocity = (0.5 * levels(state)).requires_grad_()
        before = energy.energy(velocity)
        before.backward()  # type: ignore[no-untyped-call]
        assert velocity.grad is not None
        assert bool(torch.isfinite(velocity.grad).all())
        step = 1e-3 * float(velocity.detach().norm() / velocity.grad.norm())
        after = energy.energy((velocity - step * velocity.grad).detach())
        assert float(after) < float(before.detach())


def test_a_state_without_a_solution_says_so() -> None:
    state = random_state(np.random.default_rng(3), 20, cell_size=100.0)
    assert not unsolved(state).solved
