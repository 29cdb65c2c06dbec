"""What a corrected front says of the zones around it.

Within `REACH_M` of a front, its two sides are known: a person drew it. Further away a cell is
labelled only if two witnesses agree: the model is certain of its zone, and it lies on that side of
the front, seen along ways that do not cross rock. All other cells are unlabelled.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt
from shapely import LineString
from skimage.segmentation import watershed

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.training.data.samples import UNLABELLED, front_pixels
from glacier_qgis.models.training.preparation.line_zones import LineZones
from glacier_qgis.models.zones.codes import CLASS_NAMES, GLACIER, NO_DATA, OCEAN, ROCK, zones_of

Zones = npt.NDArray[np.uint8]

REACH_M = 3000.0
"""Distance from a front within which it decides alone."""
SURE = 0.8
"""Least probability of a zone of which the model is certain."""
CODES = list(CLASS_NAMES)


def zones_around(
    lines: Sequence[LineString],
    probabilities: Float32Array,
    rock: Mask,
    grid: Grid,
    *,
    complete: bool,
) -> Zones:
    """Label a scene by its fronts.

    Args:
        lines: All in the CRS of `grid`, in any direction.
        probabilities: (classes, rows, columns) of the model before, 0 where the scene has no data.
        rock: Where rock is known, (rows, columns).
        grid: The cells.
        complete: Whether these are all fronts of the scene. Otherwise only what is near them is
            labelled.

    Returns:
        (rows, columns), 0 where unlabelled.
    """
    valid = probabilities.any(axis=0)
    certain = _certain(probabilities)
    solid = rock | (certain == ROCK)
    blocked = solid | (certain == NO_DATA) | ~valid
    directed = [glacier_on_left(line, probabilities, grid) for line in lines]
    near = LineZones(directed, REACH_M).codes(grid) if directed else np.zeros(grid.shape, np.uint8)
    zones = np.where(blocked, UNLABELLED, near).astype(np.uint8)
    if complete:
        far = _agreed(zones, certain, ~blocked) if directed else without_contacts(certain, grid)
        zones = np.where(near == UNLABELLED, far, zones).astype(np.uint8)
    zones[rock] = ROCK
    zones[~valid] = UNLABELLED
    return zones


def predicted_zones(probabilities: Float32Array, rock: Mask, grid: Grid) -> Zones:
    """Label a scene that nobody looked at by what the model before is certain of.

    Around its own fronts nothing is labelled, since these are what may be wrong.
    """
    zones = without_contacts(_certain(probabilities), grid)
    zones[rock & probabilities.any(axis=0)] = ROCK
    return zones


def glacier_on_left(line: LineString, probabilities: Float32Array, grid: Grid) -> LineString:
    """Turn a line so that the side that the model holds for glacier is on its left."""
    sides = LineZones([line], REACH_M).codes(grid)
    ice = probabilities[CODES.index(GLACIER)] - probabilities[CODES.index(OCEAN)]
    left, right = (
        float(ice[sides == code].mean()) if (sides == code).any() else 0.0
        for code in (GLACIER, OCEAN)
    )
    return line if left >= right else line.reverse()


def without_contacts(zones: Zones, grid: Grid) -> Zones:
    """Take away the labels near the contact of glacier and ocean."""
    contact = front_pixels(zones)
    if not len(contact):
        return zones.copy()
    away = np.ones(grid.shape, np.bool_)
    away[tuple(contact.T)] = False
    distance = distance_transform_edt(away) * grid.cell_size
    return np.where(distance > REACH_M, zones, UNLABELLED).astype(np.uint8)


def _certain(probabilities: Float32Array) -> Zones:
    """Return the zones of which the model is certain, elsewhere 0."""
    sure = probabilities.max(axis=0) >= SURE
    return np.where(sure, zones_of(probabilities, CODES), UNLABELLED).astype(np.uint8)


def _agreed(near: Zones, certain: Zones, free: Mask) -> Zones:
    """Return the zones of which the model is certain, on the side of a front where they may be."""
    flat = np.zeros(near.shape, np.uint8)
    sides = watershed(flat, near.astype(np.int32), mask=free)  # type: ignore[no-untyped-call]
    moving = np.isin(certain, (GLACIER, OCEAN))
    return np.where(moving & (sides != certain), UNLABELLED, certain).astype(np.uint8)
