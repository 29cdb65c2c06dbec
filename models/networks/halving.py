"""Half and double resolution without a preferred side.

A side of an even number of cells is halved in pairs. Of an odd number, cells are first averaged
with their neighbours to the vertices between and around them. So a raster that is turned or
mirrored gives coarse cells that are turned or mirrored, whatever its size.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import interpolate, pad


def halved(fields: Tensor) -> Tensor:
    """Return means over 2 × 2 cells: (…, rows, columns) to about half of each."""
    if fields.shape[-2] % 2:
        fields = _vertices(pad(fields, (0, 0, 1, 1)).mT).mT
    if fields.shape[-1] % 2:
        fields = _vertices(pad(fields, (1, 1)))
    rows = fields[..., ::2, :] + fields[..., 1::2, :]
    return (rows[..., ::2] + rows[..., 1::2]) / 4


def doubled(fields: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return the fields (glaciers, n, rows, columns) on the grid that they were halved from."""
    fields = interpolate(fields, scale_factor=2.0, mode="nearest")
    if shape[0] % 2:
        fields = _vertices(fields.mT).mT
    return _vertices(fields) if shape[1] % 2 else fields


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


def _vertices(fields: Tensor) -> Tensor:
    """Return means of neighbours along rows: one column less."""
    return (fields[..., :-1] + fields[..., 1:]) / 2
