"""Where no front was drawn, contact of glacier and ocean costs what it takes up."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.training.data.samples import OPEN, UNLABELLED
from glacier_qgis.models.training.fitting.objective import objective
from glacier_qgis.models.training.losses.stray_contact import WEIGHT, stray_contact
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK


def sure_of(zones: Tensor) -> Tensor:
    """Logits of a network that is sure of these zones."""
    return torch.nn.functional.one_hot(zones - 1, 4).movedim(-1, 1) * 60.0


def halves() -> Tensor:
    """Glacier beside ocean, (1, 20, 40): they meet along 20 cells."""
    zones = torch.full((1, 20, 40), GLACIER)
    zones[..., 20:] = OCEAN
    return zones


def test_contact_costs_its_share_of_the_cells_without_labels() -> None:
    nothing = torch.full((1, 20, 40), UNLABELLED)
    torch.testing.assert_close(stray_contact(sure_of(halves()), nothing), torch.tensor(2 / 40))
    lower_half = nothing.clone()
    lower_half[:, :10] = halves()[:, :10]
    torch.testing.assert_close(stray_contact(sure_of(halves()), lower_half), torch.tensor(2 / 40))


def test_labelled_fronts_and_walls_of_rock_cost_nothing() -> None:
    assert stray_contact(sure_of(halves()), halves()) == 0
    walls = halves()
    walls[..., 18:22] = ROCK
    nothing = torch.full((1, 20, 40), UNLABELLED)
    assert stray_contact(sure_of(walls), nothing) < 1e-12


def test_the_way_down_leads_to_rock_between() -> None:
    logits = (sure_of(halves()) / 30).requires_grad_()
    stray_contact(logits, torch.full((1, 20, 40), UNLABELLED)).backward()
    assert logits.grad is not None
    at_front = logits.grad[0, :, 10, 19:21]
    assert (at_front[ROCK - 1] < 0).all()
    assert at_front[GLACIER - 1, 0] > 0
    assert at_front[OCEAN - 1, 1] > 0


@pytest.mark.parametrize(("name", "more"), [("unet", 1), ("hed", 0)])
def test_networks_learn_it_where_fronts_alone_are_labelled(name: str, more: int) -> None:
    architecture = Architecture.model_validate(
        {"name": name, "parameters": {"bands": 2, "classes": 4}}
    )
    network = build(architecture)
    plain, taught = (
        objective(architecture, network, fronts_alone=alone) for alone in (False, True)
    )
    logits = torch.randn(1, 4 + more, 20, 40, generator=torch.Generator().manual_seed(1))
    zones = halves()
    zones[:, 10:] = UNLABELLED
    expected = plain.loss(logits, zones) + WEIGHT * stray_contact(logits[:, :4], zones)
    torch.testing.assert_close(taught.loss(logits, zones), expected)
    assert "no front was drawn" in taught.recipe
    assert plain.recipe != taught.recipe


def test_contact_costs_nothing_where_a_front_may_be_that_nobody_drew() -> None:
    architecture = Architecture.model_validate(
        {"name": "unet", "parameters": {"bands": 2, "classes": 4}}
    )
    taught = objective(architecture, build(architecture), fronts_alone=True)
    logits = torch.nn.functional.pad(sure_of(halves()), (0, 0, 0, 0, 0, 1))
    labelled = halves()
    labelled[..., 10:30] = UNLABELLED
    unknown = torch.where(labelled == UNLABELLED, OPEN, labelled)
    zones_alone = objective(architecture, build(architecture), fronts_alone=False)
    torch.testing.assert_close(taught.loss(logits, unknown), zones_alone.loss(logits, labelled))
    assert taught.loss(logits, labelled) > taught.loss(logits, unknown) + 0.1
