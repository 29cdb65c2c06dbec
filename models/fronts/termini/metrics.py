"""Distance between predicted and labelled fronts, and agreement of zones.

The front distance is the mean distance error of the CaFFe benchmark (Gourmelon et al. 2022, Earth
Syst. Sci. Data 14, 4287-4313, doi:10.5194/essd-14-4287-2022): nearest distances from each front to
the other, averaged over all points of all images.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from shapely import LineString, Polygon

from glacier_qgis.models.vector.lines import map_coordinates, merge_lines

BOX_MARGIN_M = 1000.0
"""CaFFe's boxes are not published with the data; a margin around the label replaces them."""


@dataclass(frozen=True)
class FrontError:
    """Distance errors of a set of images, m; NaN if no image has both fronts."""

    mean_m: float
    """Mean over all distances of all images: the mean distance error (MDE)."""
    median_m: float
    """Median over the images of their mean distances."""
    images: int
    """Images with a labelled front."""
    missed: int
    """Images among them without a predicted front; the averages do not include them."""

    @property
    def order(self) -> tuple[float, float]:
        """Orders errors: first fewer missed fronts, then smaller distances."""
        return self.missed, self.mean_m if math.isfinite(self.mean_m) else math.inf

    @property
    def words(self) -> str:
        """What it is, for a sentence."""
        if not math.isfinite(self.mean_m):
            return f"no front found in {self.images} scene{'s' * (self.images != 1)}"
        missed = f", {self.missed} of {self.images} missed" if self.missed else ""
        return f"{self.mean_m:.0f} m{missed}"

    def named(self, when: str) -> dict[str, float | int]:
        """Return its numbers for a card; `when` says of which model."""
        mean = {f"mde_box_{when}_m": round(self.mean_m, 1)} if math.isfinite(self.mean_m) else {}
        return {**mean, f"missed_{when}": self.missed}


def points_along(lines: Sequence[LineString], spacing_m: float) -> NDArray[np.object_]:
    """Evenly spaced points along each line, both ends included, at most `spacing_m` apart."""
    points = []
    for line in lines:
        steps = max(math.ceil(line.length / spacing_m - 1e-6), 1)
        points.append(shapely.line_interpolate_point(line, np.linspace(0, line.length, steps + 1)))
    return np.concatenate(points) if points else np.empty(0, dtype=object)


def front_distances(
    predicted: Sequence[LineString], reference: Sequence[LineString], spacing_m: float
) -> NDArray[np.float64]:
    """Nearest distances between two fronts of one image, in both directions.

    Args:
        predicted: Lines in a metric CRS.
        reference: Lines in the same CRS.
        spacing_m: Spacing of the points at which distances are measured.

    Returns:
        Distances in metres, first from the predicted points to the reference lines, then
        from the reference points to the predicted lines. Empty if either front is empty.
    """
    ours = points_along(predicted, spacing_m)
    theirs = points_along(reference, spacing_m)
    if not (ours.size and theirs.size):
        return np.empty(0)
    there = shapely.distance(ours, shapely.multilinestrings(list(reference)))
    back = shapely.distance(theirs, shapely.multilinestrings(list(predicted)))
    return np.concatenate([there, back])


def mean_distance_error(images: Sequence[NDArray[np.float64]]) -> FrontError:
    """Average the distances of many images as in CaFFe.

    Args:
        images: The distances of each image that has a label, from :func:`front_distances`.
            An empty array stands for a front that was missed.
    """
    found = [distances for distances in images if distances.size]
    missed = len(images) - len(found)
    if not found:
        return FrontError(np.nan, np.nan, len(images), missed)
    return FrontError(
        mean_m=float(np.concatenate(found).mean()),
        median_m=float(np.median([distances.mean() for distances in found])),
        images=len(images),
        missed=missed,
    )


def reference_box(reference: Sequence[LineString], margin_m: float = BOX_MARGIN_M) -> Polygon:
    """The bounding box of a labelled front, grown by `margin_m` on each side."""
    xmin, ymin, xmax, ymax = shapely.total_bounds(list(reference))
    return Polygon.from_bounds(xmin - margin_m, ymin - margin_m, xmax + margin_m, ymax + margin_m)


def mask_lines(mask: NDArray[np.bool_], transform: Affine) -> list[LineString]:
    """Convert a front drawn one pixel wide to lines through pixel centres.

    Args:
        mask: Front pixels, shape (rows, columns).
        transform: From (column, row) to coordinates; pixels need not be square.

    Returns:
        Lines that join 8-adjacent pixels, without the diagonals that cut a corner.
    """
    rows, columns = np.nonzero(mask)
    number = np.full(np.add(mask.shape, 2), -1)
    number[rows + 1, columns + 1] = np.arange(rows.size)

    def neighbour(down: int, right: int) -> NDArray[np.intp]:
        return number[rows + 1 + down, columns + 1 + right]

    below, right, left = neighbour(1, 0), neighbour(0, 1), neighbour(0, -1)
    down_right = np.where((below < 0) & (right < 0), neighbour(1, 1), -1)
    down_left = np.where((below < 0) & (left < 0), neighbour(1, -1), -1)
    start = np.tile(np.arange(rows.size), 4)
    stop = np.concatenate([below, right, down_right, down_left])
    linked = stop >= 0
    centres = map_coordinates(transform, columns + 0.5, rows + 0.5)
    ends = np.stack([centres[start[linked]], centres[stop[linked]]], axis=1)
    return merge_lines([LineString(pair) for pair in ends])


def zone_confusion(
    predicted: NDArray[np.integer], reference: NDArray[np.integer], zones: Sequence[int]
) -> NDArray[np.int64]:
    """Count pixels by labelled zone (row) and predicted zone (column).

    Pixels whose label is not one of `zones` are ignored; predictions that are not count in the last
    column. Counts of several images can be added.

    Returns:
        Counts of shape (zones, zones + 1).
    """
    size = len(zones)
    index = np.full(256, size)
    index[list(zones)] = np.arange(size)
    labelled, guessed = index[reference.ravel()], index[predicted.ravel()]
    known = labelled < size
    cells = labelled[known] * (size + 1) + guessed[known]
    return np.bincount(cells, minlength=size * (size + 1)).reshape(size, size + 1)


def zone_iou(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Intersection over union of each zone; NaN if neither side has it.

    Args:
        confusion: Counts from :func:`zone_confusion`, shape (zones, zones + 1).
    """
    hit = np.diagonal(confusion).astype(float)
    union = confusion.sum(axis=1) + confusion[:, :-1].sum(axis=0) - hit
    return np.asarray(np.where(union > 0, hit / np.maximum(union, 1), np.nan))
