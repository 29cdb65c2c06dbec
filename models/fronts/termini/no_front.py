"""Reasons why a scene has no front."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import ndimage

from glacier_qgis.models.compute.arrays import Mask
from glacier_qgis.models.fronts.termini.bodies import Zones
from glacier_qgis.models.raster.components import ReadMask

DISTANCE_CELLS = 4_000_000
"""Largest number of cells on which distances are measured; larger scenes are coarsened."""


class Reason(StrEnum):
    """Reasons for a missing front, in the order of the checks."""

    NO_OCEAN = "no ocean"
    NO_GLACIER = "no glacier"
    VAGUE = "vague"
    APART = "apart"
    SHORT = "short"
    OUTSIDE = "outside the fjord mask"
    COAST = "coast"
    UNSURE = "low confidence"


@dataclass(frozen=True)
class Absence:
    """Why no front was found.

    Attributes:
        reason: Kind of the reason.
        sentence: The reason with its values, and what to do if it is wrong.
    """

    reason: Reason
    sentence: str


def no_contact(zones: Zones, cell_size: float) -> Absence:
    """Explain why no line could be traced.

    Args:
        zones: The traced zones.
        cell_size: Edge of a cell, m.
    """
    remedy = "If there is some, lower MIN_AREA or check the zones."
    for reason, largest, surest, kind in (
        (Reason.NO_OCEAN, zones.ocean_km2, zones.ocean_certainty, "ocean"),
        (Reason.NO_GLACIER, zones.glacier_km2, zones.glacier_certainty, "glacier"),
    ):
        if largest == 0:
            return Absence(reason, f"There is no {kind} in the scene.")
        if largest < zones.min_area_km2:
            return Absence(
                reason,
                f"There is no {kind} in the scene: its largest area is {largest:.2g} km², below "
                f"MIN_AREA ({zones.min_area_km2:g} km²). {remedy}",
            )
        if surest < zones.least_certainty:
            return Absence(
                Reason.VAGUE,
                f"The model is not certain of any {kind} in the scene: the highest mean "
                f"probability of an area is {surest:.2f}, below {zones.least_certainty:g}. Set "
                "MIN_CONFIDENCE to 0 to see the lines.",
            )
    distance = nearest_distance(zones) * cell_size
    return Absence(
        Reason.APART,
        f"Glacier and ocean do not touch: the centres of their nearest cells are {distance:.0f} m "
        "apart. If they should, raise GAP or check the zones.",
    )


def too_short(longest_m: float, least_m: float) -> Absence:
    """Explain that the longest line is shorter than MIN_LENGTH."""
    return Absence(
        Reason.SHORT,
        f"The longest line between glacier and ocean is {longest_m:.0f} m, below MIN_LENGTH "
        f"({least_m:g} m). Lower MIN_LENGTH if that is a front.",
    )


def outside_fjord(longest_m: float) -> Absence:
    """Explain that all lines lie outside the fjord mask."""
    return Absence(
        Reason.OUTSIDE,
        f"No front lies inside FJORD_MASK; the longest outside is {longest_m:.0f} m long. Check "
        "that the polygons cover the terminus.",
    )


def along_coast() -> Absence:
    """Explain that all lines lie where nobody drew a front of the model's glacier."""
    return Absence(
        Reason.COAST,
        "Ice meets water only along the coast, where nobody drew a front when the model was "
        "adapted. If this is one, correct the scene in a review and adapt the model again.",
    )


def unsure(best: float, least: float) -> Absence:
    """Explain that the highest confidence is below MIN_CONFIDENCE."""
    return Absence(
        Reason.UNSURE,
        f"The highest confidence of a line is {best:.2f}, below MIN_CONFIDENCE ({least:g}): most "
        "likely there is no front here. Lower MIN_CONFIDENCE to see the line.",
    )


def nearest_distance(zones: Zones) -> float:
    """Return the distance between the nearest centres of ocean and glacier, in cells.

    In scenes of more than `DISTANCE_CELLS` cells it is accurate to one or two cells of a coarser
    map.
    """
    factor = math.ceil(math.sqrt(zones.height * zones.width / DISTANCE_CELLS))
    ocean, glacier = (_coarse(read, zones, factor) for read in (zones.ocean, zones.glacier))
    return float(ndimage.distance_transform_edt(~ocean)[glacier].min()) * factor


def _coarse(read: ReadMask, zones: Zones, factor: int) -> Mask:
    """Return for each coarse cell whether any cell under it is set."""
    columns = np.arange(0, zones.width, factor)
    rows = [
        np.logical_or.reduceat(read(start, min(start + factor, zones.height)).any(axis=0), columns)
        for start in range(0, zones.height, factor)
    ]
    return np.array(rows)
