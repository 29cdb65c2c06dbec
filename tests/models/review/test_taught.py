"""What the scenes of a place teach once networks know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from affine import Affine
from pyproj import CRS
from shapely import LineString
from torch import Tensor, nn

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.fronts.termini.whereabouts import from_degrees
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.review.retraining.coast import WIDTH_M
from glacier_qgis.models.review.retraining.labels import REACH_M, Prediction
from glacier_qgis.models.review.retraining.material import Aim, Network
from glacier_qgis.models.review.retraining.places import Place
from glacier_qgis.models.review.retraining.samples import SceneInPlace
from glacier_qgis.models.review.retraining.second_opinion import (
    ROUNDS,
    SecondOpinion,
)
from glacier_qgis.models.review.retraining.taught import CorrectedPlace, TaughtPlace
from glacier_qgis.models.zones.codes import CLASS_NAMES, GLACIER, OCEAN, ROCK

CELL, ROWS, COLUMNS = 60.0, 32, 160
GRID = Grid(CRS.from_epsg(3413), Affine(CELL, 0, 0, 0, -CELL, 0), ROWS, COLUMNS)
FRONT, REACH = 80, int(REACH_M / CELL)
CPU = torch.device("cpu")
Zones = npt.NDArray[np.int64]


def fjord(front: int = FRONT) -> Zones:
    """Ice in the west, water in the east."""
    zones = np.full(GRID.shape, GLACIER)
    zones[:, front:] = OCEAN
    return zones


class Says(nn.Module):
    """Says the same of any scene."""

    def __init__(self, zones: Zones) -> None:
        super().__init__()
        codes = torch.tensor([*CLASS_NAMES])[:, None, None]
        self._logits = 20.0 * (torch.from_numpy(zones) == codes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the logits under a tile without padding."""
        return self._logits.expand(len(inputs), -1, -1, -1)[..., : inputs.shape[2], :]


@dataclass(frozen=True)
class Told(Network):
    """A network of which it is known what it says."""

    says: Zones = field(default_factory=fjord)

    def built(self) -> nn.Module:
        """Return it, ready to predict."""
        return Says(self.says).eval()


def told(zones: Zones, *, beside: bool = False) -> Network:
    unet = Architecture(name="unet", parameters={})
    return Told("tests", unet, {}, beside, rock=False, oriented=True, says=zones)


BEFORE = [told(np.full(GRID.shape, ROCK)), told(np.full(GRID.shape, ROCK), beside=True)]
"""Networks of a model before that never contradict."""


def known(taught: TaughtPlace, before: Sequence[Network] = BEFORE) -> dict[str, Prediction]:
    return taught.certain(before, CPU, Silent())


