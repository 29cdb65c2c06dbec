"""Glaciers that evolve with the flow that an instructor finds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.dynamics.conservation import NO_ICE
from glacier_qgis.models.iceflow.dynamics.running import run, run_together
from glacier_qgis.models.iceflow.dynamics.simulation import MOST_HALVINGS, Simulation, Snapshot
from glacier_qgis.models.iceflow.instructors.instructor import (
    INSTRUCTORS,
    Instructor,
    InstructorName,
)
from glacier_qgis.models.iceflow.instructors.shallow_ice import relaxation
from glacier_qgis.models.iceflow.velocity.flow import NoFlowFoundError
from glacier_qgis.models.iceflow.velocity.instructed import InstructedFlow
from kit.iceflow.small_valley import tongue, valley

if TYPE_CHECKING:
    from kit.engine.listener import Listener

CELL, RATE, SLIDING = 100.0, 78.0, 3.0
BED = torch.from_numpy(valley(32, 24).astype(np.float32))
ICE = torch.from_numpy(tongue(32, 24).astype(np.float32))


def instructed(name: InstructorName = "Blatter-Pattyn", **options: float) -> InstructedFlow:
    settings = {"modes": 3, "tolerance": 1e-4} | options
    return InstructedFlow(
        Instructor(name, CELL, RATE, SLIDING, **settings), "row {}, column {}".format
    )


def glacier(flow: InstructedFlow, warmth: float = 0.0) -> Simulation:
    def balance(surface: Tensor, time: float) -> Tensor:
        return (0.006 * (surface - 2950 - warmth)).clamp(-10, 2)

    return Simulation(
        BED,
        ICE,
        flow,
        balance,
        cell_size=CELL,
        cfl=0.3,
        max_step=1.0,
        limit=lambda h, s, u, v: flow.instructor.longest_step(h, s),
    )


@pytest.mark.parametrize("name", ["Blatter-Pattyn", "hybrid SIA + SSA"])
def test_from_the_last_solution_the_next_is_found_in_fewer_steps(name: InstructorName) -> None:
    flow = instructed(name)
    glaciers = glacier(flow)
    for _ in range(3):
        glaciers.move()
        glaciers.step(100.0)
    later = glaciers.thickness
    warm, cold = flow.solution(later, BED + later), instructed(name).solution(later, BED + later)
    assert warm.steps < cold.steps
    assert max(warm.residual, cold.residual) <= 1e-4
    fast = cold.surface.norm(dim=0) > 1
    apart = (warm.surface - cold.surface).norm(dim=0)[fast] / cold.surface.norm(dim=0)[fast]
    assert float(apart.mean()) < 1e-3


@pytest.mark.parametrize("name", INSTRUCTORS)
def test_glaciers_side_by_side_move_as_alone(name: InstructorName) -> None:
    thickness = torch.stack([ICE, 0.8 * ICE, ICE])
    surface = BED + thickness
    u, v = instructed(name)(thickness, surface)
    assert (u.dtype, u.shape) == (torch.float32, thickness.shape)
    for index, (h, s) in enumerate(zip(thickness, surface, strict=True)):
        alone = instructed(name)(h, s)
        top = float(alone[0].norm())
        torch.testing.assert_close(u[index], alone[0], rtol=0, atol=1e-3 * top)
        torch.testing.assert_close(v[index], alone[1], rtol=0, atol=1e-3 * top)


def test_a_known_state_is_not_solved_again() -> None:
    flow = instructed()
    found = flow.solution(ICE, BED + ICE)
    assert flow.solution(ICE.clone(), BED + ICE) is found


def test_an_instructor_that_does_not_converge_is_named_with_residual_and_place() -> None:
    flow = instructed(tolerance=1e-30)
    expected = r"Blatter-Pattyn did not converge.* by \d.*most at row \d+, column \d+, and 1e-30"
    with pytest.raises(NoFlowFoundError, match=expected):
        flow(ICE, BED + ICE)


def test_the_place_of_the_largest_imbalance_is_where_the_ice_is() -> None:
    alone = torch.zeros(32, 24)
    alone[20:24, 3:6] = ICE.max()
    worst = instructed(tolerance=1e-30).instructor.solve(alone, BED + alone).worst
    assert worst is not None
    assert 19 <= worst[0] <= 24
    assert 2 <= worst[1] <= 6


@pytest.mark.parametrize("name", INSTRUCTORS)
def test_a_glacier_evolves_and_every_cubic_metre_is_accounted_for(
    name: InstructorName, listener: Listener
) -> None:
    first, last = run(glacier(instructed(name)), [0.0, 2.0], listener)
    assert 0 < float(first.speed.max()) < 500
    assert last.volume == pytest.approx(last.budget.final, rel=1e-6)
    assert abs(last.budget.residual) < 1e-6 * last.volume
    assert not last.waves


def test_futures_run_together_as_alone(listener: Listener) -> None:
    flow = instructed("hybrid SIA + SSA")
    flow.glaciers = 2
    together = [glacier(flow, warmth) for warmth in (0.0, 150.0)]
    *_, states = run_together(together, [0.0, 1.0], listener)
    for warmth, state in zip((0.0, 150.0), states, strict=True):
        *_, alone = run(glacier(instructed("hybrid SIA + SSA"), warmth), [0.0, 1.0], listener)
        np.testing.assert_allclose(state.thickness, alone.thickness, atol=0.05)
    assert states[0].volume > states[1].volume


def test_shallow_ice_that_is_thick_for_its_cells_takes_steps_that_keep_waves_away(
    listener: Listener,
) -> None:
    """The CFL number alone lets them grow; the limit of diffusion does not."""
    bed = torch.from_numpy(valley().astype(np.float32))
    ice = torch.from_numpy(tongue().astype(np.float32))
    flow = instructed("SIA")

    def spread(share: float) -> Snapshot:
        def limit(thickness: Tensor, surface: Tensor, u: Tensor, v: Tensor) -> float:
            return share * flow.instructor.longest_step(thickness, surface)

        simulation = Simulation(
            bed,
            ice,
            flow,
            lambda surface, time: torch.zeros_like(surface),
            cell_size=CELL,
            cfl=0.3,
            max_step=1.0,
            limit=limit,
        )
        return list(run(simulation, [0.0, 10.0], listener))[-1]

    exact, limited, free = (spread(share) for share in (0.2, 1.0, math.inf))
    assert float(np.abs(limited.thickness - exact.thickness).max()) < 1
    assert float(np.abs(free.thickness - exact.thickness).max()) > 10
    assert free.waves
    assert not limited.waves


def test_on_large_cells_blatter_pattyn_takes_steps_that_it_can_follow(listener: Listener) -> None:
    """The CFL number alone lets thick ice on cells of 2 km overshoot by metres within a year."""
    axis = (torch.arange(12) - 5.5) * 2000.0
    radius = torch.hypot(axis[:, None], axis) / 9600
    ice = (900 * (1 - radius.square())).clamp(min=0)
    bed = 300 * torch.sin(axis[:, None] / 3000) * torch.cos(axis / 3500)

    def spread(share: float) -> Snapshot:
        solver = Instructor("Blatter-Pattyn", 2000.0, RATE, SLIDING, modes=2, tolerance=1e-3)
        flow = InstructedFlow(solver, "row {}, column {}".format)

        def limit(thickness: Tensor, surface: Tensor, u: Tensor, v: Tensor) -> float:
            return share * solver.longest_step(thickness, surface)

        simulation = Simulation(
            bed,
            ice,
            flow,
            lambda surface, time: torch.zeros_like(surface),
            cell_size=2000.0,
            cfl=0.3,
            limit=limit,
        )
        return list(run(simulation, [0.0, 5.0], listener))[-1]

    exact, limited, free = (spread(share) for share in (0.3, 1.0, math.inf))
    errors = [float(np.abs(one.thickness - exact.thickness).max()) for one in (limited, free)]
    assert errors[0] < 0.25 * errors[1]
    assert free.steps < limited.steps


def test_longitudinal_stresses_slow_down_what_is_short_against_the_thickness() -> None:
    thickness = torch.tensor([[0.001, 1.0, 50.0, 300.0, 3000.0]]).double()
    found = relaxation(thickness, 100.0)[0]
    assert found.tolist() == pytest.approx([1, 1, 0.483, 0.0141, 1.43e-5], rel=0.05)
    assert bool((found.diff() <= 0).all())


def test_where_there_is_no_ice_no_step_is_too_long() -> None:
    for name in INSTRUCTORS:
        flow = instructed(name)
        assert flow.instructor.longest_step(torch.zeros_like(ICE), BED) == math.inf
        assert not flow(torch.zeros_like(ICE), BED)[0].any()


class Picky:
    """Ice that slides; no flow is found where it has moved too far since the last time."""

    def __init__(self, farthest: float) -> None:
        self.farthest = farthest
        self.last: Tensor | None = None
        self.refused = 0

    def __call__(self, thickness: Tensor, surface: Tensor) -> tuple[Tensor, Tensor]:
        if self.last is not None and float((thickness - self.last).abs().max()) > self.farthest:
            self.refused += 1
            raise NoFlowFoundError("too far")
        self.last = thickness
        return torch.full_like(thickness, 20.0), torch.zeros_like(thickness)


def sliding(flow: Picky) -> Simulation:
    ice = torch.zeros(5, 30, dtype=torch.float64)
    ice[:, 10:14] = 100.0
    return Simulation(
        torch.zeros_like(ice), ice, flow, lambda s, time: 0 * s - 0.1, cell_size=100.0, cfl=0.3
    )


def test_a_step_to_a_state_without_flow_is_halved(listener: Listener) -> None:
    flow = Picky(farthest=20.0)
    *_, last = run(sliding(flow), [0.0, 5.0, 10.0], listener)
    assert flow.refused > 0
    assert last.time == 10.0
    assert abs(last.budget.residual) < 1e-12
    assert last.volume == pytest.approx(last.budget.final)
    assert last.budget.balance < 0
    assert last.budget != NO_ICE
    easy = Picky(farthest=math.inf)
    *_, other = run(sliding(easy), [0.0, 5.0, 10.0], listener)
    middle = float((other.thickness * np.arange(30)).sum() / other.thickness.sum())
    assert (last.thickness * np.arange(30)).sum() / last.thickness.sum() == pytest.approx(
        middle, abs=0.1
    )


def test_where_halving_does_not_help_the_year_is_named(listener: Listener) -> None:
    flow = Picky(farthest=1e-6)
    with pytest.raises(NoFlowFoundError, match=r"Year 0\.\d+: too far"):
        list(run(sliding(flow), [0.0, 10.0], listener))
    assert flow.refused == MOST_HALVINGS + 1
