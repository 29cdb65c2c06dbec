"""Patches of optical scenes."""

from __future__ import annotations

import numpy as np
import torch

from glacier_qgis.models.fronts.scene.radiometry import LEVELS, equalise, scene_quantiles
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.delivered.optical_views import OpticalAugmentation, ranked
from glacier_qgis.models.training.views.chance import Chance
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK


def fjord(size: int = 128) -> LabelledScene:
    """Return dark ocean, grey rock and bright glacier, with a little noise."""
    zones = np.full((size, size), OCEAN, np.uint8)
    zones[size // 2 :] = GLACIER
    zones[:, : size // 4] = ROCK
    grey = np.array([0, 0, 110, 200, 40])[zones]
    image = grey + np.random.default_rng(1).normal(0, 8, zones.shape)
    return LabelledScene(
        "fjord", "A", "", image.clip(1, 255).astype(np.uint8), zones, zones < 0, (60.0, 60.0)
    )


def patches(seed: int, count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    chance = Chance(count, 64, torch.Generator().manual_seed(seed))
    images, zones = OpticalAugmentation(chance, 60.0)([fjord()] * count)
    return [*zip(images, zones, strict=True)]


def test_ranks_of_patches_are_those_of_scenes() -> None:
    random = np.random.default_rng(2)
    values = random.normal(size=(3, 40, 40)).round(1).astype(np.float32)
    valid = random.random((3, 40, 40)) < 0.7
    valid[2] = False
    ranks = ranked(torch.from_numpy(values), torch.from_numpy(valid.astype(np.float32)))
    for each, inside, own in zip(values[:2], valid[:2], ranks.numpy()[:2], strict=True):
        expected = equalise(np.where(inside, each, np.nan), scene_quantiles(each[inside]))
        np.testing.assert_allclose(own, expected, atol=2 / LEVELS)
        assert np.isclose(own, expected, atol=1e-6).mean() > 0.95
    assert not ranks[2].any()


def test_patches_depend_on_the_generator_alone() -> None:
    for (image, zones), (again, same) in zip(patches(5, 12), patches(5, 12), strict=True):
        assert torch.equal(image, again)
        assert torch.equal(zones, same)


def test_values_are_ranks_and_nothing_where_nothing_is_seen() -> None:
    for image, zones in patches(6, 40):
        assert torch.isfinite(image).all()
        assert image[0].abs().max() <= 1
        outside = image[-1] == 0
        assert not image[0][outside].any()
        assert not zones[outside].any()


def test_most_patches_are_ranked_again_as_if_they_were_scenes() -> None:
    middles = np.array([float(image[0][image[-1] > 0].median()) for image, _ in patches(7, 60)])
    ranked = np.abs(middles) < 0.02
    assert 0.4 < ranked.mean() < 0.85


def test_water_may_be_darker_or_brighter_than_ice_but_is_mostly_darker() -> None:
    darker = []
    for image, zones in patches(8, 60):
        ocean, glacier = (image[0][zones == code] for code in (OCEAN, GLACIER))
        if len(ocean) > 50 and len(glacier) > 50:
            darker.append(bool(ocean.median() < glacier.median()))
    assert 0.6 < np.mean(darker) < 1
