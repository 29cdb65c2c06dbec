"""What corrected fronts say of the zones around them, and of the same place on other dates.

Within `REACH_M` of a front, its two sides are known: a person drew it. Further away a cell is
labelled only if two witnesses agree: the model is certain of its zone, and it lies on that side of
the front, seen along ways that do not cross rock. All other cells are unlabelled.

A scene that nobody corrected is labelled by those that were, if these are two or more: where at
least half of them say a zone, none says another, and no front is near, the zone is the same on
other dates. What the model predicts there itself does not count, since on a glacier that it has
never seen it is often certain and wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
FEWEST_OF_A_PLACE = 2
"""Corrected scenes that say something of other dates: one does not show where fronts may be."""
FEW = 3
"""Corrected scenes from which the range of the front is known somewhat."""
MOVES_M = 2000.0
"""Distance from all of `FEW` or more fronts beyond which the front of another date is not expected;
of fewer, `REACH_M`."""
CODES = list(CLASS_NAMES)
BODIES = (GLACIER, OCEAN)


@dataclass(frozen=True)
class Prediction:
    """What networks predict of a scene.

    Attributes:
        certain: Zones of which they are certain, elsewhere 0; (rows, columns).
        valid: Where the scene has data.
    """

    certain: Zones
    valid: Mask

    @classmethod
    def of(cls, probabilities: Float32Array) -> Prediction:
        """Read it from probabilities, (classes, rows, columns), 0 where there are no data."""
        sure = probabilities.max(axis=0) >= SURE
        zones = np.where(sure, zones_of(probabilities, CODES), UNLABELLED).astype(np.uint8)
        return cls(zones, np.asarray(probabilities.any(axis=0)))

    def agreed(self, other: Prediction) -> Prediction:
        """Return what both are certain of."""
        same = np.where(self.certain == other.certain, self.certain, UNLABELLED)
        return Prediction(same.astype(np.uint8), self.valid)


def undisputed(zones: Zones, other: Prediction) -> Zones:
    """Return labels without the glacier that another is certain is ocean, and the reverse."""
    bodies = np.isin(zones, BODIES) & np.isin(other.certain, BODIES)
    return np.where(bodies & (zones != other.certain), UNLABELLED, zones).astype(np.uint8)


def leaning(probabilities: Float32Array) -> Float32Array:
    """Return the probability of glacier less that of ocean, -1 to 1, (rows, columns)."""
    ice: Float32Array = probabilities[CODES.index(GLACIER)] - probabilities[CODES.index(OCEAN)]
    return ice


def zones_around(
    lines: Sequence[LineString],
    prediction: Prediction,
    rock: Mask,
    grid: Grid,
    *,
    complete: bool,
) -> Zones:
    """Label a scene by its fronts.

    Args:
        lines: All in the CRS of `grid`, with the glacier on their left.
        prediction: Of the scene.
        rock: Where rock is known, (rows, columns).
        grid: The cells.
        complete: Whether these are all fronts of the scene. Otherwise only what is near them is
            labelled.

    Returns:
        (rows, columns), 0 where unlabelled.
    """
    certain, valid = prediction.certain, prediction.valid
    solid = rock | (certain == ROCK)
    blocked = solid | (certain == NO_DATA) | ~valid
    near = LineZones(lines, REACH_M).codes(grid) if lines else np.zeros(grid.shape, np.uint8)
    zones = np.where(blocked, UNLABELLED, near).astype(np.uint8)
    if complete:
        far = _agreed(zones, certain, ~blocked) if lines else without_contacts(certain, grid)
        zones = np.where(near == UNLABELLED, far, zones).astype(np.uint8)
    zones[rock] = ROCK
    zones[~valid] = UNLABELLED
    return zones


def carried_zones(corrected: Sequence[Zones], rock: Mask, grid: Grid) -> Zones:
    """Return the zones that hold on any date, by the labels of corrected scenes.

    Args:
        corrected: Labels of each, (rows, columns), 0 where unlabelled. One alone tells nothing.
        rock: Where rock is known.
        grid: The cells.
    """
    if len(corrected) < FEWEST_OF_A_PLACE:
        return np.where(rock, ROCK, UNLABELLED).astype(np.uint8)
    labels = np.stack([np.where(zones == NO_DATA, UNLABELLED, zones) for zones in corrected])
    highest = labels.max(axis=0)
    lowest = np.where(labels == UNLABELLED, highest, labels).min(axis=0)
    away = np.ones(grid.shape, np.bool_)
    for zones in labels:
        away[tuple(front_pixels(zones).T)] = False
    often = 2 * (labels != UNLABELLED).sum(axis=0) >= len(labels)
    same = np.where(often & (lowest == highest), highest, UNLABELLED)
    if not away.all():
        margin = REACH_M if len(corrected) < FEW else MOVES_M
        same = np.where(distance_transform_edt(away) * grid.cell_size > margin, same, UNLABELLED)
    return np.where(rock, ROCK, same).astype(np.uint8)


def without_contacts(zones: Zones, grid: Grid) -> Zones:
    """Take away the labels near the contact of glacier and ocean."""
    contact = front_pixels(zones)
    if not len(contact):
        return zones.copy()
    away = np.ones(grid.shape, np.bool_)
    away[tuple(contact.T)] = False
    distance = distance_transform_edt(away) * grid.cell_size
    return np.where(distance > REACH_M, zones, UNLABELLED).astype(np.uint8)


def _agreed(near: Zones, certain: Zones, free: Mask) -> Zones:
    """Return the zones of which the model is certain, on the side of a front where they may be."""
    flat = np.zeros(near.shape, np.uint8)
    sides = watershed(flat, near.astype(np.int32), mask=free)  # type: ignore[no-untyped-call]
    moving = np.isin(certain, BODIES)
    return np.where(moving & (sides != certain), UNLABELLED, certain).astype(np.uint8)
