"""Measured thickness: points, or lines with a value in each vertex."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import torch

from glacier_qgis.models.compute.arrays import Float64Array, Mask
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.iceflow.ground.topography import THICKEST
from glacier_qgis.models.iceflow.ground.units import INTERNATIONAL_FOOT, VerticalUnit
from glacier_qgis.models.iceflow.inversion.observed import Samples
from glacier_qgis.models.iceflow.inversion.reading.glacier import Glacier
from glacier_qgis.models.vector.source import Layer, read_layer

ROLE = "THICKNESS_POINTS"
LEAST_ERROR, RELATIVE_ERROR = 3.0, 0.05
"""Of a sounding, m and as a share, if nothing is stated."""
CONTRADICTION = 0.25
"""Scatter within a cell, as a share of the thickness, above which points contradict each other."""


def read_soundings(
    source: VectorInput,
    field: str,
    error: float,
    unit: VerticalUnit,
    glacier: Glacier,
    reporter: Reporter,
) -> Samples:
    """Return the mean thickness of each cell with points.

    Args:
        source: points or lines.
        field: the attribute with the thickness; blank for the Z of the vertices.
        error: standard deviation of a value, m; 0 if it is not known.
        unit: of the thickness, where feet are chosen.
        glacier: where it is.
        reporter: receives messages.

    Raises:
        EngineError: There is no usable point on the ice.
    """
    layer = read_layer(source, ROLE)
    places, values = _vertices(layer, field, glacier)
    if unit == "feet":
        values = values * INTERNATIONAL_FOOT
    usable = np.isfinite(values) & (values >= 0) & np.isfinite(places).all(axis=1)
    if not usable.all():
        reporter.warning(
            f"{ROLE}: {int((~usable).sum())} of {len(values)} values are missing, negative or "
            "without a place; they are left out."
        )
    if usable.any() and values[usable].max() > THICKEST:
        raise EngineError(
            f"{ROLE}: '{field}' reaches {values[usable].max():g} m, more than any ice on Earth. "
            "Choose the field with the thickness, in metres, as THICKNESS_FIELD."
        )
    rows, columns = _cells(places, glacier)
    height, width = glacier.grid.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    on_ice = np.zeros(len(values), dtype=bool)
    on_ice[inside] = glacier.ice[rows[inside], columns[inside]]
    beside = usable & ~on_ice
    kept = usable & on_ice
    if not kept.any():
        raise EngineError(
            f"{ROLE}: none of the {len(values)} points of {layer.name} lies inside OUTLINE. Check "
            "the CRS of both layers, or leave it blank."
        )
    if beside.any():
        reporter.warning(
            f"{ROLE}: {int(beside.sum())} of {len(values)} points lie outside OUTLINE; they are "
            "left out."
        )
    samples, scatter = _by_cell(rows[kept], columns[kept], values[kept], error, glacier)
    if scatter > CONTRADICTION:
        reporter.warning(
            f"{ROLE}: points in the same cell differ by {scatter:.0%} of the thickness on average. "
            "Their errors are raised to that; check for points of different years or units."
        )
    reporter.log(
        f"{ROLE}: {int(kept.sum())} points in {len(samples)} cells, mean "
        f"{float(samples.values.mean()):.1f} m."
    )
    return samples


def _vertices(layer: Layer, field: str, glacier: Glacier) -> tuple[Float64Array, Float64Array]:
    """Return places in the CRS of the grid, (n, 2), and values, (n,)."""
    frame = layer.frame.to_crs(glacier.grid.crs)
    shapes = frame.geometry.to_numpy()
    if shapely.get_dimensions(shapes).max() > 1:
        raise EngineError(f"{ROLE}: {layer.name} has polygons. Choose points or lines.")
    coordinates, index = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    if field:
        return coordinates[:, :2], _numbers(frame, field, layer)[index]
    if np.isnan(coordinates[:, 2]).all():
        raise EngineError(
            f"THICKNESS_FIELD is missing: the vertices of {layer.name} have no Z. Choose one of: "
            f"{listed(_numeric(frame)) or 'none'}."
        )
    return coordinates[:, :2], coordinates[:, 2]


def _numbers(frame: gpd.GeoDataFrame, field: str, layer: Layer) -> Float64Array:
    if field not in frame.columns:
        raise EngineError(
            f"THICKNESS_FIELD: {layer.name} has no field '{field}'. Choose one of: "
            f"{listed(_numeric(frame)) or 'none'}."
        )
    numbers = pd.to_numeric(frame[field], errors="coerce").to_numpy(dtype=float)
    if np.isnan(numbers).all():
        raise EngineError(
            f"THICKNESS_FIELD: '{field}' of {layer.name} holds no numbers. Choose one of: "
            f"{listed(_numeric(frame)) or 'none'}."
        )
    return np.asarray(numbers)


def _numeric(frame: gpd.GeoDataFrame) -> list[str]:
    return [str(name) for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name])]


def _cells(places: Float64Array, glacier: Glacier) -> tuple[Mask, Mask]:
    west, _, _, north = glacier.grid.bounds
    cell = glacier.grid.cell_size
    far = np.nan_to_num(places, nan=-1e9)
    return (
        np.floor((north - far[:, 1]) / cell).astype(int),
        np.floor((far[:, 0] - west) / cell).astype(int),
    )


def _by_cell(
    rows: Mask, columns: Mask, values: Float64Array, error: float, glacier: Glacier
) -> tuple[Samples, float]:
    """Return one sample per cell, and the mean relative scatter in cells with several points."""
    shape = glacier.grid.shape
    flat = np.ravel_multi_index((rows, columns), shape)
    number = np.bincount(flat, minlength=shape[0] * shape[1])
    total = np.bincount(flat, values, minlength=len(number))
    squares = np.bincount(flat, values**2, minlength=len(number))
    cells = number > 0
    mean = total[cells] / number[cells]
    spread = np.sqrt((squares[cells] / number[cells] - mean**2).clip(min=0))
    own = np.full(len(mean), error) if error else np.hypot(LEAST_ERROR, RELATIVE_ERROR * mean)
    several = number[cells] > 1
    scatter = float((spread[several] / mean[several].clip(min=1)).mean()) if several.any() else 0.0
    independent = min(1.0, glacier.grid.cell_size / max(glacier.place.typical, 1.0))
    samples = Samples(
        torch.from_numpy(cells.reshape(shape)),
        torch.from_numpy(mean),
        torch.from_numpy(np.hypot(own, spread)),
        torch.full((len(mean),), independent, dtype=torch.float64),
    )
    return samples, scatter if math.isfinite(scatter) else 0.0
