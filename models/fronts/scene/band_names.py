"""Which bands of a scene are which part of the spectrum, where the scene says so."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader

from glacier_qgis.models.fronts.scene.names import parse_scene_name
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.raster.source import Scene

Colour = Literal["blue", "green", "red", "nir", "swir"]
WORDS: dict[Colour, re.Pattern[str]] = {
    "blue": re.compile(r"\bblue\b"),
    "green": re.compile(r"\bgreen\b"),
    "red": re.compile(r"\bred\b(?! ?edge)"),
    "nir": re.compile(r"\b(nir|near infra ?red)\b"),
    "swir": re.compile(r"\b(swir ?1?|(short ?wave|mid) infra ?red( 1)?)\b"),
}
INTERPRETATIONS: dict[ColorInterp, Colour] = {
    ColorInterp.blue: "blue",
    ColorInterp.green: "green",
    ColorInterp.red: "red",
    ColorInterp.nir: "nir",
    ColorInterp.swir: "swir",
}
PREFERRED: tuple[Colour, ...] = ("red", "nir", "green", "blue")
"""The band for an optical model of one band, by preference: in red and near infrared, water is
darkest and haze thinnest; in short-wave infrared, ice is dark."""
NUMBERS: dict[str, dict[str, Colour]] = {
    "MSI": {"2": "blue", "3": "green", "4": "red", "8": "nir", "8A": "nir", "11": "swir"},
    "OLI": {"2": "blue", "3": "green", "4": "red", "5": "nir", "6": "swir"},
    "OLI/TIRS": {"2": "blue", "3": "green", "4": "red", "5": "nir", "6": "swir"},
    "TM": {"1": "blue", "2": "green", "3": "red", "4": "nir", "5": "swir"},
    "ETM+": {"1": "blue", "2": "green", "3": "red", "4": "nir", "5": "swir"},
}
"""Numbers of the bands of sensors known to `parse_scene_name`."""
NUMBER = re.compile(r"(?:^|[^A-Z0-9])(?:SR_)?B(?:AND ?)?0?(\d{1,2}A?)(?![A-Z0-9])")


def network_bands(scene: Scene, card: ModelCard, asked: tuple[int, ...]) -> tuple[int, ...]:
    """Return the bands that a network sees.

    Args:
        scene: The open scene.
        card: Of the model.
        asked: By the user; empty to take the first ones, or of an optical scene with named bands
            the one that suits a model of one band.
    """
    if not asked and card.bands == 1 and "optical" in card.sensors:
        named = named_bands(scene.dataset, scene.name, ())
        asked = tuple(named[colour] for colour in PREFERRED if colour in named)[:1]
    return asked or tuple(range(1, card.bands + 1))


def named_bands(dataset: DatasetReader, scene: str, among: Collection[int]) -> dict[Colour, int]:
    """Return bands by their part of the spectrum.

    A band's description counts: words, or the band's number if the scene's name tells the sensor.
    The colour interpretation counts only for a band without description: GDAL takes any three
    bands of 8 bits for red, green and blue.

    Args:
        dataset: The open scene.
        scene: Its name.
        among: Bands that may be used; empty for all.
    """
    numbers = NUMBERS.get(parse_scene_name(scene).sensor, {})
    found: dict[Colour, int] = {}
    for band in among or dataset.indexes:
        if not 1 <= band <= dataset.count:
            continue
        title = dataset.descriptions[band - 1]
        colour = (
            _described(title, numbers)
            if title
            else INTERPRETATIONS.get(dataset.colorinterp[band - 1])
        )
        if colour:
            found.setdefault(colour, band)
    return found


def _described(title: str, numbers: dict[str, Colour]) -> Colour | None:
    words = re.sub(r"[^a-z0-9]+", " ", title.lower())
    for colour, pattern in WORDS.items():
        if pattern.search(words):
            return colour
    number = NUMBER.search(title.upper())
    return numbers.get(number[1]) if number else None
