"""How uncertain the prediction of each scene is."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import geometry_mask

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.fronts.scene.names import parse_scene_name
from glacier_qgis.models.raster.source import open_raster
from glacier_qgis.models.review.queue.candidates import Candidate

NEAR_CELLS = 10
"""Cells around a line whose uncertainty counts."""
LARGEST_SIDE = 2048
"""Rows and columns above which a raster is read thinned out."""


def uncertainties(
    found: Sequence[Candidate], rasters: Sequence[RasterInput], reporter: Reporter
) -> NDArray[np.float64]:
    """Return how uncertain the prediction of each scene is; NaN where nothing states it.

    Of the rasters, the mean normalised entropy near the lines; without rasters, the largest
    'uncertainty_m' of the lines, or, where no line has one, 1 less the lowest 'confidence'.
    """
    if rasters:
        by_name = _by_scene(rasters)
        values = [_entropy(one, by_name.get(one.image_id)) for one in found]
        lacking = int(np.isnan(values).sum())
        if lacking:
            reporter.warning(
                f"{lacking} of {len(found)} scenes have no raster among UNCERTAINTY; they count as "
                "of middling uncertainty."
            )
        return np.array(values)
    stated = np.array([_largest(one.lines, "uncertainty_m") for one in found])
    if np.isfinite(stated).any():
        return stated
    unsure = np.array([_largest(one.lines, "confidence", -1) for one in found])
    if not np.isfinite(unsure).any():
        reporter.warning(
            "INPUT states no uncertainty and no confidence: the queue is spread over places and "
            "dates only."
        )
    return 1 + unsure


def doubtful(found: Sequence[Candidate]) -> NDArray[np.bool_]:
    """Return which scenes have no line, or one that is flagged as an outlier."""
    return np.array(
        [one.lines.empty or _largest(one.lines, "outlier") == 1 for one in found], dtype=bool
    )


def _largest(lines: gpd.GeoDataFrame, name: str, sign: int = 1) -> float:
    values = sign * pd.to_numeric(lines[name], errors="coerce") if name in lines else []
    known = pd.Series(values, dtype=float).dropna()
    return float(known.max()) if len(known) else np.nan


def _by_scene(rasters: Sequence[RasterInput]) -> dict[str, RasterInput]:
    """Return rasters by the scene that their tags name, or that they are called after."""
    named = {}
    for raster in rasters:
        with open_raster(raster, "UNCERTAINTY") as opened:
            tag = opened.dataset.tags().get("SCENE", raster.path)
        named[parse_scene_name(tag).image_id] = raster
    return named


def _entropy(one: Candidate, raster: RasterInput | None) -> float:
    """Return the mean of a raster near the lines, or of all of it where there are none."""
    if raster is None:
        return np.nan
    with open_raster(raster, "UNCERTAINTY") as opened:
        file = opened.dataset
        shape = tuple(min(length, LARGEST_SIDE) for length in file.shape)
        values = file.read(1, masked=True, out_shape=shape).astype(np.float64).filled(np.nan)
        if not one.lines.empty:
            step = Affine.scale(file.width / shape[1], file.height / shape[0])
            width = NEAR_CELLS * max(abs(opened.transform.a), abs(opened.transform.b))
            near = one.lines.to_crs(opened.crs).geometry.buffer(width)
            values = values[geometry_mask(near, shape, opened.transform @ step, invert=True)]
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan
