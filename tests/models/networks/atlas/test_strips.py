from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from glacier_qgis.models.networks.atlas.strips import STRIP_HEIGHT, Strips

masks = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40))


@given(rows=st.integers(1, 200), columns=st.integers(1, 5))
def test_strips_cover_every_row_and_only_the_last_two_overlap(rows: int, columns: int) -> None:
    strips = Strips(rows, columns)
    covered = np.concatenate([np.arange(strips.height) + first for first in strips.first_row])
    assert set(covered) == set(range(rows))
    assert len(strips.first_row) == -(-rows // STRIP_HEIGHT)
    once = covered[: strips.height * (len(strips.first_row) - 1)]
    assert len(set(once)) == len(once)


@given(mask=masks, reach=st.integers(0, 12))
def test_columns_within_reach_are_those_of_a_square_dilation(mask: np.ndarray, reach: int) -> None:
    strips = Strips(*mask.shape)
    found = strips.columns_within(strips.count_above(mask), reach)
    near = ndimage.binary_dilation(mask, np.ones((2 * reach + 1, 2 * reach + 1)))
    expected = [near[first : first + strips.height].any(axis=0) for first in strips.first_row]
    np.testing.assert_array_equal(found, expected)
