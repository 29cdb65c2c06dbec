"""Rasters in files, from arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine


def write_raster(
    path: Path,
    values: np.ndarray[Any, Any],
    transform: Affine | None = None,
    crs: str | None = "EPSG:32632",
    *,
    described: Mapping[str, tuple[object, ...]] | None = None,
    tags: Mapping[str, str] | None = None,
    **profile: object,
) -> Path:
    """Write a GeoTIFF, and return its path.

    Args:
        path: Of the file; its folder is made.
        values: One band, or bands first.
        transform: None for a raster without a place.
        crs: WKT or "EPSG:n".
        described: What rasterio knows of each band: `descriptions`, `units`, `scales`, `offsets`.
        tags: Of the file.
        profile: More for rasterio, such as `nodata`.
    """
    bands = values if values.ndim == 3 else values[None]
    count, height, width = bands.shape
    path.parent.mkdir(parents=True, exist_ok=True)
    place = {} if transform is None else {"transform": transform}
    shape = {"count": count, "height": height, "width": width, "dtype": bands.dtype}
    options = {"driver": "GTiff", "crs": crs, **place, **shape, **profile}
    with rasterio.open(path, "w", **options) as target:
        target.write(bands)
        target.update_tags(**tags or {})
        for name, of_bands in (described or {}).items():
            setattr(target, name, of_bands)
    return path
