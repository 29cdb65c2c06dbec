from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.dynamics.running import run, run_together, save_times
from glacier_qgis.models.iceflow.dynamics.simulation import Simulation
from glacier_qgis.models.iceflow.dynamics.transport import TRANSPORTS, TransportOrder
from glacier_qgis.models.iceflow.velocity.flow import Flow

if TYPE_CHECKING:
    from kit.engine.listener import Listener


RATE = 1e-16
"""A of Glen's law, Pa⁻³ a⁻¹, as in the EISMINT experiments."""
WEIGHT = 910 * 9.81
"""ρ g, N m⁻³."""
GAMMA = 2 * RATE * WEIGHT**3 / 5
H0, R0 = 3600.0, 750_000.0
EDGE = 1_000_000.0
"""Half the domain of the domes, m."""


@dataclass(frozen=True)
class ShallowIce:
    """The shallow-ice flow, ū = −2A(ρg)³/5 h⁴ |∇s|² ∇s."""

    cell: float

    def __call__(self, thickness: Tensor, surface: Tensor) -> tuple[Tensor, Tensor]:
        south, east = torch.gradient(surface, spacing=self.cell, dim=(-2, -1))
        factor = -GAMMA * thickness**4 * (south**2 + east**2)
        return factor * east, factor * -south


def similarity_dome(time: float, accumulating: bool, cell: float) -> Tensor:
    """Thickness (m) of Halfar's dome (Bueler's test B), or of test C, at `time` (a)."""
    alpha, beta = (-1.0, 2.0) if accumulating else (1 / 9, 1 / 18)
    start = 15208.0 if accumulating else 422.45
    half = round(EDGE / cell)
    axis = torch.arange(-half, half + 1, dtype=torch.float64) * cell
    radius = torch.hypot(axis[:, None], axis[None])
    ratio = time / start
    inside = (1 - (radius / R0 * ratio**-beta) ** (4 / 3)).clamp(min=0)
    return H0 * ratio**-alpha * inside ** (3 / 7)


def no_balance(surface: Tensor, time: float) -> Tensor:
    return torch.zeros_like(surface)


def dome_run(
    start: float,
    end: float,
    accumulating: bool,
    listener: Listener,
    cell: float = 25_000.0,
    order: TransportOrder = "first order",
) -> tuple[Simulation, Tensor]:
    def balance(surface: Tensor, time: float) -> Tensor:
        return 5 * similarity_dome(time, True, cell) / time

    begin = similarity_dome(start, accumulating, cell)
    simulation = Simulation(
        torch.zeros_like(begin),
        begin,
        ShallowIce(cell),
        balance if accumulating else no_balance,
        cell_size=cell,
        cfl=0.3,
        start=start,
        max_step=0.5 * (cell / 25_000) ** 2,
        transport=TRANSPORTS[order],
    )
    *_, last = run(simulation, [start, end], listener)
    return simulation, torch.from_numpy(last.thickness).double()


