"""Components found strip by strip are those of the whole mask."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from glacier_qgis.models.raster.components import Components

Mask = npt.NDArray[np.bool_]
MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=14))


def components(mask: Mask, strip: int) -> Components:
    return Components(lambda start, stop: mask[start:stop], mask.shape[0], strip)


def labelled(mask: Mask) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Labels and sizes, by labelling the whole."""
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return labels, sizes


@settings(max_examples=300)
@given(mask=MASKS, strip=st.integers(1, 15), least=st.integers(1, 30))
def test_strips_find_what_the_whole_mask_holds(mask: Mask, strip: int, least: int) -> None:
    found = components(mask, strip)
    labels, sizes = labelled(mask)
    assert sorted(found.sizes[1:]) == sorted(sizes[1:])
    kept = found.select(found.sizes >= least)(0, mask.shape[0])
    np.testing.assert_array_equal(kept, (sizes >= least)[labels])


@settings(max_examples=200)
@given(mask=MASKS, strip=st.integers(1, 15), seed=st.integers(0, 99))
def test_edges_are_those_between_cells(mask: Mask, strip: int, seed: int) -> None:
    """Compared with a count edge by edge; a component is known by its cells."""
    touched = np.random.default_rng(seed).random(mask.shape) < 0.3
    found = components(mask, strip)
    counted = found.edges_with(lambda start, stop: touched[start:stop])
    labels, sizes = labelled(mask)
    around = np.pad(touched, 1, constant_values=True)
    beyond = np.pad(~mask, 1, constant_values=True)
    edges, rim = np.zeros_like(sizes), np.zeros_like(sizes)
    for row, column in zip(*np.nonzero(mask), strict=True):
        for down, right in ((0, 1), (2, 1), (1, 0), (1, 2)):
            edges[labels[row, column]] += around[row + down, column + right]
            rim[labels[row, column]] += beyond[row + down, column + right]
    ours = sorted(zip(found.sizes[1:], counted[1:], found.rim[1:], strict=True))
    assert ours == sorted(zip(sizes[1:], edges[1:], rim[1:], strict=True))


@settings(max_examples=100)
@given(mask=MASKS, strip=st.integers(1, 15), data=st.data())
def test_any_rows_can_be_read_in_any_order(mask: Mask, strip: int, data: st.DataObject) -> None:
    found = components(mask, strip)
    read = found.select(found.sizes >= 3)
    labels, sizes = labelled(mask)
    for _ in range(4):
        start = data.draw(st.integers(0, mask.shape[0] - 1))
        stop = data.draw(st.integers(start + 1, mask.shape[0]))
        np.testing.assert_array_equal(read(start, stop), (sizes >= 3)[labels][start:stop])


def test_two_arms_that_meet_rows_later_are_one_component() -> None:
    mask = np.zeros((40, 9), dtype=bool)
    mask[:, 1] = mask[:, 7] = mask[-1, 1:8] = True
    found = components(mask, 3)
    assert found.sizes.tolist() == [0, 85]
