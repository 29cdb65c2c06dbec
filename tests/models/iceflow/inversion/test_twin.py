"""Twin experiment: thickness and sliding of a known glacier, found from its surface."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import torch

from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.inversion.cost import MOST_SLIDING, Problem, State
from glacier_qgis.models.iceflow.inversion.ensemble import drawn_balance
from glacier_qgis.models.iceflow.inversion.judging import smoothness, suggested, worths
from glacier_qgis.models.iceflow.inversion.observed import Observed, Samples
from glacier_qgis.models.iceflow.inversion.place import Place
from glacier_qgis.models.iceflow.inversion.result import Inversion, invert
from glacier_qgis.models.iceflow.inversion.routing import balanced
from glacier_qgis.models.iceflow.velocity.catalogue import installed_emulators
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from kit.iceflow.balanced_run import yearly
from kit.iceflow.twin import CELL, ELA, EMULATOR, twin

SPEED_NOISE, SOUNDING_NOISE = 2.0, 5.0
TRACKS = 6
"""Rows between tracks with soundings."""


def samples(where: np.ndarray, values: np.ndarray, error: float, share: float) -> Samples:
    count = int(where.sum())
    return Samples(
        torch.from_numpy(where),
        torch.from_numpy(values[where].astype(float)),
        torch.full((count,), error, dtype=torch.float64),
        torch.full((count,), share, dtype=torch.float64),
    )


def problem(*, velocity: bool, soundings: bool) -> Problem:
    known, random = twin(), np.random.default_rng(0)
    surface = known.surface + random.normal(0, 1, known.surface.shape).astype("f4")
    place = Place.of(surface, known.ice, CELL)
    balance = np.where(surface < ELA, 0.009 * (surface - ELA), 0.005 * (surface - ELA)).clip(max=2)
    speed = np.hypot(*known.velocity) + random.normal(0, SPEED_NOISE, surface.shape)
    depth = known.thickness + random.normal(0, SOUNDING_NOISE, surface.shape)
    track = np.zeros_like(known.ice)
    track[::TRACKS] = known.ice[::TRACKS]
    share = min(1.0, (CELL / place.typical) ** 2)
    observed = Observed(
        torch.from_numpy(balanced(balance.astype(float), known.ice)),
        0.3,
        samples(known.ice, speed, SPEED_NOISE, share) if velocity else None,
        samples(track, depth, SOUNDING_NOISE, 1.0) if soundings else None,
    )
    return Problem(place, observed, place.plastic * place.shape * place.ice, 10.0, 78.0)


def emulated(state: State) -> tuple[torch.Tensor, torch.Tensor]:
    surface = torch.from_numpy(twin().surface)
    parameters = FlowParameters(CELL, float(state.rate_factor), state.sliding.float())
    emulator = Emulator.read(installed_emulators()[EMULATOR], EMULATOR)
    fields = emulator.velocity(state.thickness.float(), surface, parameters)
    u, v, top_u, top_v = (
        fields[name].double() for name in ("ubar", "vbar", "uvelsurf", "vvelsurf")
    )
    return torch.stack([u, v]), torch.stack([top_u, top_v])


@lru_cache
def inverted(*, velocity: bool, soundings: bool, members: int = 0) -> Inversion:
    asked = problem(velocity=velocity, soundings=soundings)
    return invert(asked, emulated, EMULATOR, 0.0, members, 0, lambda part: None)


def error(found: Inversion) -> float:
    """Mean absolute error over the mean thickness."""
    known = twin()
    apart = np.abs(found.thickness - known.thickness)[known.ice]
    return float(apart.mean() / known.thickness[known.ice].mean())


def test_what_was_grown_is_in_balance_and_slides_more_below() -> None:
    known = twin()
    assert known.thickness.max() > 100
    assert known.sliding[5].mean() < 5 < 18 < known.sliding[45].mean()


@pytest.mark.parametrize(
    ("velocity", "soundings", "within"),
    [(True, True, 0.07), (False, True, 0.10), (True, False, 0.17), (False, False, 0.22)],
)
def test_thickness_is_recovered_within_an_error_that_grows_without_observations(
    velocity: bool, soundings: bool, within: float
) -> None:
    assert error(inverted(velocity=velocity, soundings=soundings)) < within


def test_the_more_is_observed_the_closer() -> None:
    everything, nothing = (inverted(velocity=every, soundings=every) for every in (True, False))
    assert error(everything) < 0.6 * error(nothing)


def test_thickness_and_the_flux_tell_where_ice_slides_more() -> None:
    known, found = twin(), inverted(velocity=False, soundings=True)
    thick = known.ice & (known.thickness > 40)
    ratio = np.log(found.sliding / known.sliding)[thick]
    assert np.abs(ratio).mean() < 0.4
    order = np.corrcoef(np.log(found.sliding[thick]), np.log(known.sliding[thick]))[0, 1]
    assert order > 0.8


def test_sliding_stays_where_emulators_are_valid() -> None:
    asked = problem(velocity=True, soundings=False)
    far = torch.full((asked.count,), 3.0, dtype=torch.float64)
    ice = asked.place.ice
    assert 69 < float(asked.state(far).sliding[ice].max()) <= MOST_SLIDING
    begin = asked.state(torch.zeros_like(far)).sliding[ice]
    assert torch.allclose(begin, torch.full_like(begin, asked.sliding), rtol=1e-3)


def test_sliding_is_recovered_where_velocity_and_thickness_are_known() -> None:
    known, found = twin(), inverted(velocity=True, soundings=True)
    thick = known.ice & (known.thickness > 40)
    ratio = np.log(found.sliding / known.sliding)[thick]
    assert np.abs(ratio).mean() < 0.5
    order = np.corrcoef(np.log(found.sliding[thick]), np.log(known.sliding[thick]))[0, 1]
    assert order > 0.6


def test_a_balanced_simulation_begins_without_a_shock() -> None:
    found = inverted(velocity=False, soundings=False)
    ice = found.ice
    states = yearly(found.thickness, found.sliding, found.rate_factor, 10)
    volumes = states[:, ice].sum(axis=1) / states[0].sum()
    assert np.abs(volumes - 1).max() < 0.03
    first, last = (float(np.abs(states[k + 1] - states[k])[ice].mean()) for k in (0, 9))
    assert last < 0.7 * first < 0.7 * found.turnover
    guess = problem(velocity=False, soundings=False).guess.numpy()
    raw = yearly(guess, np.full_like(guess, 10.0), 78.0, 1)
    assert first < 0.7 * float(np.abs(raw[1] - raw[0])[ice].mean())


@pytest.mark.parametrize("observed", [True, False])
def test_the_truth_lies_within_two_spreads_in_four_of_five_cells(observed: bool) -> None:
    known, found = twin(), inverted(velocity=observed, soundings=observed, members=6)
    assert found.spread is not None
    apart = np.abs(found.thickness - known.thickness)[known.ice]
    assert (apart <= 2 * found.spread.thickness[known.ice]).mean() >= 0.8


def test_the_spread_is_wider_where_less_is_observed() -> None:
    wide, narrow = (
        inverted(velocity=observed, soundings=observed, members=6).spread
        for observed in (False, True)
    )
    assert wide is not None
    assert narrow is not None
    ice = twin().ice
    assert wide.thickness[ice].mean() > 1.5 * narrow.thickness[ice].mean()


def test_a_drawn_balance_is_wrong_by_its_error_and_sums_to_zero() -> None:
    asked, random = problem(velocity=False, soundings=False), torch.Generator().manual_seed(0)
    usual, ice = asked.observed.balance[twin().ice], twin().ice
    drawn = torch.stack([drawn_balance(asked, random)[ice] for _ in range(40)])
    assert drawn.mean(dim=1).abs().max() < 1e-9
    apart = (drawn - usual).square().mean().sqrt() / usual.abs().mean()
    assert 0.5 < apart / asked.observed.balance_error < 2


def test_flow_carries_the_balance_away() -> None:
    found = inverted(velocity=False, soundings=False)
    assert found.imbalance < 0.15 * found.turnover


@pytest.mark.slow
def test_held_out_observations_are_worse_and_a_weight_is_suggested() -> None:
    asked, found = problem(velocity=True, soundings=True), inverted(velocity=True, soundings=True)
    rows = {
        row.kind: row for row in worths(asked, found.correction, found.unknown, lambda part: None)
    }
    assert set(rows) == {"velocity", "thickness"}
    for row in rows.values():
        assert row.held_out.mean_error > row.used.mean_error
        assert row.change > 0
    trials = smoothness(asked, found.correction, found.unknown, lambda part: None)
    best = suggested(trials)
    assert best.held_out == min(trial.held_out for trial in trials) or best.factor == 1
    misfits = [trial.misfit for trial in trials]
    assert misfits == sorted(misfits)
