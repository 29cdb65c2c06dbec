"""Scenes beside others of their place: what is drawn, and what changes with it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from glacier_qgis.models.fronts.scene.companions import (
    CHANNELS,
    Sums,
    companion_channels,
    rank_levels,
)
from glacier_qgis.models.networks.unet import UNet, with_more_bands
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.views.chance import Chance
from glacier_qgis.models.training.views.rock import SeriesRockAugmentation
from glacier_qgis.models.training.views.sampling import sampler, with_negatives
from glacier_qgis.models.training.views.series import SIGNED, SeriesAugmentation, SeriesScenes

SIZE = 64


def scene(number: int, date: str, kind: type[LabelledScene] = LabelledScene) -> LabelledScene:
    random = np.random.default_rng(number)
    image = random.integers(1, 255, (SIZE, SIZE)).astype(np.uint8)
    image[:, : 4 * (number % 3)] = 0
    zones = np.full((SIZE, SIZE), 3, np.uint8)
    zones[:, SIZE // 2 :] = 4
    return kind(f"s{number}", "here", date, image, zones, zones < 0, (60.0, 60.0))


def place() -> SeriesScenes:
    dates = ["2012-03-01", "2010-01-01", "2010-02-01", "2010-06-20", "2012-02-01"]
    return SeriesScenes([scene(number, date) for number, date in enumerate(dates)])


def test_members_are_in_order_of_time_and_see_all_others_but_themselves() -> None:
    members = place().members()
    assert [member.name for member in members] == ["s1", "s2", "s3", "s4", "s0"]
    second = members[1]
    seen = [member.scene.equalised() for member in members]
    levels = np.stack([rank_levels(ranks[0]) for ranks, _ in seen])
    valid = np.stack([mask > 0 for _, mask in seen])
    channels, mask = second.equalised()
    assert channels.shape == (1 + len(CHANNELS), SIZE, SIZE)
    np.testing.assert_array_equal(channels[0], second.scene.equalised()[0][0])
    np.testing.assert_array_equal(mask, second.scene.equalised()[1])
    others, near = [0, 2, 3, 4], [0, 2]
    expected = companion_channels(
        Sums.of(levels[near], valid[near]), Sums.of(levels[others], valid[others])
    )
    np.testing.assert_array_equal(channels[1:], expected)


def test_companions_are_drawn_none_few_and_all_and_only_from_the_generator() -> None:
    members = place().members()

    def company(seed: int) -> tuple[int, ...]:
        chance = Chance(1, SIZE, torch.Generator().manual_seed(seed))
        augment = SeriesAugmentation(chance, 60.0)
        return augment._company(len(members), 2)

    drawn = [company(seed) for seed in range(200)]
    assert drawn == [company(seed) for seed in range(200)]
    assert {len(each) for each in drawn} == {0, 2, 3, 4, 5}
    assert all(list(each) == sorted(set(each)) for each in drawn)


def test_a_lone_scene_has_no_companions_and_a_negative_has_the_same_deviation() -> None:
    def draw(*, lone: bool, negatives: bool) -> torch.Tensor:
        pool = [scene(1, "2010-01-01")] if lone else place().members()
        batches = sampler([pool], 8, SIZE, 60.0, SeriesAugmentation)
        if negatives:
            batches = with_negatives(batches, SIGNED)
        return batches(torch.Generator().manual_seed(3))[0]

    assert not draw(lone=True, negatives=False)[:, 1:-1].any()
    plain, negative = (draw(lone=False, negatives=either) for either in (False, True))
    assert plain.shape == (8, 2 + len(CHANNELS), SIZE, SIZE)
    assert plain[:, 1:-1].abs().amax(dim=(0, 2, 3)).min() > 0
    torch.testing.assert_close(plain[:, SIGNED:], negative[:, SIGNED:])
    turned = [
        torch.equal(before[:SIGNED], -after[:SIGNED]) and before.any()
        for before, after in zip(plain, negative, strict=True)
    ]
    kept = [torch.equal(before, after) for before, after in zip(plain, negative, strict=True)]
    assert any(turned)
    assert any(kept)
    assert all(one or other for one, other in zip(turned, kept, strict=True))


def test_rock_is_the_last_band_beside_companions_and_without() -> None:
    rocky = scene(1, "2010-01-01", RockyScene)
    here = SeriesScenes([rocky, scene(3, "2010-02-01")])
    for sample in (here.members()[0], rocky):
        chance = Chance(30, SIZE, torch.Generator().manual_seed(5))
        images, _ = SeriesRockAugmentation(chance, 60.0)([sample] * 30)
        assert images.shape[1] == 3 + len(CHANNELS)
        seen = [image[-2].unique().tolist() for image in images]
        assert [0.0] in seen
        assert any(max(values) > 0.99 for values in seen)
        assert all(0 <= min(values) <= max(values) < 1.001 for values in seen)


class RockyScene(LabelledScene):
    """A scene whose lower half is known to be rock, its second band."""

    def equalised(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        ranks, valid = super().equalised()
        rock = np.zeros_like(ranks)
        rock[:, SIZE // 2 :] = 1
        return np.concatenate([ranks, rock * valid]), valid


def test_further_bands_change_nothing_before_they_are_trained() -> None:
    torch.manual_seed(1)
    for stem in (1, 2):
        lone = UNet(bands=2, width=8, levels=2, dilations=[1, 2], stem=stem).eval()
        wide = UNet(bands=5, width=8, levels=2, dilations=[1, 2], stem=stem).eval()
        wide.load_state_dict(with_more_bands(lone.state_dict(), 3, stem))
        image = torch.randn(2, 5, 32, 32)
        with torch.inference_mode():
            torch.testing.assert_close(wide(image), lone(image[:, [0, -1]]), atol=1e-5, rtol=1e-4)
