"""The network's input does not depend on how a scene's values are stored."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glacier_qgis.models.fronts.scene.radiometry import (
    LEVELS,
    border_fill,
    equalise,
    scene_quantiles,
)

Scene = npt.NDArray[np.float32]

SCENES = hnp.arrays(
    np.float32,
    st.integers(1, 400),
    elements=st.integers(1, 60_000).map(float),
)
"""Digital numbers of a 16-bit amplitude image: any of them may repeat."""


def look(scene: Scene) -> Scene:
    return equalise(scene, scene_quantiles(scene))


def intensity(scene: Scene) -> Scene:
    return (scene.astype(np.float64) ** 2 * 1e-9).astype(np.float32)


def decibels(scene: Scene) -> Scene:
    return (20 * np.log10(scene.astype(np.float64)) - 83).astype(np.float32)


def sixteen_bit(scene: Scene) -> Scene:
    return scene.astype(np.uint16).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("stored_as", [intensity, decibels, sixteen_bit])
@given(scene=SCENES)
def test_a_rising_function_of_the_values_changes_nothing(
    stored_as: Callable[[Scene], Scene], scene: Scene
) -> None:
    np.testing.assert_array_equal(look(stored_as(scene)), look(scene))


def test_an_eight_bit_stretch_with_clipped_tails_changes_little_between_the_tails() -> None:
    scene = np.random.default_rng(5).gamma(4, 200, 100_000).astype(np.float32)
    low, high = np.percentile(decibels(scene), [2, 98])
    stretched = np.rint(255 * np.clip((decibels(scene) - low) / (high - low), 0, 1))
    middle = (stretched > 0) & (stretched < 255)
    difference = look(stretched.astype(np.float32)) - look(scene)
    assert np.abs(difference[middle]).max() < 0.03
    assert np.abs(difference).max() < 0.05


@given(scene=SCENES)
def test_ranks_keep_the_order_and_the_range(scene: Scene) -> None:
    seen = look(scene)
    assert seen.min() >= -1
    assert seen.max() <= 1
    assert np.all(np.diff(seen[np.argsort(scene, kind="stable")]) >= 0)


def test_ranks_of_a_continuous_scene_are_uniform() -> None:
    seen = look(np.random.default_rng(1).lognormal(0, 2, 200_000).astype(np.float32))
    shares, _ = np.histogram(seen, bins=16, range=(-1, 1))
    np.testing.assert_allclose(shares / seen.size, 1 / 16, atol=0.005)


def test_a_saturated_share_gets_the_middle_of_its_ranks() -> None:
    scene = np.concatenate([np.full(300, 9.0), np.linspace(0, 1, 700)]).astype(np.float32)
    assert look(scene)[0] == pytest.approx(2 * 0.85 - 1, abs=2 / LEVELS)


def test_a_rare_value_between_two_frequent_ones_ranks_between_them_in_every_form() -> None:
    scene = np.concatenate([np.full(5000, 1.0), [30.0], np.full(5000, 1000.0)]).astype(np.float32)
    for form in (scene, intensity(scene), decibels(scene)):
        assert look(form)[5000] == pytest.approx(0, abs=2 / LEVELS)


def test_a_missing_value_is_zero_and_does_not_count() -> None:
    scene = np.array([1, 2, np.nan, 3], np.float32)
    quantiles = scene_quantiles(scene[np.isfinite(scene)])
    seen = equalise(scene, quantiles)
    assert seen[2] == 0
    np.testing.assert_array_equal(np.delete(seen, 2), look(np.array([1, 2, 3], np.float32)))


def test_fill_is_a_large_patch_of_zeros_at_the_border_and_shadow_inside_is_not() -> None:
    zero = np.zeros((100, 100), bool)
    zero[:20, :30] = True
    zero[50:80, 50:80] = True
    zero[99, 40] = True
    expected = np.zeros_like(zero)
    expected[:20, :30] = True
    np.testing.assert_array_equal(border_fill(zero), expected)
