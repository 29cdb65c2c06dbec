"""Patches of a scene: true to the ground, and so are their labels."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from glacier_qgis.models.training.data.samples import UNLABELLED, LabelledScene
from glacier_qgis.models.training.views.augment import (
    ANYHOW,
    AS_IT_LIES,
    Augmentation,
    Framing,
    pasted,
)
from glacier_qgis.models.training.views.chance import Chance
from glacier_qgis.models.training.views.look import View, look
from glacier_qgis.models.training.views.sampling import sampler, with_negatives
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK

RADIUS = 2000.0
CELL = (90.0, 60.0)
SHAPE = (160, 140)


@pytest.fixture
def lake() -> LabelledScene:
    """A round lake, dark, with a radius of `RADIUS` m, in a glacier; pixels are not square."""
    rows, columns = np.indices(SHAPE)
    x = (columns - SHAPE[1] / 2 + 0.5) * CELL[0]
    y = (rows - SHAPE[0] / 2 + 0.5) * CELL[1]
    inside = np.hypot(x, y) < RADIUS
    noise = np.random.default_rng(0).integers(1, 60, SHAPE)
    return LabelledScene(
        name="lake",
        group="lake",
        date="2026-01-01",
        image=(np.where(inside, 20, 150) + noise).astype(np.uint8),
        zones=np.where(inside, OCEAN, GLACIER).astype(np.uint8),
        traced=np.zeros(SHAPE, bool),
        cell_size=CELL,
    )


@pytest.mark.parametrize("angle", [0.0, 0.6, math.pi / 2, 4.0])
@pytest.mark.parametrize("mirrored", [False, True])
def test_on_square_cells_a_round_lake_is_round_at_any_angle(
    lake: LabelledScene, angle: float, mirrored: bool
) -> None:
    centre = ((SHAPE[0] - 1) / 2, (SHAPE[1] - 1) / 2)
    view = View(centre, (128, 128), (50.0, 50.0), angle, mirrored)
    image, zones = look(lake, view)
    ocean = (zones == OCEAN).nonzero().float()
    extent = ocean.amax(0) - ocean.amin(0) + 1
    torch.testing.assert_close(extent * 50, torch.full((2,), 2 * RADIUS), rtol=0.03, atol=0)
    torch.testing.assert_close(ocean.mean(0), torch.full((2,), 63.5), rtol=0, atol=0.7)
    seen = image[0]
    assert (seen[zones == OCEAN] < seen[zones == GLACIER].min() + 0.6).float().mean() > 0.99


def test_beyond_the_scene_there_is_nothing_to_see_and_nothing_to_learn(lake: LabelledScene) -> None:
    image, zones = look(lake, View((0, 0), (64, 64), (60.0, 60.0)))
    assert torch.all(zones[:31] == UNLABELLED)
    assert torch.all(image[:, :31] == 0)
    assert torch.all(image[1, 33:, 33:] == 1)


def test_zero_fill_is_masked(lake: LabelledScene) -> None:
    lake.image[:40] = 0
    filled = LabelledScene(
        lake.name, lake.group, lake.date, lake.image, lake.zones, lake.traced, lake.cell_size
    )
    view = View((20, 70), (16, 16), (60.0, 60.0))
    masked, nothing = look(filled, view)
    assert torch.all(masked == 0)
    assert torch.all(nothing == UNLABELLED)


def chance(batch: int, size: int, seed: int) -> Chance:
    return Chance(batch, size, torch.Generator().manual_seed(seed))


def test_random_patches_stay_in_range_and_masked_cells_are_zero_and_unlabelled(
    lake: LabelledScene,
) -> None:
    images, zones = Augmentation(chance(40, 64, 2), 60.0)([lake] * 40)
    masked = images[:, 1] == 0
    assert images.abs().max() <= 1
    assert not images[:, 0][masked].any()
    assert torch.all(zones[masked] == UNLABELLED)
    assert masked.any()


def test_the_generator_alone_decides_the_views(lake: LabelledScene) -> None:
    first, again = (Augmentation(chance(3, 32, 7), 60.0)([lake] * 3) for _ in range(2))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0][0], first[0][1])


@pytest.mark.parametrize(("framing", "kept"), [(AS_IT_LIES, True), (ANYHOW, False)])
def test_patches_for_one_place_show_on_which_side_its_sea_is(
    lake: LabelledScene, framing: Framing, kept: bool
) -> None:
    west = np.arange(SHAPE[1]) < SHAPE[1] // 2
    zones = np.where(west, OCEAN, GLACIER).astype(np.uint8) * np.ones((SHAPE[0], 1), np.uint8)
    shore = replace(lake, zones=zones)
    _, patches = Augmentation(chance(60, 32, 1), 60.0, framing)([shore] * 60)
    columns = torch.arange(32.0).expand(32, 32)
    sides = [
        columns[patch == OCEAN].mean() < columns[patch == GLACIER].mean()
        for patch in patches
        if (patch == OCEAN).any() and (patch == GLACIER).any()
    ]
    assert len(sides) > 30
    assert all(sides) is kept


def test_zones_are_pasted_with_what_is_seen_of_them() -> None:
    zones = torch.tensor([OCEAN, GLACIER])[:, None, None].expand(2, 4, 4).clone()
    zones[:, 0] = ROCK
    images = (10.0 * torch.arange(2)[:, None, None] + zones)[:, None]
    seen = set()
    for seed in range(60):
        new, new_zones = pasted((images, zones), chance(2, 4, seed), 1.0)
        assert torch.equal(new[:, 0] % 10, new_zones.float())
        seen.add(
            tuple((new[:, 0] // 10 != torch.arange(2)[:, None, None]).flatten(1).sum(1).tolist())
        )
    assert {(0, 0), (4, 4), (12, 0), (0, 12), (16, 4), (4, 16)} <= seen
    assert torch.equal(pasted((images, zones), chance(2, 4, 1), 0.0)[0], images)


@pytest.mark.parametrize("nodes", [2, 3, 5])
def test_a_field_of_drawn_nodes_is_a_field_of_that_many(nodes: int) -> None:
    drawn = chance(400, 20, 3)
    varied, plain = drawn.field_of(nodes, nodes), drawn.field(nodes)
    for field in (varied, plain):
        assert field.shape == (400, 20, 20)
    torch.testing.assert_close(varied.var(0).mean(), plain.var(0).mean(), rtol=0.1, atol=0)
    steps = varied.diff(dim=2).diff(dim=2).abs() > 1e-4
    assert int(steps.any(dim=(0, 1)).sum()) <= 2 * nodes


@given(end=st.integers(1, 5000), seed=st.integers(0, 1000))
def test_a_drawn_integer_is_below_its_end(end: int, seed: int) -> None:
    drawn = chance(50, 8, seed).below(torch.full((50,), end))
    assert 0 <= int(drawn.min()) <= int(drawn.max()) < end


def test_half_of_the_views_are_negatives_with_the_same_mask_and_zones(lake: LabelledScene) -> None:
    batches = sampler([[lake]], batch=32, size=32, cell_size=60.0)
    images, zones = batches(torch.Generator().manual_seed(4))
    changed, same_zones = with_negatives(batches)(torch.Generator().manual_seed(4))
    negative = (changed[:, 0] == -images[:, 0]).all(dim=(1, 2))
    kept = (changed[:, 0] == images[:, 0]).all(dim=(1, 2))
    assert torch.equal(negative, ~kept)
    assert 8 <= int(negative.sum()) <= 24
    torch.testing.assert_close(changed[:, 1], images[:, 1])
    assert torch.equal(same_zones, zones)
