"""How clear a scene is: open water before the front, of which the network is certain, in summer.

The clearest scenes are references for the others of a series.
"""

from __future__ import annotations

import datetime
import math
from pathlib import Path

import rasterio
from scipy.ndimage import distance_transform_edt

from glacier_qgis.models.raster.footprint import Footprint
from glacier_qgis.models.raster.metric import centre
from glacier_qgis.models.zones.codes import CLASS_NAMES, GLACIER, OCEAN, PROBABILITY_STEPS

BEFORE_FRONT_M = 1000.0
"""Width of the water that counts, from the glacier."""
CELLS = 1_000_000
"""Largest number of cells that are looked at; a larger scene is thinned out."""
SUMMER = (6, 7, 8, 9)
"""Months in which fjords are open, in the north."""


def certainty_of_water(zones: Path, probability: Path) -> float:
    """Return the mean probability of ocean where it is the zone before a front; 0 without one.

    Args:
        zones: Codes of a scene.
        probability: Of its zones, on the same cells.
    """
    with rasterio.open(zones) as codes, rasterio.open(probability) as stored:
        thinned = math.ceil(math.sqrt(codes.height * codes.width / CELLS))
        shape = (math.ceil(codes.height / thinned), math.ceil(codes.width / thinned))
        seen = codes.read(1, out_shape=shape)
        values = stored.read(list(CLASS_NAMES).index(OCEAN) + 1, out_shape=shape)
        cell = codes.transform.a * thinned
    if not (seen == GLACIER).any():
        return 0.0
    before = (seen == OCEAN) & (distance_transform_edt(seen != GLACIER) * cell <= BEFORE_FRONT_M)
    return float(values[before].mean()) / PROBABILITY_STEPS if before.any() else 0.0


def clearness(day: datetime.date | None, footprint: Footprint | None, certainty: float) -> float:
    """Return how clear a scene is: its certainty, 1 more in summer; 0 where no water is seen.

    Args:
        day: Of its acquisition.
        footprint: Where it lies.
        certainty: From `certainty_of_water`.
    """
    if day is None or footprint is None or certainty == 0:
        return 0.0
    _, latitude = centre(footprint)
    month = day.month if latitude >= 0 else (day.month + 5) % 12 + 1
    return certainty + (month in SUMMER)