class Shown(nn.Module):
    """Sees the front where the brightness of a scene says, as a fraction of the columns.

    In a scene of a negative brightness it sees the ice in the east of it.
    """

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits, (N, classes, rows, columns)."""
        bright = inputs[:, :1, :1, :1]
        ice = (torch.arange(inputs.shape[3]) < bright.abs() * COLUMNS) == (bright > 0)
        zones = torch.where(ice, GLACIER, OCEAN)
        codes = torch.tensor([*CLASS_NAMES])[:, None, None]
        return 20.0 * (zones == codes).expand(-1, -1, inputs.shape[2], -1)


class Looking(Network):
    """A network that sees what scenes show."""

    def built(self) -> nn.Module:
        """Return it, ready to predict."""
        return Shown().eval()


def scene(
    name: str, date: str = "2020-01-01", *lines: LineString, bright: float = 0.0
) -> SceneInPlace:
    ranks = np.full((1, *GRID.shape), bright, np.float32)
    valid = np.ones(GRID.shape, np.float32)
    return SceneInPlace(
        name, "there", date, ranks, valid, np.zeros(GRID.shape, np.uint8), GRID, lines
    )


@pytest.fixture
def place() -> CorrectedPlace:
    """Two scenes without and one with a correction; the other has no date."""
    front = LineString([(FRONT * CELL, 0), (FRONT * CELL, -ROWS * CELL)])
    scenes = [
        scene("corrected", "2020-01-01", front),
        scene("other", "2020-06-01"),
        scene("undated", ""),
    ]
    rock = np.zeros(GRID.shape, np.bool_)
    rock[:2] = True
    there = Place("there", GRID, rock, {each.name: each for each in scenes})
    return CorrectedPlace(there, {"corrected": True}, {})


def labels(taught: TaughtPlace, name: str) -> npt.NDArray[np.uint8]:
    """Labels below the rock."""
    (zones,) = [each.zones for each in taught.scenes if each.name == name]
    assert (zones[:2] == ROCK).all()
    return zones[2:]


def test_the_dates_around_a_corrected_one_say_on_which_side_the_ice_is() -> None:
    """It is seen the wrong way round itself, and long after, mélange is taken for ice."""
    front = LineString([(FRONT * CELL, -ROWS * CELL), (FRONT * CELL, 0)])
    then = [scene(f"1996-0{month}", f"1996-0{month}-01", bright=0.5) for month in range(2, 8)]
    later = [
        scene(f"2010-{month:02}", f"2010-{month:02}-01", bright=-0.55) for month in range(1, 13)
    ]
    corrected = scene("corrected", "1996-04-20", front.reverse(), bright=-0.5)
    scenes = {each.name: each for each in (*later, corrected, *then)}
    there = Place("there", GRID, np.zeros(GRID.shape, np.bool_), scenes)
    unet = Architecture(name="unet", parameters={})
    looking = Looking("tests", unet, {}, beside=False, rock=False, oriented=True)
    place = CorrectedPlace(there, {"corrected": True}, {})
    taught = TaughtPlace.by_fronts(place, looking, CPU, Silent())
    assert taught.fronts["corrected"][0].equals_exact(front)


def test_the_scenes_nearest_in_time_begin_with_itself() -> None:
    days = ["2020-03-01", "2020-01-01", "2020-01-01", "", "2019-12-25", "2021-01-01"]
    scenes = {str(number): scene(str(number), day) for number, day in enumerate(days)}
    there = Place("there", GRID, np.zeros(GRID.shape, np.bool_), scenes)
    assert there.nearest("2", 3) == ["2", "1", "4"]
    assert there.nearest("2", 9) == ["2", "1", "4", "0", "5"]
    assert there.nearest("3", 2) == [*scenes], "of a scene without a date"


def test_only_what_both_networks_say_is_a_label(place: CorrectedPlace) -> None:
    before = TaughtPlace.by_fronts(place, told(fjord()), CPU, Silent())
    alone, beside = told(fjord(FRONT - 10)), told(fjord(FRONT + 8), beside=True)
    taught = before.by_agreement([alone, beside], known(before), CPU, Silent())
    other = labels(taught, "other")
    assert (other[:, : FRONT - 10] == GLACIER).all()
    assert not other[:, FRONT - 10 : FRONT + 8].any()
    assert (other[:, FRONT + 8 :] == OCEAN).all()


def test_what_both_networks_before_deny_is_no_label(place: CorrectedPlace) -> None:
    """As where a front lies behind all corrected ones, and the new networks know ice there."""
    taught = TaughtPlace.by_fronts(place, told(fjord()), CPU, Silent())
    new = [told(fjord()), told(fjord(), beside=True)]
    deny = [told(fjord(FRONT - 20)), told(fjord(FRONT - 30), beside=True)]
    kept = taught.by_agreement(new, known(taught, deny), CPU, Silent())
    other = labels(kept, "other")
    assert (other[:, : FRONT - 20] == GLACIER).all()
    assert not other[:, FRONT - 20 : FRONT].any()
    assert (other[:, FRONT:] == OCEAN).all()
    sure = taught.by_agreement(new, known(taught), CPU, Silent())
    np.testing.assert_array_equal(labels(kept, "corrected"), labels(sure, "corrected"))


def test_what_one_network_does_not_see_keeps_its_labels(place: CorrectedPlace) -> None:
    """The one for series sees no scene without a date; what the other says alone is no label."""
    before = TaughtPlace.by_fronts(place, told(fjord()), CPU, Silent()).carried()
    networks = [told(fjord(0)), told(fjord(0), beside=True)]
    taught = before.by_agreement(networks, known(before), CPU, Silent())
    np.testing.assert_array_equal(labels(taught, "undated"), labels(before, "undated"))
    assert (labels(taught, "other") == OCEAN).all()


@pytest.mark.parametrize(
    ("seconds", "rounds", "done", "enough"),
    [(0, 2, "", 0), (50, 2, "", 0), (51, 1, "once", 13), (75, 1, "once", 18), (76, 0, "not", 19)],
)
def test_networks_look_at_a_large_place_less_often(
    seconds: float, rounds: int, done: str, enough: int
) -> None:
    """A quarter of ten minutes, once for the model before."""
    opinion = SecondOpinion(seconds, [{}])
    assert opinion.rounds(10) == rounds
    advice = opinion.advice(10, rounds)
    if not done:
        assert not advice
    else:
        assert f"so they do it {done}" in advice
        assert advice.endswith(f"set MINUTES to {enough}.")
        assert opinion.rounds(enough / 1.1) == ROUNDS, "also if the next run is slower"


def test_two_networks_of_one_place_have_a_second_opinion(place: CorrectedPlace) -> None:
    def opinion(networks: Sequence[Network], aim: Aim, place: CorrectedPlace) -> SecondOpinion:
        taught = [TaughtPlace.by_fronts(place, told(fjord()), CPU, Silent())]
        return SecondOpinion.of(networks, taught, aim, CPU, Silent())

    assert opinion(BEFORE, Aim.ONE_PLACE, place).rounds(10) == ROUNDS
    undated = replace(place, corrected={"undated": True})
    for without in (
        opinion(BEFORE, Aim.HELD, place),
        opinion(BEFORE[:1], Aim.ONE_PLACE, place),
        opinion(BEFORE, Aim.ONE_PLACE, undated),
    ):
        assert not without.rounds(1e6)
        assert not without.advice(10, 0)


@pytest.mark.parametrize("seen", [fjord(FRONT - 10), fjord()[:, ::-1], fjord(0)])
def test_near_a_corrected_front_no_network_has_a_say(place: CorrectedPlace, seen: Zones) -> None:
    """Not even of the side: that was decided by the model before, on all dates."""
    before = TaughtPlace.by_fronts(place, told(fjord(FRONT + 5)), CPU, Silent())
    networks = [told(seen.copy()), told(seen.copy(), beside=True)]
    corrected = labels(before.by_agreement(networks, known(before), CPU, Silent()), "corrected")
    assert (corrected[:, FRONT - REACH + 1 : FRONT] == GLACIER).all()
    assert (corrected[:, FRONT : FRONT + REACH - 1] == OCEAN).all()
    assert not (corrected[:, :FRONT] == OCEAN).any()
    assert not (corrected[:, FRONT:] == GLACIER).any()


def test_the_coast_is_where_a_network_sees_a_front_that_nobody_drew() -> None:
    """It sees the fronts that were drawn, and the ice of the other shore."""
    front = LineString([(FRONT * CELL, 0), (FRONT * CELL, -ROWS * CELL)])
    shore = fjord()
    shore[:, FRONT + 60 :] = GLACIER
    dates = {"first": "2020-01-01", "second": "2021-01-01", "partly": "2022-01-01"}
    scenes = {name: scene(name, date, front) for name, date in dates.items()}
    there = Place("there", GRID, np.zeros(GRID.shape, np.bool_), scenes)

    def coast(network: Network, **complete: bool) -> str:
        place = CorrectedPlace(there, {**complete, "partly": False}, {})
        return TaughtPlace(place, {}, [*scenes.values()]).coast(network, CPU, Silent())

    first, second = {"first": True}, {"second": True}
    for beside in (False, True):
        assert coast(told(fjord(), beside=beside), **first, **second) == ""
        found = from_degrees(coast(told(shore, beside=beside), **first, **second), GRID.crs)
        x = (FRONT + 60) * CELL
        west, _, east, _ = found.bounds
        assert (west, east) == pytest.approx((x - WIDTH_M, x + WIDTH_M), abs=2.5 * CELL)
        assert coast(told(shore, beside=beside), **first) == "", "not all fronts of the other"
