"""Learning: it does learn, and a killed run goes on as if nothing had happened."""

from __future__ import annotations

import io
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from glacier_qgis.models.engine.events import EventStream
from glacier_qgis.models.networks.unet import UNet
from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.training.fitting.fit import Fit, Schedule
from glacier_qgis.models.training.losses.zones import near_front, zone_loss
from glacier_qgis.models.zones.codes import GLACIER, OCEAN


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def reporter() -> EventStream:
    return EventStream(io.StringIO())


def batches(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Bright glacier beside dark ocean, split somewhere."""
    columns = torch.arange(32).expand(2, 32, 32)
    split = torch.randint(8, 24, (2, 1, 1), generator=generator)
    ocean = columns < split
    noise = torch.randn(2, 32, 32, generator=generator)
    value = torch.where(ocean, -0.5, 0.5) + 0.1 * noise
    image = torch.stack([value, torch.ones_like(value)], dim=1)
    return image, torch.where(ocean, OCEAN, GLACIER)


def start(folder: Path, steps: int) -> Fit:
    torch.manual_seed(3)
    network = UNet(width=4, levels=1, dilations=(1, 2))
    return Fit(network, Schedule(steps=steps, save_every=2), folder, seed=5)


def test_a_run_that_was_killed_resumes_to_the_same_weights(
    tmp_path: Path, reporter: EventStream
) -> None:
    expected = start(tmp_path / "whole", 8).run(batches, reporter)
    count = 0

    def deadly(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        nonlocal count
        count += 1
        if count == 6:
            raise KilledError
        return batches(generator)

    with pytest.raises(KilledError):
        start(tmp_path / "killed", 8).run(deadly, reporter)
    resumed = start(tmp_path / "killed", 8)
    assert resumed.step == 4
    weights = resumed.run(batches, reporter)
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


@pytest.mark.slow
def test_the_averaged_weights_are_trained(tmp_path: Path, reporter: EventStream) -> None:
    fit = start(tmp_path / "run", 150)
    fit.network.load_state_dict(fit.run(batches, reporter))
    images, zones = batches(torch.Generator().manual_seed(99))
    with torch.inference_mode():
        answer = fit.network.eval()(images).argmax(1) + 1
    assert (answer == zones).float().mean() > 0.98


def test_the_time_that_is_left_sets_the_rate_when_it_runs_out_before_the_steps() -> None:
    schedule = Schedule(steps=1000, minutes=10, rate=1.0)
    assert schedule.done(10, 300) == pytest.approx(0.5)
    assert schedule.done(10, 600) == 1
    assert schedule.rate_at(1.0) == pytest.approx(0, abs=1e-12)
    assert schedule.rate_at(schedule.warm_up) == pytest.approx(1)
    assert schedule.rate_at(0) < 0.1
    assert math.isclose(schedule.done(500, 0), 0.5)


def test_a_perfect_prediction_costs_nothing_and_a_wrong_one_much() -> None:
    _, zones = batches(torch.Generator().manual_seed(1))
    right = torch.nn.functional.one_hot(zones - 1, 4).movedim(-1, 1) * 40.0
    assert zone_loss(right, zones) < 1e-3
    assert zone_loss(-right, zones) > 10


def test_unlabelled_pixels_do_not_count() -> None:
    _, zones = batches(torch.Generator().manual_seed(1))
    logits = torch.randn(2, 4, 32, 32, generator=torch.Generator().manual_seed(2))
    zones[:, :, 16:] = UNLABELLED
    changed = logits.clone()
    changed[..., 16:] += torch.randn(2, 4, 32, 16)
    torch.testing.assert_close(zone_loss(changed, zones), zone_loss(logits, zones))
    empty = torch.zeros_like(zones)
    assert zone_loss(logits, empty) == 0


def test_only_pixels_between_glacier_and_ocean_are_near_a_front() -> None:
    zones = torch.full((1, 9, 60), GLACIER)
    zones[..., :30] = OCEAN
    marked = near_front(zones)[0, 4].nonzero().flatten()
    assert int(marked.float().mean().round()) in (29, 30)
    assert 6 <= len(marked) <= 14
    assert near_front(torch.full((1, 9, 60), GLACIER)).sum() == 0
