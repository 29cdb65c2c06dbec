"""What the colours of an optical scene say of rock and of open water.

The network sees one band. Where a scene names further ones, indices of two bands recognise much of
the rock and of the open water that the network takes for glacier. Each is computed of values
above the darkest of their band (dark-object subtraction; Chavez 1988,
doi:10.1016/0034-4257(88)90019-3), so that neither haze nor the offset of a product matters:

* NDSI = (green - short-wave infrared) / (green + short-wave infrared): snow and ice are far above
  `LEAST_SNOW`, rock and soil below (Hall et al. 1995, doi:10.1016/0034-4257(95)00137-P).
* NDWI = (green - near infrared) / (green + near infrared): clear water is above `LEAST_WATER`, rock
  below `MOST_ROCK` (McFeeters 1996, doi:10.1080/01431169608948714).
* Without infrared, (red - blue) / (red + blue): bare rock is reddish, above `LEAST_RED`, ice is
  neutral or blue.

Only cells darker than `DARK` of the brightest are judged, since clouds look like rock in NDSI.
Colours decide only what the network takes for glacier: muddy water is as red as rock.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from rasterio.windows import Window

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.fronts.scene.band_names import Colour, named_bands
from glacier_qgis.models.fronts.scene.view import sample_blocks
from glacier_qgis.models.gdal.file import RasterView
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import Scene, warped
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK

LEAST_SNOW = 0.2
MOST_ROCK, LEAST_WATER = -0.05, 0.4
LEAST_RED = 0.15
DARK = 0.45
"""Share of the brightness of the brightest cells, below which a cell is judged."""
DARKEST, BRIGHTEST = 0.001, 0.98
"""Quantiles of a band that count as its darkest and its brightest value."""


@dataclass(frozen=True)
class Spectral:
    """Where the colours of a window show rock and open water, each (rows, columns)."""

    rock: Mask
    water: Mask


ReadSpectral = Callable[[Window], Spectral]


def colours_used(bands: Mapping[Colour, int]) -> tuple[Colour, ...]:
    """Return the colours that are judged by; empty if they are not enough."""
    choices: tuple[tuple[Colour, ...], ...] = (
        ("green", "nir", "swir"),
        ("green", "swir"),
        ("green", "nir"),
        ("red", "green", "blue"),
    )
    return next((choice for choice in choices if set(choice) <= set(bands)), ())


@contextmanager
def colours_of(
    scene: Scene, grid: Grid, card: ModelCard, among: Collection[int], reporter: Reporter
) -> Iterator[ReadSpectral | None]:
    """Open the colours of a scene; None if it names too few, or if the model is not for these.

    Args:
        scene: The open scene.
        grid: The cells of the network.
        card: Of the model.
        among: Bands that may be used; empty for all.
        reporter: Receives which bands are used.
    """
    bands = named_bands(scene.dataset, scene.name, among)
    used = colours_used(bands)
    classes = {zone.value for zone in card.classes}
    if not used or "optical" not in card.sensors or GLACIER not in classes:
        yield None
        return
    numbers = [bands[colour] for colour in used]
    named = ", ".join(f"{colour} (band {bands[colour]})" for colour in used)
    reporter.log(f"Rock and open water are also judged by colour: {named}.")
    with warped(scene, grid) as view:
        low, high = _range(view, numbers, grid)

        def read(window: Window) -> Spectral:
            above = np.maximum(view.read(numbers, window=window) - low, 0)
            return judge(
                dict(zip(used, above, strict=True)), dict(zip(used, high - low, strict=True))
            )

        yield read


def judge(
    values: Mapping[Colour, Float32Array], brightest: Mapping[Colour, Float32Array]
) -> Spectral:
    """Judge cells by their colours.

    Args:
        values: Of each colour, above the darkest of its band, (rows, columns).
        brightest: The highest of them.
    """
    dark = values["green"] < DARK * brightest["green"]
    water = np.zeros_like(dark)
    if "nir" in values:
        wet = _index(values["green"], values["nir"])
        water = dark & (wet > LEAST_WATER)
    if "swir" in values:
        rock = dark & (_index(values["green"], values["swir"]) < LEAST_SNOW)
    elif "nir" in values:
        rock = dark & (wet < MOST_ROCK)
    else:
        rock = dark & (_index(values["red"], values["blue"]) > LEAST_RED)
    return Spectral(rock & ~water, water)


def with_evidence(values: Float32Array, evidence: Spectral, codes: list[int]) -> Float32Array:
    """Give the probability of glacier to rock or ocean, where the colours show these.

    Args:
        values: (classes, rows, columns).
        evidence: Of the same cells.
        codes: Of the classes; a class that is missing gets nothing.
    """
    changed = values.copy()
    glacier = codes.index(GLACIER)
    for code, shown in ((ROCK, evidence.rock), (OCEAN, evidence.water)):
        if code in codes:
            changed[codes.index(code)][shown] += changed[glacier][shown]
            changed[glacier][shown] = 0
    return changed


def _index(one: Float32Array, other: Float32Array) -> Float32Array:
    """Return the normalised difference; 0 where there is no signal or no data."""
    total = one + other
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, (one - other) / total, 0).astype(np.float32)


def _range(view: RasterView, bands: list[int], grid: Grid) -> tuple[Float32Array, Float32Array]:
    """Return the darkest and the brightest value of each band, (bands, 1, 1)."""
    blocks = [view.read(bands, window=block) for block in sample_blocks(grid)]
    sample = np.concatenate([block.reshape(len(bands), -1) for block in blocks], axis=1)
    low, high = np.nanquantile(sample, [DARKEST, BRIGHTEST], axis=1).astype(np.float32)
    return low[:, None, None], high[:, None, None]
