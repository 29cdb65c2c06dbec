"""Kind of sensor of a scene, radar or optical, from its name, tags, bands and values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath

import numpy as np
import numpy.typing as npt
from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader
from rasterio.windows import Window

from glacier_qgis.models.fronts.scene.names import parse_scene_name
from glacier_qgis.models.package.card import SensorKind
from glacier_qgis.models.raster.source import Scene

KINDS: dict[SensorKind, frozenset[str]] = {
    "radar": frozenset({"C-SAR", "AMI-SAR", "SAR", "SAR-2000", "ASAR", "PALSAR", "X-SAR"}),
    "optical": frozenset({"MSI", "OLI/TIRS", "OLI", "TM", "ETM+", "MSS"}),
}
"""Sensors known to `parse_scene_name`."""
WORDS: dict[SensorKind, re.Pattern[str]] = {
    "radar": re.compile(
        r"\b(sentinel ?1[a-d]?|terrasar|tandem ?x|radarsat|envisat|palsar|cosmo skymed|iceye"
        r"|capella|saocom|sar|asar|radar|grd|backscatter|[vh][vh]|(sigma|gamma|beta) ?(0|nought))\b"
    ),
    "optical": re.compile(
        r"\b(sentinel ?2[a-d]?|landsat ?\d?|planetscope|psscene|rapideye|pleiades|worldview ?\d?"
        r"|quickbird|ikonos|modis|viirs|reflectance|rgb|multispectral|optical)\b"
    ),
}
"""Searched in names and tags, in lower case, with spaces for other characters than letters and
digits."""
COLOURS = re.compile(r"\b(red|green|blue|nir|swir ?\d?|red ?edge ?\d?|pan|panchromatic|b\d\d?a?)\b")
"""Names of optical bands. Not searched in names of files, where they may be part of a glacier's
name."""
TELLING = re.compile(
    "satellite|sensor|platform|mission|instrument|spacecraft|product|polari[sz]ation|radiometr",
    re.IGNORECASE,
)
"""Tags that name the sensor of a scene."""
PRODUCT_FOLDERS = 4
"""Number of parent folders that may have the name of the product."""
COLOUR_BANDS = 3
SAMPLES, SAMPLE_EDGE = 3, 128
"""Number of windows along each side, and their edge in pixels, for the values."""
DECIBELS = (-60.0, -3.0)
"""Range of the median of backscatter in dB; reflectance is never negative."""


@dataclass(frozen=True)
class Sensor:
    """The sensor of a scene.

    Attributes:
        kind: "radar" if nothing indicates the sensor.
        reason: What indicates it, as part of a sentence.
        sure: False if nothing indicates it, or name and tags contradict each other.
    """

    kind: SensorKind
    reason: str
    sure: bool = True


def recognise(scene: Scene, name: str, stated: str = "") -> Sensor:
    """Determine the kind of sensor of a scene.

    The user's statement has priority, then names, tags, bands and values.

    Args:
        scene: The open scene.
        name: Path or name of the scene.
        stated: The sensor as stated by the user; may be blank.
    """
    if kind := _kind_of(stated):
        return Sensor(kind, f"SENSOR is '{stated}'")
    said = [*_named(name), *_tagged(scene.dataset)]
    if not said:
        return _by_bands(scene.dataset)
    other = next((found.reason for found in said if found.kind != said[0].kind), "")
    return (
        replace(said[0], reason=f"{said[0].reason}, but {other}", sure=False) if other else said[0]
    )


def kinds_by_name(names: Iterable[str]) -> tuple[SensorKind, ...]:
    """Return the kinds of sensors in the names of scenes; empty if one name has none."""
    found = {_kind_of(name) for name in names}
    return () if None in found else tuple(kind for kind in WORDS if kind in found)


def _kind_of(text: str) -> SensorKind | None:
    """Return the kind of sensor that a name or text indicates, if it is only one kind."""
    sensor = parse_scene_name(text).sensor
    words = re.sub(r"[^a-z0-9]+", " ", text.lower())
    kinds: list[SensorKind] = [kind for kind, names in KINDS.items() if sensor in names]
    kinds = kinds or [kind for kind, pattern in WORDS.items() if pattern.search(words)]
    return kinds[0] if len(kinds) == 1 else None


def _named(name: str) -> Iterator[Sensor]:
    """Yield what the file's name indicates, or the name of the product's folder."""
    path = PurePath(name.replace("\\", "/"))
    if kind := _kind_of(path.name):
        yield Sensor(kind, f"the name '{path.name}' says so")
        return
    for folder in path.parts[-2 : -2 - PRODUCT_FOLDERS : -1]:
        found = parse_scene_name(folder)
        if found.date and found.satellite and (kind := _kind_of(folder)):
            yield Sensor(kind, f"it belongs to the product '{folder}'")
            return


def _tagged(dataset: DatasetReader) -> Iterator[Sensor]:
    """Yield what tags and descriptions of bands indicate."""
    for domain in (None, "IMAGERY"):
        for key, value in dataset.tags(ns=domain).items():
            if TELLING.search(key) and (kind := _kind_of(f"{key} {value}")):
                yield Sensor(kind, f"its tag {key} is '{value[:60]}'")
    for band in dataset.indexes:
        title = dataset.descriptions[band - 1] or ""
        words = re.sub(r"[^a-z0-9]+", " ", title.lower())
        kind = _kind_of(title) or ("optical" if COLOURS.search(words) else None)
        if kind:
            yield Sensor(kind, f"band {band} is called '{title}'")


def _by_bands(dataset: DatasetReader) -> Sensor:
    """Judge by the number and kind of bands, and by the values."""
    shown = [kind for kind in dataset.colorinterp if kind != ColorInterp.alpha]
    if len(shown) >= COLOUR_BANDS and not _is_grey(dataset):
        return Sensor("optical", f"it has {len(shown)} bands")
    if np.issubdtype(np.dtype(dataset.dtypes[0]), np.floating):
        values = np.concatenate([part.ravel() for part in _samples(dataset)])
        values = values[np.isfinite(values)]
        low, high = DECIBELS
        if values.size and low < (middle := float(np.median(values))) < high:
            return Sensor("radar", f"its values are in dB (median {middle:.1f})")
    return Sensor("radar", "neither name, tags nor bands indicate it", sure=False)


def _is_grey(dataset: DatasetReader) -> bool:
    """Return whether three bands hold the same grey image, as in some exported radar scenes."""
    first, *others = (_samples(dataset, band) for band in range(1, COLOUR_BANDS + 1))
    return all(
        np.array_equal(one, same, equal_nan=True)
        for other in others
        for one, same in zip(first, other, strict=True)
    )


def _samples(dataset: DatasetReader, band: int = 1) -> list[npt.NDArray[np.float64]]:
    """Read windows of a band spread over a raster, NaN where there is no data."""
    height, width = dataset.shape
    return [
        dataset.read(
            band,
            window=Window(column, row, min(SAMPLE_EDGE, width), min(SAMPLE_EDGE, height)),
            masked=True,
            out_dtype="float64",
        ).filled(np.nan)
        for row in np.linspace(0, max(height - SAMPLE_EDGE, 0), SAMPLES, dtype=int).tolist()
        for column in np.linspace(0, max(width - SAMPLE_EDGE, 0), SAMPLES, dtype=int).tolist()
    ]
