"""What costs in the training on corrected scenes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from affine import Affine
from pyproj import CRS

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.fronts.termini.metrics import FrontError
from glacier_qgis.models.networks.unet import FIRST, UNet
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.review.retraining.learning import (
    QUARTERS,
    Pace,
    Stop,
    best_stop,
    course_of,
    tell_if_short,
    train,
    trained,
)
from glacier_qgis.models.review.retraining.material import Aim, Material, Network, batches_of
from glacier_qgis.models.review.retraining.samples import SceneInPlace
from glacier_qgis.models.zones.codes import GLACIER, OCEAN
from kit.engine.listener import Listener
from kit.training.small_models import SMALL

GRID = Grid(CRS("EPSG:3413"), Affine(60.0, 0.0, 0.0, 0.0, -60.0, 0.0), 64, 64)
CPU = torch.device("cpu")


def scene() -> SceneInPlace:
    """One grey everywhere, with labels in a corner only."""
    zones = np.zeros(GRID.shape, np.uint8)
    zones[:8, :8] = GLACIER
    return SceneInPlace(
        name="scene",
        group="there",
        date="2020-01-01",
        ranks=np.zeros((1, *GRID.shape), np.float32),
        valid=np.ones(GRID.shape, np.float32),
        zones=zones,
        grid=GRID,
    )


def network() -> Network:
    torch.manual_seed(1)
    weights = UNet(**SMALL).state_dict()
    return Network(
        "single scenes", Architecture(name="unet", parameters=SMALL), weights, False, False
    )


def test_a_front_where_nothing_is_labelled_costs_nothing() -> None:
    """In a scene that nobody corrected, the front lies where no label is."""
    course = course_of(
        network(), Material([scene()], [], Aim.REPLAYED), Pace(1, 1.0, 1, CPU), "lone"
    )
    zones = torch.zeros(1, 32, 32, dtype=torch.long)
    zones[:, :4] = GLACIER
    ice = torch.zeros(1, 5, 32, 32)
    ice[:, GLACIER - 1] = 9.0
    front = ice.clone()
    front[:, GLACIER - 1, 16:] = 0.0
    front[:, OCEAN - 1, 16:] = 9.0
    loss = course.fit.learner.loss
    torch.testing.assert_close(loss(front, zones), loss(ice, zones))


@pytest.mark.parametrize("aim", Aim)
def test_only_a_model_for_one_place_keeps_all_of_its_training_and_a_direction(aim: Aim) -> None:
    """A model for any place ends half-way, so that it keeps what it knew."""
    before, material = network(), Material([scene()], [], aim)
    course = course_of(before, material, Pace(2, 1.0, 1, CPU), "lone")
    after = trained(before, course.until(1.0, Silent()), aim)
    averaged = course.fit.average[FIRST]
    share = 1.0 if aim is Aim.ONE_PLACE else 0.5
    assert not torch.equal(averaged, before.weights[FIRST])
    torch.testing.assert_close(after.weights[FIRST], before.weights[FIRST].lerp(averaged, share))
    assert after.oriented is (aim is Aim.ONE_PLACE)


@pytest.mark.parametrize(
    ("aim", "oriented", "kept"),
    [(Aim.ONE_PLACE, False, True), (Aim.HELD, True, True), (Aim.HELD, False, False)],
)
def test_a_network_that_knows_a_place_as_it_lies_sees_it_so(
    aim: Aim, oriented: bool, kept: bool
) -> None:
    """The ranks rise to the east."""
    ranks = np.broadcast_to(np.linspace(-1, 1, GRID.width, dtype=np.float32), (1, *GRID.shape))
    rising = replace(scene(), ranks=ranks.copy())
    knows = replace(network(), oriented=oriented)
    draw = batches_of(knows, Material([rising], [], aim), 1, CPU)
    images = torch.cat([draw(torch.Generator().manual_seed(seed))[0] for seed in range(4)])
    seen, there = images[:, 0], images[:, -1]
    west, east = (
        (seen * there)[:, :, half].sum((1, 2)) / there[:, :, half].sum((1, 2))
        for half in (slice(0, 32), slice(32, 64))
    )
    assert bool((east > west).all()) is kept


def test_training_ends_late_unless_an_earlier_end_is_clearly_better() -> None:
    def chosen(*metres: float) -> float:
        course = course_of(
            network(), Material([scene()], [], Aim.REPLAYED), Pace(4, 1.0, 1, CPU), "lone"
        )
        course.fit.notes["errors"] = {
            str(done): [error, error, 3.0, 0.0]
            for done, error in zip((0.0, *QUARTERS), metres, strict=True)
        }
        return best_stop(course, lambda _: FrontError(0, 0, 0, 0), FrontError, Silent()).done

    assert chosen(400, 190, 180, 210, 200) == 1.0
    assert chosen(400, 120, 180, 210, 200) == 0.25
    assert chosen(400, 400, 200, 240, 300) == 0.75


@pytest.mark.parametrize(("minutes", "part"), [(1e-6, 0.05), (10.0, 1.0)])
def test_a_training_says_which_part_of_its_steps_it_had_time_for(
    minutes: float, part: float
) -> None:
    material = Material([scene()], [], Aim.ONE_PLACE)
    _, share = train(network(), material, Stop(0.5, {}), Pace(40, minutes, 1, CPU), Silent())
    assert share == pytest.approx(part)


def test_a_clock_that_ended_trainings_is_logged_with_what_is_enough() -> None:
    listener = Listener()
    tell_if_short([1.0, 1.0], 2.0, 10.0, listener)
    assert not listener.logs
    tell_if_short([1.0, 0.8], 2.0, 10.0, listener)
    (told,) = listener.logs
    assert told == (
        "A training ended after 80% of its steps, as MINUTES is 10. "
        "For all of them, set MINUTES to about 11."
    )
    assert not listener.warnings
    tell_if_short([0.1, 0.25], 2.0, 10.0, listener)
    (warned,) = listener.warnings
    assert warned.startswith("A training ended after 10% of its steps")
    assert warned.endswith("set MINUTES to about 34.")
