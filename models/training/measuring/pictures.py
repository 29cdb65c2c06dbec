"""Images of tiles with labelled and predicted fronts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely
from scipy import ndimage
from shapely import LineString
from skimage.draw import line as straight

from glacier_qgis.models.report.png import png_bytes
from glacier_qgis.models.training.measuring.assess import Answer
from glacier_qgis.models.training.measuring.totals import Row

EDGE = 560
"""Approximate number of pixels along the longer side."""

LABELLED, PREDICTED = (0, 190, 255), (255, 140, 0)
"""Blue and orange, suitable for colour-blind readers."""

NO_DATA_GREY = 235


def draw_fronts(answer: Answer) -> bytes:
    """Return a PNG: the first band in grey, labelled fronts in blue, predicted ones in orange."""
    scale = max(1, round(EDGE / max(answer.grid.shape)))
    grey = np.nan_to_num((answer.value + 1) * 110, nan=NO_DATA_GREY).astype(np.uint8)
    picture = np.repeat(grey.repeat(scale, 0).repeat(scale, 1)[..., None], 3, axis=-1)
    for lines, colour in ((answer.reference, LABELLED), (answer.lines, PREDICTED)):
        picture[_strokes(lines, answer, scale, picture.shape[:2])] = colour
    return png_bytes(picture)


def examples(rows: Sequence[Row]) -> dict[str, int]:
    """Choose the best, the median and the worst tile with a labelled front, by its distance.

    Args:
        rows: Of `Totals`.

    Returns:
        Indices of rows by kind of example; fewer if there are fewer tiles.
    """
    with_front = [index for index, row in enumerate(rows) if row["labelled_fronts"]]
    order = sorted(with_front, key=lambda index: _badness(rows[index]))
    if not order:
        return {}
    places = {"Best": order[0], "Median": order[len(order) // 2], "Worst": order[-1]}
    return {name: index for name, index in places.items() if len(order) > 2 or name != "Median"}


def _badness(row: Row) -> tuple[bool, float]:
    distance = float(row["distance_m"] or 0)
    return bool(np.isnan(distance)), distance if np.isfinite(distance) else 0.0


def _strokes(
    lines: Sequence[LineString], answer: Answer, scale: int, shape: tuple[int, ...]
) -> npt.NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    inverse = ~answer.grid.transform
    for line in lines:
        x, y = shapely.get_coordinates(line).T
        columns, rows = (inverse.a * x + inverse.c) * scale, (inverse.e * y + inverse.f) * scale
        corners = np.stack([rows, columns]).astype(int).clip(0, np.array(shape)[:, None] - 1).T
        for start, stop in pairwise(corners):
            mask[straight(*start, *stop)] = True  # type: ignore[no-untyped-call]
    return np.asarray(ndimage.binary_dilation(mask, np.ones((2, 2), bool)))
