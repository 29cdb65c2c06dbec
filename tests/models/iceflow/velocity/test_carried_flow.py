"""The flow of one glacier in time, of which a state begins with the motion of the one before."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.dynamics.simulation import Simulation
from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.emulators.pyramid import core
from glacier_qgis.models.iceflow.instructors.higher_order import higher_order
from glacier_qgis.models.iceflow.velocity.catalogue import OWN
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import (
    RENEWED,
    CarriedFlow,
    EmulatedFlow,
    flow_in_time,
)
from glacier_qgis.models.iceflow.velocity.ice_model import EmulatedIce
from kit.iceflow.small_valley import tongue, valley

CELL, RATE, SLIDING = 100.0, 78.0, 12.0
PARAMETERS = FlowParameters(CELL, RATE, SLIDING)


@pytest.fixture(scope="module")
def delivered() -> Emulator:
    return Emulator.read(OWN / "blatter_pattyn")


def state() -> tuple[Tensor, Tensor]:
    """Return thickness and surface of ice in a valley, m."""
    ground, ice = valley(), tongue()
    return torch.from_numpy(ice), torch.from_numpy(ground + ice)


def carried(emulator: Emulator) -> CarriedFlow:
    flow = flow_in_time(emulator, PARAMETERS)
    assert isinstance(flow, CarriedFlow)
    return flow


def simulation(flow: EmulatedFlow, thickness: Tensor, start: float = 0.0) -> Simulation:
    ice, surface = state()

    def balance(heights: Tensor, year: float) -> Tensor:
        return ((heights - surface.mean()) * 0.01).clamp(-4, 1)

    return Simulation(
        surface - ice, thickness, flow, balance, cell_size=CELL, cfl=0.3, start=start, max_step=0.5
    )


def advance(run: Simulation, *times: float) -> Simulation:
    for time in times:
        while run.time < time:
            run.step(time)
    return run


def test_the_first_state_is_predicted_and_most_others_are_not(
    delivered: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow, thickness_and_surface = carried(delivered), state()
    once = EmulatedFlow(delivered, PARAMETERS)(*thickness_and_surface)
    torch.testing.assert_close(flow(*thickness_and_surface), once)
    predictions = []
    predicted = core.predicted
    monkeypatch.setattr(core, "predicted", lambda *all: predictions.append(1) or predicted(*all))
    for _ in range(RENEWED - 1):
        later = flow(*thickness_and_surface)
    assert not predictions
    assert not torch.equal(later[1], once[1])
    torch.testing.assert_close(flow(*thickness_and_surface), once)
    flow.begin()
    torch.testing.assert_close(flow(*thickness_and_surface), once)
    assert len(predictions) == 2


def test_steps_on_the_same_state_stay_near_the_solution(delivered: Emulator) -> None:
    flow, true = carried(delivered), higher_order(*state(), CELL, RATE, SLIDING).mean
    errors = [
        float((torch.stack(flow(*state())) - true).abs().sum() / true.abs().sum())
        for _ in range(RENEWED)
    ]
    assert max(errors) < errors[0] + 0.02


def test_a_glacier_evolves_as_with_predictions_alone(delivered: Emulator) -> None:
    start = state()[0]
    fast = advance(simulation(carried(delivered), start), 10.0)
    slow = advance(simulation(EmulatedFlow(delivered, PARAMETERS), start), 10.0)
    ice = (fast.thickness > 1) | (slow.thickness > 1)
    apart = (fast.thickness - slow.thickness)[ice]
    changed = (slow.thickness - start)[ice]
    assert float(apart.square().mean().sqrt()) < 0.1 * float(changed.square().mean().sqrt())
    assert not fast.snapshot().waves


def test_a_run_that_resumes_where_another_stopped_by_gives_the_same(delivered: Emulator) -> None:
    whole = advance(simulation(carried(delivered), state()[0]), 3.0)
    resumed = simulation(carried(delivered), whole.thickness, start=3.0)
    torch.testing.assert_close(
        advance(whole, 7.0).thickness, advance(resumed, 7.0).thickness, rtol=0, atol=0
    )


def test_ice_in_several_rectangles_is_predicted(
    delivered: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "MOST_CELLS", 400)
    monkeypatch.setattr(core, "MARGIN", 8)
    flow, every = carried(delivered), EmulatedFlow(delivered, PARAMETERS)(*state())
    for _ in range(2):
        torch.testing.assert_close(flow(*state()), every)


def test_glaciers_side_by_side_do_not_share_a_memory(delivered: Emulator) -> None:
    ice = EmulatedIce(delivered, EmulatedFlow(delivered, PARAMETERS))
    one, two = ice.in_time(), ice.in_time()
    assert isinstance(one.flow, CarriedFlow)
    assert one.flow is not two.flow
    turned = Emulator(delivered.plain, averaged=True)
    often = EmulatedIce(turned, EmulatedFlow(turned, PARAMETERS))
    assert often.in_time() is often
