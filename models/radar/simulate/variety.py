"""Settings for training, drawn at random, and the settings that no training has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from glacier_qgis.models.radar.simulate.echoes import Echoes
from glacier_qgis.models.radar.simulate.settings import (
    RADIOSTRATIGRAPHY,
    VALLEY_GLACIER,
    Geometry,
    Setting,
)
from glacier_qgis.models.radar.simulate.tracks import IceSheet, Snow
from glacier_qgis.models.radar.simulate.valley import ValleyGlacier

SNOW, VALLEY = 0.4, 0.15
"""Shares of the frames; the others are of ice sheets."""
LEAST_LOOKS, LEAST_SPACING, MOST_NOISE_DB = 2, 9.0, -40.0
"""Limits of the training. The held-out settings lie beyond them."""

ONE_LOOK = replace(Echoes(), looks=1, noise_db=-66.0)
"""Held out: speckle of a single look."""
BURIED = replace(Echoes(), layer_db=4.5, layer_spread_db=1.5, looks=1, noise_db=-38.0)
"""Held out: weak layers of which most lie below the receiver's noise."""
NARROW = replace(RADIOSTRATIGRAPHY, geometry=IceSheet(spacing=7.5, irregular=0.3))
"""Held out: layers nearer to each other."""

Between = Callable[[float, float], float]


def varied(random: np.random.Generator) -> Setting:
    """Draw a setting for training: a kind of radar with every property varied widely."""

    def between(low: float, high: float) -> float:
        return float(random.uniform(low, high))  # nosec B311: NumPy's, seeded

    kind = random.random()  # nosec B311: NumPy's, seeded
    margin = int(between(20, 160))
    if kind < VALLEY:
        return Setting(_valley(between), _valley_echoes(between), margin)
    snow = kind < VALLEY + SNOW
    return Setting(_snow(between) if snow else _ice_sheet(between), _echoes(between, snow), margin)


def _ice_sheet(between: Between) -> Geometry:
    return IceSheet(
        thickness=between(200, 450),
        relief=between(0.01, 0.15),
        surface_row=between(10, 90),
        surface_relief=between(0, 8),
        spacing=between(LEAST_SPACING, 30),
        irregular=between(0.2, 0.7),
        accumulation=between(0.05, 0.35),
        folds=between(0, 0.06),
        length=between(60, 400),
        deepest=between(0.6, 0.98),
    )


def _snow(between: Between) -> Geometry:
    return Snow(
        rows=between(250, 450),
        surface_row=between(15, 90),
        surface_relief=between(0, 8),
        spacing=between(LEAST_SPACING + 1, 32),
        irregular=between(0.1, 0.45),
        accumulation=between(0.05, 0.35),
        pattern=between(0.03, 0.2),
        length=between(60, 400),
        densification=between(0.5, 1),
    )


def _valley(between: Between) -> Geometry:
    return ValleyGlacier(
        thickness=between(150, 450),
        half_width=between(150, 600),
        shape=between(1.4, 3),
        relief=between(2, 15),
        surface_row=between(5, 30),
        surface_relief=between(0, 3),
        spacing=between(20, 120),
        deepest=between(0, 0.6),
        length=between(40, 200),
    )


def _echoes(between: Between, snow: bool) -> Echoes:
    return Echoes(
        layer_db=between(5, 13),
        layer_spread_db=between(1, 4),
        bed_db=between(12, 28),
        volume_db=between(-32, -12),
        attenuation_db=between(0, 8),
        noise_db=between(-65, MOST_NOISE_DB),
        fading_db=between(0.5, 3),
        fading_length=between(10, 100),
        looks=_looks(between),
        pulse=between(1.1, 2.8),
        bed_tail=between(2, 20),
        multiple_delay=between(60, 400),
        multiple_db=-200.0 if snow and between(0, 1) < 0.5 else between(-45, -22),
        clutter=between(0, 0.8),
        curvature=between(15, 60),
        gain_db=between(0, 1.2),
        drift_db=between(0, 2),
        gain_slope_db=between(0, 4),
        missing=between(0, 0.02),
        patches_db=max(between(-2, 2), 0.0),
        footprint=max(between(-2, 2), 0.0),
    )


def _valley_echoes(between: Between) -> Echoes:
    return replace(
        VALLEY_GLACIER.echoes,
        layer_db=between(5, 12),
        bed_db=between(8, 24),
        volume_db=between(-22, -8),
        attenuation_db=between(0, 4),
        noise_db=between(-60, MOST_NOISE_DB),
        fading_db=between(1, 5),
        fading_length=between(20, 100),
        looks=_looks(between),
        pulse=between(2, 9),
        bed_tail=between(15, 120),
        clutter=between(0.5, 6),
        clutter_db=between(4, 12),
        curvature=between(6, 30),
        reverberations=int(between(0, 6)),
        patches_db=between(0, 4),
        footprint=between(0, 3),
        gain_db=between(0, 1.2),
        drift_db=between(0, 3),
        gain_slope_db=between(-2, 4),
    )


def _looks(between: Between) -> int:
    """Draw 2 to 12 looks; few of them as often as many."""
    return int(LEAST_LOOKS * 6.5 ** between(0, 1))
