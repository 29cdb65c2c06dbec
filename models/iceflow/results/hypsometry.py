"""Hypsometry: area and volume of a glacier by elevation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.units import CUBIC_KILOMETRE, SQUARE_KILOMETRE
from glacier_qgis.models.iceflow.dynamics.simulation import ICE, Snapshot

MOST_BANDS = 40
_ROUND = (1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Hypsometry:
    """Area and volume by bands of surface elevation.

    Attributes:
        time: Of the state, a.
        width: Of a band, m.
        bottoms: Lower edges of the bands, multiples of the width, ascending, m.
        area: Of cells with at least 1 m of ice, km², one per band.
        volume: Of all ice, km³, one per band.
    """

    time: float
    width: float
    bottoms: npt.NDArray[np.float64]
    area: npt.NDArray[np.float64]
    volume: npt.NDArray[np.float64]


def band_width(surface: Float32Array) -> float:
    """Return 1, 2 or 5 times a power of ten, m, that divides a relief into at most 40 bands."""
    least = max(float(np.ptp(surface)), 1.0) / (MOST_BANDS - 1)
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * step for step in _ROUND if power * step >= least)


def hypsometry(snapshot: Snapshot, width: float, cell_size: float) -> Hypsometry:
    """Return the hypsometry of a state; without ice it has no bands.

    Args:
        snapshot: The state; bands refer to its own surface.
        width: Of a band, m.
        cell_size: m.
    """
    ice = snapshot.thickness > 0
    thickness = snapshot.thickness[ice].astype(np.float64)
    bands = np.floor(snapshot.surface[ice] / width).astype(np.int64)
    lowest = int(bands.min()) if len(bands) else 0
    count = int(bands.max()) - lowest + 1 if len(bands) else 0
    area, volume = (
        np.bincount(bands - lowest, weights=weights, minlength=count).astype(np.float64)
        * cell_size**2
        for weights in ((thickness >= ICE).astype(np.float64), thickness)
    )
    return Hypsometry(
        snapshot.time,
        width,
        np.arange(lowest, lowest + count).astype(np.float64) * width,
        area / SQUARE_KILOMETRE,
        volume / CUBIC_KILOMETRE,
    )
