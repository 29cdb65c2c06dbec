from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from glacier_qgis.models.networks.atlas.plan import LayerGroup, make_plan
from glacier_qgis.models.networks.atlas.strips import STRIP_HEIGHT

masks = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=30)).filter(np.any)


def test_no_cell_wanted_is_refused() -> None:
    with pytest.raises(ValueError, match="no cell"):
        make_plan(np.zeros((4, 5), dtype=bool), 3)


def trace(group: LayerGroup, height: int, before: np.ndarray) -> np.ndarray:
    """Follow the copies of a group: index in the grid of every cell of its atlas, flattened.

    Raises:
        AssertionError: A halo cell is copied from another cell of the grid than it stands for.
    """
    size = (height + 2) * group.width
    atlas = np.full(len(group.parts) * size + 1, before[-1])
    for part, indices in enumerate(group.parts):
        own = before[indices.source.numpy()]
        own[indices.remembered.numpy()] = indices.remembered_in_grid.numpy()
        atlas[part * size : (part + 1) * size] = own
    for part, indices in enumerate(group.parts):
        own = atlas[part * size : (part + 1) * size]
        after = own.copy()
        after[indices.halo.numpy()] = atlas[indices.halo_source.numpy()]
        after[indices.halo_remembered.numpy()] = indices.halo_remembered_in_grid.numpy()
        held = after != before[-1]
        np.testing.assert_array_equal(after[held], own[held])
    return atlas


@given(
    wanted=masks,
    layers=st.integers(1, 14),
    parts=st.integers(1, 4),
    share=st.sampled_from([None, 0, 0.01, 0.2]),
    seed=st.integers(0, 99),
)
def test_copies_stay_with_their_cell_of_the_grid(
    wanted: np.ndarray, layers: int, parts: int, share: float | None, seed: int
) -> None:
    changed = None
    if share is not None:
        changed = np.random.default_rng(seed).random(wanted.shape) < share
    plan = make_plan(wanted, layers, changed, parts)
    cells = np.arange(wanted.size + 1)
    for group in plan.groups:
        cells = trace(group, plan.height, cells)
    np.testing.assert_array_equal(cells[plan.wanted.numpy()], np.flatnonzero(wanted))


def test_parts_are_of_equal_size_and_almost_no_cell_is_computed_twice() -> None:
    wanted = np.zeros((300, 300), dtype=bool)
    wanted[40:260, 50:250] = True
    alone, shared = make_plan(wanted, 16), make_plan(wanted, 16, parts=4)
    for one, four in zip(alone.groups, shared.groups, strict=True):
        assert len(four.parts) == 4
        assert 4 * four.width < 1.05 * one.width


def test_a_band_of_ice_costs_its_surroundings_only() -> None:
    wanted = np.zeros((400, 400), dtype=bool)
    wanted[200:204] = True
    layers = 16
    cells = [
        len(group.layers) * STRIP_HEIGHT * group.width for group in make_plan(wanted, layers).groups
    ]
    reach = layers + STRIP_HEIGHT
    assert sum(cells) < layers * (4 + 2 * reach) * 402


def test_an_earlier_plan_lends_its_groups_only_where_they_are_the_same() -> None:
    wanted = np.zeros((64, 64), dtype=bool)
    wanted[20:40, 20:40] = True
    plan = make_plan(wanted, 8)
    fewer = wanted.copy()
    fewer[30, 30] = False
    again = make_plan(fewer, 8, earlier=plan)
    assert again.groups is plan.groups
    assert len(again.wanted) == len(plan.wanted) - 1
    assert make_plan(wanted, 8, parts=2, earlier=plan).groups is not plan.groups
    wider = wanted.copy()
    wider[60, 60] = True
    assert make_plan(wider, 8, earlier=plan).groups is not plan.groups
