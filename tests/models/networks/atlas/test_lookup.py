from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from glacier_qgis.models.networks.atlas.layout import pack
from glacier_qgis.models.networks.atlas.lookup import Lookup
from glacier_qgis.models.networks.atlas.strips import Strips


@st.composite
def lookups(draw: st.DrawFn, shape: tuple[int, int] | None = None) -> Lookup:
    strips = Strips(*(shape or draw(st.tuples(st.integers(1, 40), st.integers(1, 25)))))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    needed = rng.random((len(strips.first_row), strips.shape[1])) < draw(st.floats(0.05, 1))
    needed[-1, -1] = True
    return Lookup(strips, pack(needed, draw(st.integers(1, 4))))


def cells_in_grid(lookup: Lookup) -> np.ndarray:
    """Index in the grid of each cell of the flattened atlas, the cell of zeros included."""
    cells = lookup.layout.in_grid(lookup.strips)
    parts = np.split(cells, lookup.layout.parts, axis=1)
    return np.append(np.concatenate([part.ravel() for part in parts]), lookup.strips.outside)


@given(lookup=lookups())
def test_a_cell_is_found_where_it_lies_and_only_if_a_strip_holds_it(lookup: Lookup) -> None:
    rows, columns = lookup.strips.shape
    row, column = np.mgrid[-1 : rows + 1, -1 : columns + 1]
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    found = lookup.find(row, column)
    held = found != lookup.absent
    assert not (held & ~inside).any()
    np.testing.assert_array_equal(
        cells_in_grid(lookup)[found][held], (row * columns + column)[held]
    )
    inner = lookup.layout.inner
    for strip, at in zip(lookup.layout.strip[inner], lookup.layout.column[inner], strict=True):
        first = lookup.strips.first_row[strip]
        own = np.arange(first, first + lookup.strips.height)
        own = own[own // lookup.strips.height == strip]
        assert held[own + 1, at + 1].all()


@given(data=st.data())
def test_cells_of_another_atlas_are_the_same_cells_of_the_grid(data: st.DataObject) -> None:
    here = data.draw(lookups())
    other = data.draw(lookups(here.strips.shape))
    found = here.find_layout(other.layout)
    expected = other.layout.in_grid(here.strips)
    held = found != here.absent
    np.testing.assert_array_equal(cells_in_grid(here)[found][held], expected[held])


@given(lookup=lookups())
def test_an_atlas_finds_all_its_own_inner_cells_in_themselves(lookup: Lookup) -> None:
    layout, height = lookup.layout, lookup.strips.height
    size = (height + 2) * layout.width
    part, column = np.divmod(layout.inner.nonzero()[0], layout.width)
    rows = np.arange(1, height + 1)[:, np.newaxis]
    found = lookup.find_layout(layout)[1:-1, layout.inner]
    np.testing.assert_array_equal(found, part * size + rows * layout.width + column)
