"""Where the front lies if the network is sure of the ocean but not of the ice, or the reverse.

In a scene unlike its training data, a network may take all of the glacier for ice with 3 to 1 and
the ocean for water with 99 to 1. Where their probabilities are equal, it is then already far on its
way from ocean to ice: at a rift behind the cliff, say. The front lies where the log-odds of ocean
against glacier are half-way between what is usual in the two bodies, which takes a constant bias of
the network out of the line (prior shift; Saerens et al. 2002, doi:10.1162/089976602753284446).

Where the odds of the doubtful body differ from place to place, there is no constant bias: a network
that takes half of a glacier for ice and doubts the other half, far upstream, says nothing of
where the front lies. Then the line is where both are equally probable.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window

from glacier_qgis.models.compute.arrays import Float64Array, Mask
from glacier_qgis.models.fronts.termini.bodies import Zones
from glacier_qgis.models.raster.components import ReadMask
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK, read_probabilities

LEAST = 0.75
"""Least absolute level that is taken out; smaller ones do not matter where a network is certain."""

MOST_SPREAD = 2.5
"""Largest interquartile range of the log-odds in the doubtful body that counts as a constant bias.
Chosen on glaciers that were held out from the training of their networks, radar and optical: larger
ones moved most lines away from the front. At Helheim (`./demo`) it is 0.5."""

LEAST_PROBABILITY = 1 / 250
"""Added to probabilities: the step in which they are stored."""

_BINS = np.linspace(-6, 6, 1201)


def front_level(zones: Zones, probability: DatasetReader) -> float:
    """Return the log-odds of ocean against glacier at the front; 0 where the two are balanced.

    Args:
        zones: The ocean and the glacier that count.
        probability: Of the zones, on the same cells.
    """
    bodies = [_quartiles(body, zones, probability) for body in (zones.ocean, zones.glacier)]
    if not all(bodies):
        return 0.0
    level = sum(median for _, median, _ in bodies) / 2
    lower, _, upper = bodies[level > 0]
    return level if abs(level) >= LEAST and upper - lower <= MOST_SPREAD else 0.0


def _quartiles(body: ReadMask, zones: Zones, probability: DatasetReader) -> list[float]:
    """Return the three quartiles of the log-odds in a body; nothing if it has no data."""
    counts = np.zeros(len(_BINS) - 1)
    for start in range(0, zones.height, zones.strip):
        stop = min(start + zones.strip, zones.height)
        ocean, glacier, _ = _probabilities(probability, zones.width, start, stop)
        odds = log_odds(ocean, glacier)[body(start, stop)]
        counts += np.histogram(odds[np.isfinite(odds)], _BINS)[0]
    if not counts.any():
        return []
    cells = np.searchsorted(counts.cumsum(), counts.sum() * np.array([0.25, 0.5, 0.75]))
    return [float(_BINS[cell : cell + 2].mean()) for cell in cells]


def at_level(zones: Zones, probability: DatasetReader, level: float) -> Zones:
    """Return the bodies divided at a level: some ocean becomes glacier, or the reverse.

    Cells that may be rock rather than the other body stay: no body grows along a fjord's wall.
    """
    if level == 0:
        return zones

    def moved(start: int, stop: int) -> Mask:
        ocean, glacier, rock = _probabilities(probability, zones.width, start, stop)
        odds = log_odds(ocean, glacier)
        if level > 0:
            return np.asarray(zones.ocean(start, stop) & (odds < level) & (glacier > rock))
        return np.asarray(zones.glacier(start, stop) & (odds > level) & (ocean > rock))

    def ocean(start: int, stop: int) -> Mask:
        return (
            np.asarray(zones.ocean(start, stop) ^ moved(start, stop))
            if level > 0
            else (zones.ocean(start, stop) | moved(start, stop))
        )

    def glacier(start: int, stop: int) -> Mask:
        return (
            np.asarray(zones.glacier(start, stop) | moved(start, stop))
            if level > 0
            else (zones.glacier(start, stop) ^ moved(start, stop))
        )

    return replace(zones, ocean=ocean, glacier=glacier)


def log_odds(ocean: NDArray[np.floating], glacier: NDArray[np.floating]) -> Float64Array:
    """Return the log-odds of ocean against glacier."""
    return np.asarray(np.log((ocean + LEAST_PROBABILITY) / (glacier + LEAST_PROBABILITY)))


def contrast_at(
    ocean: NDArray[np.floating], glacier: NDArray[np.floating], level: float
) -> NDArray[np.floating]:
    """Return the probability of ocean minus that of glacier as if their odds were even at a level.

    Their sum stays.
    """
    if level == 0:
        return ocean - glacier
    return (ocean + glacier) * np.tanh((log_odds(ocean, glacier) - level) / 2)


def _probabilities(
    probability: DatasetReader, width: int, start: int, stop: int
) -> NDArray[np.float32]:
    """Return ocean, glacier and rock of rows, NaN without data."""
    window = Window(0, start, width, stop - start)
    return read_probabilities(probability, [OCEAN, GLACIER, ROCK], window)
