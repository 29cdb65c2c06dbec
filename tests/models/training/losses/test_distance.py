"""The second head: distances are those of the plane, and models come out without it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.training.fitting.objective import objective
from glacier_qgis.models.training.losses.distance import (
    FAR,
    distance_to_front,
    two_heads_loss,
)
from glacier_qgis.models.training.losses.zones import zone_loss
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK

SMALL = {"bands": 2, "classes": 4, "width": 8}


@given(at=st.integers(1, 39), turned=st.booleans())
def test_the_distance_to_a_straight_front_is_that_across_it(at: int, turned: bool) -> None:
    zones = torch.full((40, 40), GLACIER)
    zones[:, at:] = OCEAN
    across = torch.arange(40)
    expected = torch.where(across < at, at - 1 - across, across - at).clamp(max=FAR) / FAR
    found = distance_to_front((zones.T if turned else zones)[None])[0]
    torch.testing.assert_close(found.T if turned else found, expected.expand(40, 40))


def test_there_is_no_front_where_rock_lies_between() -> None:
    zones = torch.full((20, 20), GLACIER)
    zones[:, 8:12] = ROCK
    zones[:, 12:] = OCEAN
    assert (distance_to_front(zones[None]) == 1).all()


def test_a_distance_that_is_right_costs_nothing_and_unlabelled_cells_never_do() -> None:
    generator = torch.Generator().manual_seed(1)
    zones = torch.full((2, 32, 32), GLACIER)
    zones[:, :, 16:] = OCEAN
    logits = torch.randn(2, 5, 32, 32, generator=generator)
    logits[:, -1] = distance_to_front(zones)
    torch.testing.assert_close(two_heads_loss(logits, zones), zone_loss(logits[:, :-1], zones))
    logits[:, -1, :, 25:] += 1
    assert two_heads_loss(logits, zones) > zone_loss(logits[:, :-1], zones) + 0.01
    zones[:, :, 25:] = UNLABELLED
    torch.testing.assert_close(two_heads_loss(logits, zones), zone_loss(logits[:, :-1], zones))


@pytest.mark.parametrize("name", ["unet", "hrnet"])
def test_a_training_begins_and_ends_with_a_network_of_zones(name: str) -> None:
    architecture = Architecture.model_validate({"name": name, "parameters": SMALL})
    torch.manual_seed(1)
    network = build(architecture).eval()
    taught = objective(architecture, network, fronts_alone=False)
    image = torch.randn(1, 2, 64, 64)
    with torch.inference_mode():
        answer = taught.network.eval()(image)
        assert answer.shape[1] == 5
        torch.testing.assert_close(answer[:, :-1], network(image))
    left = taught.zones_alone(taught.network.state_dict())
    assert left.keys() == network.state_dict().keys()
    for key, value in network.state_dict().items():
        assert torch.equal(left[key], value)


def test_a_hed_learns_zones_alone() -> None:
    architecture = Architecture.model_validate(
        {"name": "hed", "parameters": {"bands": 2, "classes": 4}}
    )
    network = build(architecture)
    taught = objective(architecture, network, fronts_alone=False)
    logits = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    zones = torch.full((1, 8, 8), GLACIER)
    assert taught.loss(logits, zones) == zone_loss(logits, zones)
    assert taught.zones_alone(taught.network.state_dict()).keys() == network.state_dict().keys()
