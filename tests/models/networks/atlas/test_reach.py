from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from glacier_qgis.models.networks.atlas.reach import (
    LAYERS_PER_GROUP,
    layer_groups,
    needed_columns,
    remembered_layers,
)
from glacier_qgis.models.networks.atlas.strips import Strips

masks = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40))


@given(layers=st.integers(1, 40))
def test_groups_hold_every_layer_once_in_order(layers: int) -> None:
    groups = layer_groups(layers)
    assert [layer for group in groups for layer in group] == list(range(layers))
    assert all(len(group) == LAYERS_PER_GROUP for group in groups[:-1])


def test_a_network_of_16_or_8_layers_remembers_the_first_half() -> None:
    assert remembered_layers(16) == 8
    assert remembered_layers(8) == 4
    assert remembered_layers(4) == 0


@given(wanted=masks, layers=st.integers(1, 20))
def test_each_group_needs_fewer_columns_than_the_one_before(
    wanted: np.ndarray, layers: int
) -> None:
    needed = needed_columns(Strips(*wanted.shape), wanted, layers, None)
    assert len(needed) == len(layer_groups(layers))
    for before, after in pairwise(needed):
        assert not (after & ~before).any()


@given(wanted=masks.filter(np.any), layers=st.integers(9, 20), seed=st.integers(0, 99))
def test_remembered_layers_are_needed_near_changed_cells_only(
    wanted: np.ndarray, layers: int, seed: int
) -> None:
    strips = Strips(*wanted.shape)
    changed = np.random.default_rng(seed).random(wanted.shape) < 0.01
    whole = needed_columns(strips, wanted, layers, None)
    limited = needed_columns(strips, wanted, layers, changed)
    counts = strips.count_above(changed)
    for group, before, after in zip(layer_groups(layers), whole, limited, strict=True):
        if group.stop > remembered_layers(layers):
            np.testing.assert_array_equal(after, before)
        else:
            expected = before & strips.columns_within(counts, group.stop)
            if not expected.any():
                expected[0, 0] = True
            np.testing.assert_array_equal(after, expected)
