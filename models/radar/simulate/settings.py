"""The radars that the simulator imitates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from glacier_qgis.models.radar.simulate.echoes import Echoes, Power
from glacier_qgis.models.radar.simulate.tracks import IceSheet, Reflectors, Snow
from glacier_qgis.models.radar.simulate.valley import ValleyGlacier

MARGIN = 40

Geometry = IceSheet | Snow | ValleyGlacier


@dataclass(frozen=True)
class Setting:
    """A radar over ice: how its reflectors are drawn and how their echoes are recorded.

    Attributes:
        geometry: Where the reflectors are.
        echoes: What they and the radar make of them.
        margin: Samples below the lowest reflector.
    """

    geometry: Geometry
    echoes: Echoes
    margin: int = MARGIN

    def simulate(self, traces: int, seed: int) -> tuple[Reflectors, Power]:
        """Return the reflectors of a frame and its echogram, (rows, traces) in dB."""
        random = np.random.default_rng(seed)
        reflectors = self.geometry.draw(traces, random)
        rows = int(reflectors.lowest) + self.margin
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
VALLEY_GLACIER = Setting(
    ValleyGlacier(),
    Echoes(
        layer_db=6.0,
        bed_db=14.0,
        volume_db=-14.0,
        attenuation_db=1.5,
        noise_db=-40.0,
        fading_db=4.0,
        fading_length=60.0,
        looks=2,
        pulse=6.0,
        bed_tail=60.0,
        multiple_db=-200.0,
        clutter=3.0,
        curvature=12.0,
        reverberations=3,
        patches_db=3.0,
        footprint=2.0,
    ),
    margin=300,
)
"""A low-frequency radar that is pulled across a temperate valley glacier."""
SETTINGS = {
    "radiostratigraphy": RADIOSTRATIGRAPHY,
    "snow": SNOW_RADAR,
    "valley": VALLEY_GLACIER,
}
