"""Zones as a raster: class codes, colours, names, and the files that carry them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from colorsys import hsv_to_rgb
from pathlib import Path
from xml.etree import ElementTree  # nosec B405: writes XML, reads none

import numpy as np
import numpy.typing as npt
from rasterio.io import DatasetReader
from rasterio.windows import Window

from glacier_qgis.models.engine.errors import EngineError

NOT_PROCESSED, NO_DATA, ROCK, GLACIER, OCEAN = range(5)
"""Codes in a zones raster; 1 to 4 are those of the CaFFe benchmark's classes."""

CLASS_NAMES = {NO_DATA: "no data", ROCK: "rock", GLACIER: "glacier", OCEAN: "ocean"}
CLASS_COLOURS = {
    NO_DATA: (128, 128, 128, 255),
    ROCK: (140, 90, 43, 255),
    GLACIER: (207, 239, 255, 255),
    OCEAN: (31, 111, 180, 255),
}
"""Red, green, blue and opacity of the zones: ground, ice and water."""

PROBABILITY_STEPS = 250
"""Probabilities are stored as 0 to 250 with a scale of 1/250; 255 is no data."""
PROBABILITY_NODATA = 255


def zones_of(probabilities: npt.NDArray[np.float32], codes: Sequence[int]) -> npt.NDArray[np.uint8]:
    """Return the code of the most probable class; 0 where no class has a probability.

    Args:
        probabilities: (classes, rows, columns).
        codes: The code of each class, in the order of the classes.
    """
    likeliest = np.asarray(codes, dtype=np.uint8)[probabilities.argmax(axis=0)]
    return np.where(probabilities.any(axis=0), likeliest, np.uint8(NOT_PROCESSED))


def quantise(
    values: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint8]:
    """Return fractions 0 to 1 as stored in a probability or uncertainty raster."""
    steps = np.rint(np.clip(values, 0, 1) * PROBABILITY_STEPS).astype(np.uint8)
    return np.where(valid, steps, np.uint8(PROBABILITY_NODATA))


def read_probabilities(
    dataset: DatasetReader, codes: Sequence[int], window: Window
) -> npt.NDArray[np.float32]:
    """Read probabilities of zones, (codes, rows, columns), NaN where there are no data.

    Integers are multiplied by the band's scale, or divided by 255 if the file has none.

    Args:
        dataset: A probability raster; band numbers are codes of zones.
        codes: Of the zones.
        window: Part to read.
    """
    stored = dataset.read(list(codes), window=window)
    scale = dataset.scales[codes[0] - 1]
    if np.issubdtype(stored.dtype, np.integer) and scale == 1:
        scale = 1 / 255
    missing = (stored == dataset.nodata).any(axis=0) if dataset.nodata is not None else False
    return np.where(missing, np.float32(np.nan), stored.astype(np.float32) * np.float32(scale))


def class_titles(classes: Mapping[int, str]) -> dict[int, str]:
    """Return code and name of the four zones, and of a model's other classes.

    They are in the order of the bands of a probability raster; the zones are always bands 1 to 4,
    even if a model does not have all of them.
    """
    others = {code: name for code, name in sorted(classes.items()) if code not in CLASS_NAMES}
    return {**CLASS_NAMES, **others}


def require_front_classes(model: str, classes: Mapping[int, str]) -> None:
    """Make sure that a model has the classes for a front.

    Args:
        model: Its name.
        classes: Code and name of its classes.

    Raises:
        EngineError: It lacks glacier or ocean.
    """
    missing = [CLASS_NAMES[code] for code in (GLACIER, OCEAN) if code not in classes]
    if missing:
        raise EngineError(
            f"MODEL: {model} has the classes {', '.join(classes.values())}, but a front needs "
            f"{' or '.join(missing)} too. Choose another model, or run 'Segment calving front' for "
            "its zones."
        )


def palette(titles: Mapping[int, str] = CLASS_NAMES) -> dict[int, tuple[int, int, int, int]]:
    """Return red, green, blue and opacity of each code; other classes get saturated colours."""
    colours = {**CLASS_COLOURS}
    others = [code for code in titles if code not in CLASS_COLOURS]
    for index, code in enumerate(others):
        red, green, blue = hsv_to_rgb(((index + 0.5) / len(others) + 0.75) % 1, 0.8, 0.9)
        colours[code] = (round(255 * red), round(255 * green), round(255 * blue), 255)
    return {NOT_PROCESSED: (0, 0, 0, 0), **colours}


def write_attribute_table(path: Path, titles: Mapping[int, str] = CLASS_NAMES) -> None:
    """Write class names and colours as GDAL's auxiliary file of a zones raster."""
    dataset = ElementTree.Element("PAMDataset")
    band = ElementTree.SubElement(dataset, "PAMRasterBand", band="1")
    table = ElementTree.SubElement(band, "GDALRasterAttributeTable", tableType="thematic")
    integer, text = "0", "2"
    minmax, name, red, green, blue = "5", "2", "6", "7", "8"
    columns = [
        ("Value", integer, minmax),
        ("Class", text, name),
        ("Red", integer, red),
        ("Green", integer, green),
        ("Blue", integer, blue),
    ]
    for index, (title, kind, usage) in enumerate(columns):
        column = ElementTree.SubElement(table, "FieldDefn", index=str(index))
        ElementTree.SubElement(column, "Name").text = title
        ElementTree.SubElement(column, "Type").text = kind
        ElementTree.SubElement(column, "Usage").text = usage
    colours = palette(titles)
    for index, (code, title) in enumerate(titles.items()):
        row = ElementTree.SubElement(table, "Row", index=str(index))
        for value in (code, title, *colours[code][:3]):
            ElementTree.SubElement(row, "F").text = str(value)
    ElementTree.ElementTree(dataset).write(path, encoding="utf-8", xml_declaration=True)
