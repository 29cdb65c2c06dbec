"""Components found strip by strip are those of the whole mask."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from glacier_qgis.models.fronts.components import Components

Mask = npt.NDArray[np.bool_]
MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=14))


def components(mask: Mask, strip: int) -> Components:
    return Components(lambda start, stop: mask[start:stop], mask.shape[0], strip)


def expected(mask: Mask, share: float) -> tuple[list[int], Mask]:
    """Sizes in descending order and the pruned mask, by labelling the whole."""
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept = (sizes >= share * sizes.max()) & (sizes > 0)
    return sorted(sizes[1:].tolist(), reverse=True), kept[labels]


@settings(max_examples=300, deadline=None)
@given(mask=MASKS, strip=st.integers(1, 15), share=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_strips_find_what_the_whole_mask_holds(mask: Mask, strip: int, share: float) -> None:
    found = components(mask, strip)
    sizes, pruned = expected(mask, share)
    assert sorted(found.sizes[1:].tolist(), reverse=True) == sizes
    np.testing.assert_array_equal(found.major(share)(0, mask.shape[0]), pruned)


@settings(max_examples=100, deadline=None)
@given(mask=MASKS, strip=st.integers(1, 15), data=st.data())
def test_any_rows_can_be_read_in_any_order(mask: Mask, strip: int, data: st.DataObject) -> None:
    read = components(mask, strip).major(0.1)
    _, pruned = expected(mask, 0.1)
    for _ in range(4):
        start = data.draw(st.integers(0, mask.shape[0] - 1))
        stop = data.draw(st.integers(start + 1, mask.shape[0]))
        np.testing.assert_array_equal(read(start, stop), pruned[start:stop])


def test_two_arms_that_meet_rows_later_are_one_component() -> None:
    mask = np.zeros((40, 9), dtype=bool)
    mask[:, 1] = mask[:, 7] = mask[-1, 1:8] = True
    found = components(mask, 3)
    assert found.sizes.tolist() == [0, 85]
