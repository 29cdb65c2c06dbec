"""Half and double resolution without a preferred side.

A side of an even number of cells is halved in pairs. Of an odd number, cells are first averaged
with their neighbours to the vertices between and around them. So a raster that is turned or
mirrored gives coarse cells that are turned or mirrored, whatever its size.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad


def halved(fields: Tensor) -> Tensor:
    """Return means over 2 × 2 cells: (…, rows, columns) to about half of each."""
    odd = fields.shape[-2] % 2 + fields.shape[-1] % 2
    if fields.shape[-2] % 2:
        # Sums of two vertices: once what lies between pairs of rows, twice the row itself.
        between = pad(fields[..., 1::2, :], (0, 0, 1, 1))
        sides = between[..., 1:, :] + between[..., :-1, :]
        rows = torch.add(sides, fields[..., ::2, :], alpha=2)
    else:
        rows = fields[..., ::2, :] + fields[..., 1::2, :]
    if fields.shape[-1] % 2:
        between = pad(rows[..., 1::2], (1, 1))
        sides = between[..., 1:] + between[..., :-1]
        both = torch.add(sides, rows[..., ::2], alpha=2)
    else:
        both = rows[..., ::2] + rows[..., 1::2]
    return both * 0.5 ** (2 + odd)


def doubled(fields: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return the fields (glaciers, n, rows, columns) on the grid that they were halved from."""
    odd = tuple(
        size if size % 2 else half for size, half in zip(shape, fields.shape[-2:], strict=True)
    )
    if odd != fields.shape[-2:]:
        fields = interpolate(fields, odd, mode="bilinear", align_corners=True)
    return fields if odd == shape else interpolate(fields, shape, mode="nearest")


def interpolated(fields: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return the fields as `doubled` does, with bilinear interpolation between coarse cells."""
    rows, columns = shape
    if rows % 2 == columns % 2:
        return interpolate(fields, shape, mode="bilinear", align_corners=rows % 2 == 1)
    tall = interpolate(
        fields, (rows, fields.shape[-1]), mode="bilinear", align_corners=rows % 2 == 1
    )
    return interpolate(tall, shape, mode="bilinear", align_corners=columns % 2 == 1)


def blurred(fields: Tensor) -> Tensor:
    """Return means over 3 × 3 cells, zero beyond the border, of (…, rows, columns)."""
    fields = pad(fields, (1, 1, 1, 1))
    fields = fields[..., :-2, :] + fields[..., 1:-1, :] + fields[..., 2:, :]
    return (fields[..., :-2] + fields[..., 1:-1] + fields[..., 2:]) / 9
