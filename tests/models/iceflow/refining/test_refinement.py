"""Training an emulator on the energy of one glacier brings it to the solution."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.card import FlowCoefficient, FlowParameters
from glacier_qgis.models.iceflow.instructors.higher_order import higher_order
from glacier_qgis.models.iceflow.refining.distance import Distance, distance, solved
from glacier_qgis.models.iceflow.refining.forces import MODES, Forces
from glacier_qgis.models.iceflow.refining.refined_ice import RefinedIce, Schedule
from glacier_qgis.models.iceflow.refining.refinement import Refinement
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.iceflow.velocity.flow import EmulatedFlow
from glacier_qgis.models.iceflow.velocity.ice_model import EmulatedIce
from kit.engine.listener import Listener
from kit.iceflow.small_valley import tongue, valley

CELL, RATE, SLIDING = 100.0, 78.0, 12.0
OWN, F15 = "blatter_pattyn", "f15_cfsflow_GJ_22_a/100"


def glacier() -> tuple[Tensor, Tensor]:
    """Return thickness and surface of a small glacier, m."""
    ground, ice = (torch.from_numpy(field) for field in (valley(32, 24), tongue(32, 24)))
    return ice, ground + ice


def forces(sliding: FlowCoefficient = SLIDING) -> Forces:
    return Forces(*glacier(), FlowParameters(CELL, RATE, sliding))


def how_far(emulator: Emulator, state: Forces) -> Distance:
    return distance(emulator, state, solved(state))


def test_the_columns_of_a_solution_are_its_modes() -> None:
    state = forces()
    found = higher_order(*glacier(), CELL, RATE, SLIDING, modes=MODES, tolerance=1e-6)
    fields = {
        f"{letter}{name}": level[way]
        for name, level in (
            ("velbase", found.base),
            ("bar", found.mean),
            ("velsurf", found.surface),
        )
        for way, letter in enumerate("uv")
    }
    assert found.modes is not None
    modes = state.problem.outward(state.modes(fields))
    ice = state.problem.ice
    torch.testing.assert_close(modes[:, ice], found.modes[:, ice], rtol=1e-9, atol=1e-9)
    assert state.imbalance(state.problem.inward(found.modes)) < 1e-6
    assert state.imbalance(state.modes(fields)) < 1e-3  # the margin follows from the ice
    least = state.energy(state.modes(fields))
    for factor in (0.97, 1.03):
        faster = {name: factor * field for name, field in fields.items()}
        assert state.energy(state.modes(faster)) > least


@pytest.mark.parametrize(
    ("name", "sliding", "iterations", "factor"),
    [(OWN, 0.0, 25, 1.0), (OWN, SLIDING, 25, 1.1), (F15, SLIDING, 40, 2.0)],
)
def test_the_error_falls_by_a_factor(
    read_emulator: Callable[[str], Emulator],
    name: str,
    sliding: float,
    iterations: int,
    factor: float,
) -> None:
    state, emulator = forces(sliding), read_emulator(name)
    refinement = Refinement(emulator)
    outcome = refinement.learn(state, iterations)
    before, after = how_far(emulator, state), how_far(refinement.emulator, state)
    assert after.mean < before.mean / factor
    assert after.total < before.total / factor
    assert after.energy < before.energy
    assert before.share < after.share < 100
    assert outcome.before == pytest.approx(before.imbalance, rel=1e-3)
    assert outcome.after == pytest.approx(after.imbalance, rel=1e-3)
    assert not outcome.diverged


def test_sliding_may_be_a_field(read_emulator: Callable[[str], Emulator]) -> None:
    """Frozen to the bed in part."""
    slip = torch.full((32, 24), 20.0)
    slip[:16] = 0.0
    state, emulator = forces(slip), read_emulator(OWN)
    refinement = Refinement(emulator)
    refinement.learn(state, 20)
    assert how_far(refinement.emulator, state).mean < 0.9 * how_far(emulator, state).mean


def test_equal_states_give_equal_weights_and_the_original_stays(
    read_emulator: Callable[[str], Emulator],
) -> None:
    emulator, parameters = read_emulator(OWN), FlowParameters(CELL, RATE, SLIDING)
    before = emulator.velocity(*glacier(), parameters)["ubar"]
    found = []
    for _ in range(2):
        refinement = Refinement(emulator)
        refinement.learn(forces(), 6)
        found.append(refinement.emulator.velocity(*glacier(), parameters)["ubar"])
    torch.testing.assert_close(*found, rtol=0, atol=0)
    assert not torch.allclose(found[0], before, rtol=0.01)
    torch.testing.assert_close(
        emulator.velocity(*glacier(), parameters)["ubar"], before, rtol=0, atol=0
    )


def test_diverging_keeps_the_best_weights(read_emulator: Callable[[str], Emulator]) -> None:
    state, emulator = forces(), read_emulator(OWN)
    refinement = Refinement(emulator, 30.0)
    outcome = refinement.learn(state, 20)
    assert outcome.diverged
    assert how_far(refinement.emulator, state).energy <= how_far(emulator, state).energy
    assert math.isfinite(how_far(refinement.emulator, state).mean)
    assert how_far(refinement.emulator, state).mean <= how_far(emulator, state).mean * 1.01


def refined_ice(emulator: Emulator, listener: Listener, every: int = 3) -> RefinedIce:
    flow = EmulatedFlow(emulator, FlowParameters(CELL, RATE, SLIDING))
    return RefinedIce(EmulatedIce(emulator, flow), Schedule(every, 12, 0.0), listener)


def test_a_flow_refines_when_it_is_due_and_there_is_ice(
    read_emulator: Callable[[str], Emulator], listener: Listener
) -> None:
    ice = refined_ice(read_emulator(OWN), listener)
    thickness, surface = glacier()
    with torch.inference_mode():
        ice(torch.zeros_like(thickness), surface - thickness)
        assert (len(ice.outcomes), ice.first) == (0, None)
        velocities = [ice(thickness, surface)[1] for _ in range(5)]
    assert len(ice.outcomes) == 2
    assert ice.first is not None
    assert ice.first.refined.energy < ice.first.published.energy
    torch.testing.assert_close(velocities[0], velocities[2], rtol=0, atol=0)
    assert not torch.equal(velocities[2], velocities[3])
    assert ice.name == f"{OWN}, refined"
    assert "at least every 3 time steps" in ice.facts["EMULATOR_REFINED"]


def spoilt(ice: RefinedIce) -> None:
    """Make the weights of now far worse than the published ones."""
    ice._refinement.take(1.5 * ice._refinement.weights)
    ice._renew()


def test_weights_that_became_worse_than_the_published_ones_are_left(
    read_emulator: Callable[[str], Emulator], listener: Listener
) -> None:
    """The next check comes earlier, and later again once the refined ones are the better ones."""
    ice = refined_ice(read_emulator(OWN), listener, every=8)
    state = glacier()
    with torch.inference_mode():
        ice(*state)
        spoilt(ice)
        for _ in range(8):
            ice(*state)
    assert [one.returned for one in ice.outcomes] == [False, True]
    found = ice.compared(*(field.numpy() for field in state))
    assert found is not None
    assert found.refined.energy < found.published.energy
    with torch.inference_mode():
        for _ in range(4):
            ice(*state)
    assert [one.returned for one in ice.outcomes] == [False, True, False]


def test_ice_recalls_what_it_was(
    read_emulator: Callable[[str], Emulator], listener: Listener
) -> None:
    one, state = refined_ice(read_emulator(OWN), listener), glacier()
    with torch.inference_mode():
        velocity = [one(*state) for _ in range(2)][-1]
    other = refined_ice(read_emulator(OWN), listener)
    other.recall(one.memory)
    with torch.inference_mode():
        torch.testing.assert_close(other(*state), velocity, rtol=0, atol=0)
        assert other.memory == one.memory
        for _ in range(2):  # the second of these refines
            torch.testing.assert_close(other(*state), one(*state), rtol=0, atol=0)
    assert (len(one.outcomes), len(other.outcomes)) == (2, 1)
    with pytest.raises(EngineError, match="is damaged"):
        refined_ice(read_emulator(OWN), listener).recall(one.memory[:-9])
    stranger = refined_ice(read_emulator(F15), listener)
    stranger.recall(one.memory)
    assert "another emulator than" in listener.warnings[-1]
    assert stranger.first is None


def test_an_emulator_without_a_bed_is_refused(
    read_emulator: Callable[[str], Emulator], listener: Listener
) -> None:
    emulator = read_emulator("f12_cfsflow_GJ_21_a/100")
    with pytest.raises(
        EngineError, match=r"does not predict uvelbase and vvelbase.*choose the EMULATOR 'blatter"
    ):
        refined_ice(emulator, listener)
