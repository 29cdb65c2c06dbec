"""Half and double resolution without a preferred side.

A side of an even number of cells is halved in pairs. Of an odd number, cells are first averaged
with their neighbours to the vertices between and around them. So a raster that is turned or
mirrored gives coarse cells that are turned or mirrored, whatever its size.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate


def halved(fields: Tensor) -> Tensor:
    """Return means over 2 × 2 cells: (…, rows, columns) to about half of each."""
    for axis in (0, 1):
        if fields.shape[axis - 2] % 2:
            fields = avg_pool2d(fields, _along(axis), 1, _beside(axis), count_include_pad=True)
    return avg_pool2d(fields, 2)


def doubled(fields: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return the fields on the grid of `shape` that they were halved from."""
    fields = interpolate(fields, scale_factor=2.0, mode="nearest")
    for axis in (0, 1):
        if shape[axis] % 2:
            fields = avg_pool2d(fields, _along(axis), 1)
    return fields


def _along(axis: int) -> tuple[int, int]:
    return (2, 1) if axis == 0 else (1, 2)


def _beside(axis: int) -> tuple[int, int]:
    return (1, 0) if axis == 0 else (0, 1)
