"""Results in one sentence with units, for the last line of the log."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from pyproj import CRS
from rasterio.io import DatasetReader

from glacier_qgis.models.engine.units import SQUARE_KILOMETRE
from glacier_qgis.models.raster.grid import Grid

BLOCK = 1024


def lines_in_words(lines: gpd.GeoDataFrame) -> str:
    """Return number, length and mean confidence and uncertainty of terminus lines."""
    count = len(lines)
    if not count:
        return "No terminus line"
    parts = [f"{count} terminus line{'s' * (count > 1)}", f"{lines.length_m.sum() / 1000:.1f} km"]
    mean = "mean " * (count > 1)
    confidence, uncertainty = float(lines.confidence.mean()), float(lines.uncertainty_m.mean())
    if math.isfinite(confidence):
        parts.append(f"{mean}confidence {confidence:.2f}")
    if math.isfinite(uncertainty):
        parts.append(f"{mean}uncertainty {uncertainty:.0f} m")
    return ", ".join(parts)


def series_in_words(lines: gpd.GeoDataFrame, scenes: int, failed: int) -> str:
    """Return the lines found in a series, their time span and the number of failed scenes."""
    dates = lines.date.dropna()
    span = f", {dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}" if len(dates) else ""
    lost = f"; {failed} failed" if failed else ""
    return f"{lines_in_words(lines)}{span}, from {scenes} scene{'s' * (scenes > 1)}{lost}."


def zones_in_words(path: Path, names: Mapping[int, str]) -> str:
    """Return the area of each class of a zones raster on cells in metres, largest first."""
    with rasterio.open(path) as zones:
        counts = _counts(zones)
        cell = abs(zones.transform.a * zones.transform.e) / SQUARE_KILOMETRE
    areas = {name: counts[code] * cell for code, name in names.items() if counts[code]}
    largest = sorted(areas.items(), key=lambda each: -each[1])
    return ", ".join(f"{name} {area:.4g} km²" for name, area in largest)


def _counts(zones: DatasetReader) -> dict[int, int]:
    grid = Grid(CRS.from_wkt(zones.crs.to_wkt()), zones.transform, *zones.shape)
    counts = np.zeros(256, np.int64)
    for block in grid.blocks(BLOCK):
        counts += np.bincount(zones.read(1, window=block).ravel(), minlength=256)
    return dict(enumerate(counts.tolist()))