def test_halfars_dome_spreads_as_its_similarity_solution(listener: Listener) -> None:
    simulation, thickness = dome_run(422.45, 822.45, False, listener)
    exact = similarity_dome(822.45, False, 25_000.0)
    interior = exact > 1000
    assert float((thickness - exact)[interior].abs().mean()) < 0.01 * H0
    top = tuple(size // 2 for size in exact.shape)
    assert float(thickness[top]) == pytest.approx(float(exact[top]), rel=0.01)
    budget = simulation.budget()
    assert budget.final == pytest.approx(budget.initial, rel=1e-9)
    assert abs(budget.residual) < 1e-9 * budget.initial


@pytest.mark.slow
@pytest.mark.parametrize("accumulating", [False, True])
@pytest.mark.parametrize("order", ["first order", "second order"])
def test_finer_cells_come_closer_to_the_similarity_solutions(
    accumulating: bool, order: TransportOrder, listener: Listener
) -> None:
    start = 12000.0 if accumulating else 422.45
    errors = []
    for cell in (100_000.0, 50_000.0, 25_000.0, 12_500.0):
        _, thickness = dome_run(start, start + 200, accumulating, listener, cell, order)
        exact = similarity_dome(start + 200, accumulating, cell)
        errors.append(float((thickness - exact).abs().sum() / exact.sum()))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.45 * errors[0]
    assert math.log2(errors[2] / errors[3]) > 1  # the margin is steep beyond all bounds


@pytest.mark.parametrize("order", ["first order", "second order"])
def test_on_an_inclined_plane_a_slab_keeps_its_speed_and_a_bump_runs_ahead_of_the_ice(
    order: TransportOrder, listener: Listener
) -> None:
    """A kinematic wave moves at (n + 2) ū (Nye 1960), five times as fast as the ice."""
    cell, slope, slab = 250.0, 0.1, 120.0
    place = torch.arange(240, dtype=torch.float64) * cell
    bed = (5000 - slope * place).expand(3, -1).clone()
    bump = 2 * torch.exp(-(((place - 25_000) / 1500) ** 2))
    simulation = Simulation(
        bed,
        (slab + bump).expand(3, -1).clone(),
        ShallowIce(cell),
        no_balance,
        cell_size=cell,
        cfl=0.3,
        max_step=0.5,
        transport=TRANSPORTS[order],
    )
    first, last = run(simulation, [0.0, 200.0], listener)
    speed = GAMMA * slab**4 * slope**3
    assert first.u[1, 200] == pytest.approx(speed, rel=1e-5)
    np.testing.assert_allclose(last.thickness[1, 190:220], slab, rtol=1e-4)
    rest = (torch.from_numpy(last.thickness[1]).double() - slab)[60:200]
    centre = float((rest * place[60:200]).sum() / rest.sum())
    print(centre)
    assert centre - 25_000 == pytest.approx(5 * speed * 200, rel=0.05)


def test_a_symmetric_dome_stays_symmetric(listener: Listener) -> None:
    _, thickness = dome_run(422.45, 522.45, False, listener)
    for turned in (thickness.flip(0), thickness.flip(1), thickness.T):
        torch.testing.assert_close(thickness, turned, rtol=1e-9, atol=1e-6)


def test_a_growing_dome_follows_its_similarity_solution(listener: Listener) -> None:
    simulation, thickness = dome_run(12000.0, 12400.0, True, listener)
    exact = similarity_dome(12400.0, True, 25_000.0)
    interior = exact > 1000
    assert float((thickness - exact)[interior].abs().mean()) < 0.01 * float(exact.max())
    volume = float(exact.sum()) * 25_000.0**2 / 1e9
    assert simulation.budget().final == pytest.approx(volume, rel=0.005)


@pytest.mark.parametrize(
    ("start", "end", "interval", "expected"),
    [
        (0, 30, 10, [0, 10, 20, 30]),
        (5, 30, 10, [5, 15, 25, 30]),
        (0, 5, 10, [0, 5]),
        (0, 0.3, 0.1, [0, 0.1, 0.2, 0.3]),
        (-20, 0, 10, [-20, -10, 0]),
        (0, 25, 10, [0, 10, 20, 25]),
        (1880, 1890, 3.3, [1880, 1883.3, 1886.6, 1889.9, 1890]),
    ],
)
def test_saved_times_hold_both_ends(
    start: float, end: float, interval: float, expected: list[float]
) -> None:
    assert save_times(start, end, interval) == pytest.approx(expected)


def test_saved_times_are_met_exactly_and_progress_only_grows(listener: Listener) -> None:
    bed = torch.zeros(6, 9)

    def sliding(thickness: Tensor, surface: Tensor) -> tuple[Tensor, Tensor]:
        return torch.full_like(thickness, 37.7), torch.zeros_like(thickness)

    for start, end, interval in ((0, 20, 3), (1880, 1900.3, 1.7), (-0.5, 1.1, 0.1), (0, 7, 100)):
        listener.fractions.clear()
        simulation = Simulation(
            bed, bed + 10, sliding, no_balance, cell_size=100.0, cfl=0.3, start=start
        )
        times = save_times(start, end, interval)
        assert [state.time for state in run(simulation, times, listener)] == times
        assert times[-1] == end
        assert listener.fractions == sorted(listener.fractions)
        assert listener.fractions[-1] == 1.0


@pytest.mark.parametrize("speed", [float("nan"), float("inf"), 1e6])
def test_ice_that_runs_away_is_an_error_with_a_remedy(speed: float) -> None:
    bed = torch.zeros(4, 4)

    def runaway(thickness: Tensor, surface: Tensor) -> tuple[Tensor, Tensor]:
        return torch.full_like(thickness, speed), torch.zeros_like(thickness)

    simulation = Simulation(bed, bed + 10, runaway, no_balance, cell_size=100.0, cfl=0.5)
    with pytest.raises(EngineError, match="Lower CFL"):
        simulation.step(1.0)


def test_volume_and_area_are_those_of_a_block(listener: Listener) -> None:
    thickness = torch.zeros(10, 10)
    thickness[2:4, 3:8] = 50.0
    thickness[0, 0] = 0.5
    simulation = Simulation(
        torch.full((10, 10), 100.0),
        thickness,
        lambda h, s: (torch.full_like(h, 3.0), torch.full_like(h, 4.0)),
        no_balance,
        cell_size=200.0,
        cfl=0.3,
    )
    state = simulation.snapshot()
    assert state.volume == pytest.approx((10 * 50 + 0.5) * 200**2 / 1e9)
    assert state.area == pytest.approx(10 * 0.04)
    assert state.mean_speed == pytest.approx(5.0)
    np.testing.assert_allclose(state.surface[2, 3], 150.0)


class Sliding:
    """Ice that is the faster the thicker it is; counts the glaciers of each evaluation."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, thickness: Tensor, surface: Tensor) -> tuple[Tensor, Tensor]:
        self.sizes.append(thickness.shape[0] if thickness.dim() == 3 else 1)
        return 0.2 * thickness, 0.01 * thickness


def valley_glacier(warmth: float, flow: Flow) -> Simulation:
    place = torch.arange(40, dtype=torch.float32) * 500
    bed = (3000 - 0.08 * place).expand(24, -1).clone()

    def balance(surface: Tensor, time: float) -> Tensor:
        return (0.006 * (surface - 2300 - warmth * time)).clamp(-10, 2)

    return Simulation(bed, torch.full_like(bed, 200), flow, balance, cell_size=500.0, cfl=0.3)


def test_together_glaciers_take_their_own_steps_and_end_as_alone(listener: Listener) -> None:
    times, warmths = [0.0, 37.3, 80.0], (-4.0, 0.0, 6.0)
    flow = Sliding()
    together = [valley_glacier(warmth, flow) for warmth in warmths]
    states = list(run_together(together, times, listener))
    alone = [valley_glacier(warmth, Sliding()) for warmth in warmths]
    expected = [list(run(one, times, listener)) for one in alone]
    for index, one in enumerate(alone):
        assert together[index].steps == one.steps
        for row, state in zip(states, expected[index], strict=True):
            assert row[index].time == state.time
            np.testing.assert_allclose(row[index].thickness, state.thickness, atol=1e-4)
            assert row[index].budget.balance == pytest.approx(state.budget.balance, rel=1e-6)
    assert len({one.steps for one in alone}) > 1
    assert max(flow.sizes) == 3
    assert len(flow.sizes) <= max(one.steps for one in alone) + 2 * len(times)
    volumes = [state.volume for state in states[-1]]
    assert volumes == sorted(volumes, reverse=True)


@pytest.mark.parametrize("order", ["first order", "second order"])
def test_over_a_whole_run_every_cubic_metre_is_accounted_for(
    order: TransportOrder, listener: Listener
) -> None:
    place = torch.arange(60, dtype=torch.float64) * 200
    bed = (2000 - 0.1 * place).expand(30, -1).clone()
    simulation = Simulation(
        bed,
        torch.full_like(bed, 120),
        ShallowIce(200.0),
        lambda s, time: (0.004 * (s - 1500)).clamp(max=1),
        cell_size=200.0,
        cfl=0.3,
        max_step=0.5,
        transport=TRANSPORTS[order],
    )
    *_, last = run(simulation, [0.0, 50.0, 100.0], listener)
    budget = last.budget
    assert budget.lost > 0.003 * budget.initial
    assert last.volume == pytest.approx(budget.final, rel=1e-7)
    explained = budget.initial + budget.balance - budget.lost + budget.added
    assert budget.final == pytest.approx(explained, rel=1e-12)
