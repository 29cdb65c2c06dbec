"""Zones of optical training images, from polygons drawn by hand and the digitised lines.

The images of one Landsat glacier lie on one grid, and rock does not move, so one set of polygons
serves all of them: where rock is, where water may be and where ice is. The front decides between
water and ice where both may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.types import Strict
from scipy import ndimage
from skimage.draw import line as line_cells
from skimage.draw import polygon2mask

from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK

POLYGONS = Path(__file__).with_name("optical_zones.json")
Mask = npt.NDArray[np.bool_]
Polygon = list[tuple[float, float]]
"""(column, row) of its corners."""
GAP = 8
"""Distance in pixels over which land along a coast takes the label of the nearest polygon."""


class Drawn(BaseModel):
    """What was drawn on one grid, in (column, row).

    Attributes:
        rock: Land without ice.
        ice: Glacier, whatever the position of the front.
        water: Where water may be; the front bounds it.
        unknown: Not labelled, such as snow fields, islands and lakes.
        seed: A pixel of the ocean, for images with their coastline.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rock: list[Polygon]
    ice: list[Polygon]
    water: list[Polygon] = []
    unknown: list[Polygon] = []
    seed: tuple[Annotated[int, Strict()], Annotated[int, Strict()]] | None = None


@cache
def drawn_polygons() -> dict[str, Drawn]:
    """Return the polygons by glacier or name of the image."""
    return TypeAdapter(dict[str, Drawn]).validate_json(POLYGONS.read_bytes())


def zones_with_front(
    drawn: Drawn, front: Mask, beside: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """Label an image with its front; the ice flows upward in the image.

    Args:
        drawn: The polygons of its glacier.
        front: (rows, columns), True on the line.
        beside: Zones near the front, which remain where the front does not close the fjord.
    """
    water = _inside(drawn.water, front.shape)
    zones = np.where(_inside(drawn.ice, front.shape), GLACIER, UNLABELLED).astype(np.uint8)
    zones[water] = UNLABELLED
    barrier = ndimage.binary_dilation(_extended(front, ~water))
    parts, _ = ndimage.label(water & ~barrier)
    seaward = np.setdiff1d(parts[0], 0)
    rows, columns = np.nonzero(front)
    below = parts[min(rows.max() + 3, len(parts) - 1), columns.min() : columns.max() + 1]
    if len(seaward) and not np.isin(below, seaward).any():
        ocean = np.isin(parts, seaward)
        for code, part in ((OCEAN, ocean), (GLACIER, (parts > 0) & ~ocean)):
            zones[ndimage.binary_dilation(part, iterations=2) & water] = code
    zones[beside != UNLABELLED] = beside[beside != UNLABELLED]
    zones[_inside(drawn.rock, front.shape)] = ROCK
    zones[_inside(drawn.unknown, front.shape)] = UNLABELLED
    return zones


def zones_with_coast(
    drawn: Drawn, coast: npt.NDArray[np.float64], shape: tuple[int, int]
) -> tuple[npt.NDArray[np.uint8], Mask]:
    """Label an image with its coastline.

    Args:
        drawn: Its polygons, with `Drawn.seed`.
        coast: (N, 2) column and row along the line between ocean and land, from edge to edge.
        shape: Rows and columns.

    Returns:
        The zones, and the cells of the line where ocean meets glacier.
    """
    if drawn.seed is None:
        raise ValueError("an image with its coastline needs a seed")
    shore = drawn_line(coast, shape)
    parts, _ = ndimage.label(~shore)
    ocean = parts == parts[drawn.seed[1], drawn.seed[0]]
    land = ~(ocean | shore)
    zones = np.where(_inside(drawn.ice, shape) & land, GLACIER, UNLABELLED).astype(np.uint8)
    zones[_inside(drawn.rock, shape) & land] = ROCK
    gap, (row, column) = ndimage.distance_transform_edt(zones == UNLABELLED, return_indices=True)
    to_shore = ndimage.distance_transform_edt(~shore)
    close = (land | shore) & (gap <= GAP) & (to_shore <= GAP)
    zones = np.where(close, zones[row, column], zones).astype(np.uint8)
    zones[ocean] = OCEAN
    zones[_inside(drawn.unknown, shape)] = UNLABELLED
    near_glacier = ndimage.binary_dilation(zones == GLACIER, iterations=2)
    return zones, shore & near_glacier & ndimage.binary_dilation(ocean, iterations=2)


def drawn_line(points: npt.NDArray[np.float64], shape: tuple[int, int]) -> Mask:
    """Return the cells that a line of (column, row) passes through, clipped to the image."""
    cells = np.clip(np.floor(points[:, ::-1]), 0, np.array(shape) - 1).astype(int)
    drawn = np.zeros(shape, np.bool_)
    for start, end in pairwise(cells):
        drawn[line_cells(*start, *end)] = True  # type: ignore[no-untyped-call]
    return drawn


def _extended(front: Mask, wall: Mask) -> Mask:
    """Continue a front from its first and last column straight to the nearest cell of a wall."""
    extended = front.copy()
    rows, columns = np.nonzero(front)
    walls = np.argwhere(wall)
    for index in (columns.argmin(), columns.argmax()):
        end = np.array([rows[index], columns[index]])
        target = walls[((walls - end) ** 2).sum(axis=1).argmin()]
        extended[line_cells(*end, *target)] = True  # type: ignore[no-untyped-call]
    return extended


def _inside(polygons: Sequence[Polygon], shape: tuple[int, ...]) -> Mask:
    covered = np.zeros(shape, np.bool_)
    for polygon in polygons:
        corners = np.array(polygon)[:, ::-1]
        covered |= polygon2mask(shape, corners)  # type: ignore[no-untyped-call]
    return covered
