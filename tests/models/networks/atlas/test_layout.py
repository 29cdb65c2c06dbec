from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from glacier_qgis.models.networks.atlas.layout import pack
from glacier_qgis.models.networks.atlas.strips import Strips

needed_columns = arrays.arrays(
    bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=25)
).filter(np.any)


@given(needed=needed_columns, parts=st.integers(1, 6))
def test_every_needed_column_is_an_inner_one_exactly_once(needed: np.ndarray, parts: int) -> None:
    layout = pack(needed, parts)
    times = np.zeros(needed.shape, dtype=int)
    np.add.at(times, (layout.strip[layout.inner], layout.column[layout.inner]), 1)
    np.testing.assert_array_equal(times, needed)


@given(needed=needed_columns, parts=st.integers(1, 6))
def test_each_inner_column_lies_between_its_neighbours_in_the_grid(
    needed: np.ndarray, parts: int
) -> None:
    layout = pack(needed, parts)
    inner = layout.inner.nonzero()[0]
    for step in (-1, 1):
        assert ((inner + step) // layout.width == inner // layout.width).all()
        np.testing.assert_array_equal(layout.column[inner + step], layout.column[inner] + step)
        np.testing.assert_array_equal(layout.strip[inner + step], layout.strip[inner])


@given(needed=needed_columns, parts=st.integers(1, 6))
def test_parts_hold_the_same_number_of_needed_columns_up_to_one(
    needed: np.ndarray, parts: int
) -> None:
    counts = pack(needed, parts).inner.reshape(parts, -1).sum(axis=1)
    assert counts.max() - counts.min() <= 1


@given(rows=st.integers(1, 30), columns=st.integers(1, 20), seed=st.integers(0, 99))
def test_cells_know_their_place_in_the_grid(rows: int, columns: int, seed: int) -> None:
    strips = Strips(rows, columns)
    needed = np.random.default_rng(seed).random((len(strips.first_row), columns)) < 0.4
    needed[0, 0] = True
    layout = pack(needed, 2)
    grid = np.arange(rows * columns).reshape(rows, columns)
    padded = np.pad(grid, 1, constant_values=strips.outside)
    cells = layout.in_grid(strips)
    for index in layout.inner.nonzero()[0]:
        first = strips.first_row[layout.strip[index]]
        column = layout.column[index]
        np.testing.assert_array_equal(
            cells[:, index - 1 : index + 2],
            padded[first : first + strips.height + 2, column : column + 3],
        )
