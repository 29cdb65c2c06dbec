"""The two radars that the simulator imitates, and variations of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from glacier_qgis.models.radar.simulate.echoes import Echoes, Power
from glacier_qgis.models.radar.simulate.tracks import Geometry, IceSheet, Reflectors, Snow

MARGIN = 40
"""Samples below the lowest reflector."""


@dataclass(frozen=True)
class Setting:
    """A radar over ice: how its reflectors are drawn and how their echoes are recorded."""

    geometry: Geometry
    echoes: Echoes

    def simulate(self, traces: int, seed: int) -> tuple[Reflectors, Power]:
        """Return the reflectors of a frame and its echogram, (rows, traces) in dB."""
        random = np.random.default_rng(seed)
        reflectors = self.geometry.draw(traces, random)
        rows = int(reflectors.lowest) + MARGIN
        return reflectors, self.echoes.record(reflectors, rows, random)


RADIOSTRATIGRAPHY = Setting(IceSheet(), Echoes())
"""A depth sounder over kilometres of ice, such as MCoRDS."""
SNOW_RADAR = Setting(
    Snow(),
    Echoes(
        layer_db=7.0,
        volume_db=-15.0,
        attenuation_db=3.5,
        noise_db=-45.0,
        fading_length=25.0,
        multiple_db=-200.0,
        clutter=0.0,
        pulse=2.2,
    ),
)
"""An ultra-wideband radar over metres of snow and firn, such as the Snow Radar."""
SETTINGS = {"radiostratigraphy": RADIOSTRATIGRAPHY, "snow": SNOW_RADAR}


def varied(random: np.random.Generator) -> Setting:
    """Draw a setting for training: one of the two, with every property varied widely."""

    def between(low: float, high: float) -> float:
        return float(random.uniform(low, high))  # nosec B311: NumPy's, seeded

    snow = random.random() < 0.4  # nosec B311: NumPy's, seeded
    base = SNOW_RADAR if snow else RADIOSTRATIGRAPHY
    geometry: Geometry
    if isinstance(base.geometry, Snow):
        geometry = replace(
            base.geometry,
            rows=between(250, 450),
            surface_row=between(15, 90),
            surface_relief=between(0, 8),
            spacing=between(10, 32),
            irregular=between(0.1, 0.45),
            accumulation=between(0.05, 0.35),
            pattern=between(0.03, 0.2),
            length=between(60, 400),
            densification=between(0.5, 1),
        )
    else:
        geometry = replace(
            base.geometry,
            thickness=between(200, 450),
            relief=between(0.01, 0.15),
            surface_row=between(10, 90),
            surface_relief=between(0, 8),
            spacing=between(9, 30),
            irregular=between(0.2, 0.7),
            accumulation=between(0.05, 0.35),
            folds=between(0, 0.06),
            length=between(60, 400),
            deepest=between(0.6, 0.98),
        )
    echoes = replace(
        base.echoes,
        layer_db=between(5, 13),
        layer_spread_db=between(1, 4),
        bed_db=between(12, 28),
        volume_db=between(-32, -12),
        attenuation_db=between(0, 8),
        noise_db=between(-65, -40),
        fading_db=between(0.5, 3),
        fading_length=between(10, 100),
        looks=int(random.integers(2, 13)),
        pulse=between(1.1, 2.8),
        bed_tail=between(2, 20),
        multiple_delay=between(60, 400),
        multiple_db=between(-45, -22),
        clutter=between(0, 0.8),
        gain_db=between(0, 1.2),
        drift_db=between(0, 2),
        gain_slope_db=between(0, 4),
        missing=between(0, 0.02),
    )
    return Setting(geometry, echoes)
