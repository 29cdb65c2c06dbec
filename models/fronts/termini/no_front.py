"""Why a scene has no front."""

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
"""Cells of the map that distances are measured on; a larger scene is measured more coarsely."""


class Reason(StrEnum):
    """What keeps a scene from having a front, in the order in which it is looked for."""

    NO_OCEAN = "no ocean"
    NO_GLACIER = "no glacier"
    VAGUE = "vague"
    APART = "apart"
    SHORT = "short"
    OUTSIDE = "outside the fjord mask"
    UNSURE = "low confidence"


@dataclass(frozen=True)
class Absence:
    """Why no front was found.

    Attributes:
        reason: Its kind.
        sentence: The reason with its numbers, and what to do if it is wrong.
    """

    reason: Reason
    sentence: str


def no_contact(zones: Zones, cell_size: float) -> Absence:
    """Explain why not one line could be traced.

    Args:
        zones: What was traced.
        cell_size: Edge of a cell, m.
    """
    cure = "If it is there, lower MIN_AREA or look at the zones."
    for reason, largest, surest, kind in (
        (Reason.NO_OCEAN, zones.ocean_km2, zones.ocean_certainty, "ocean"),
        (Reason.NO_GLACIER, zones.glacier_km2, zones.glacier_certainty, "glacier"),
    ):
        if largest == 0:
            return Absence(reason, f"There is no {kind} in the scene.")
        if largest < zones.min_area_km2:
            return Absence(
                reason,
                f"There is no {kind} in the scene: its largest patch has {largest:.2g} km², under "
                f"the {zones.min_area_km2:g} km² of MIN_AREA. {cure}",
            )
        if surest < zones.least_certainty:
            return Absence(
                Reason.VAGUE,
                f"The model is sure of no {kind} in the scene: the mean probability of the surest "
                f"patch is {surest:.2f}, under {zones.least_certainty:g}. Set MIN_CONFIDENCE to 0 "
                "to see the lines.",
            )
    distance = nearest_distance(zones) * cell_size
    return Absence(
        Reason.APART,
        f"Glacier and ocean never meet: the centres of their nearest cells are {distance:.0f} m "
        "apart. If they do, raise GAP or look at the zones.",
    )


def too_short(longest_m: float, least_m: float) -> Absence:
    """Explain that the longest line is shorter than asked for."""
    return Absence(
        Reason.SHORT,
        f"Glacier meets ocean along {longest_m:.0f} m at most, under the {least_m:g} m of "
        "MIN_LENGTH. Lower it if that is a front.",
    )


def outside_fjord(longest_m: float) -> Absence:
    """Explain that all lines lie outside the fjord mask."""
    return Absence(
        Reason.OUTSIDE,
        f"No front lies inside FJORD_MASK; the longest outside has {longest_m:.0f} m. Check that "
        "the polygons cover the terminus.",
    )


def unsure(best: float, least: float) -> Absence:
    """Explain that the surest line is less sure than asked for."""
    return Absence(
        Reason.UNSURE,
        f"The surest line has a confidence of {best:.2f}, under the {least:g} of MIN_CONFIDENCE: "
        "most likely there is no front here. Lower it to see the line.",
    )


def nearest_distance(zones: Zones) -> float:
    """Return the distance between the nearest centres of ocean and glacier, in cells.

    In scenes of more than `DISTANCE_CELLS` cells it is right to one or two cells of a coarser map.
    """
    factor = math.ceil(math.sqrt(zones.height * zones.width / DISTANCE_CELLS))
    ocean, glacier = (_coarse(read, zones, factor) for read in (zones.ocean, zones.glacier))
    return float(ndimage.distance_transform_edt(~ocean)[glacier].min()) * factor


def _coarse(read: ReadMask, zones: Zones, factor: int) -> Mask:
    """Return whether any of the cells under each coarse cell is set."""
    columns = np.arange(0, zones.width, factor)
    rows = [
        np.logical_or.reduceat(read(start, min(start + factor, zones.height)).any(axis=0), columns)
        for start in range(0, zones.height, factor)
    ]
    return np.array(rows)
