"""GeoPackages as results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from pyogrio import raw

from glacier_qgis.models.engine.errors import EngineError


def write_layer(
    frame: pd.DataFrame, path: Path, layer: str, geometry_type: str = "Unknown"
) -> None:
    """Write a frame as the only layer of a GeoPackage.

    Columns of times that are all at midnight become dates. NaN, NaT and None become NULL.

    Args:
        frame: With geometries (a `GeoDataFrame` with a CRS), or without: a table.
        path: A staged path (see `Outputs.stage`).
        layer: The layer's name; the staged path does not contain it.
        geometry_type: OGR's name; needed because a layer may be empty.
    """
    spatial = isinstance(frame, gpd.GeoDataFrame)
    names = [name for name in frame.columns if not spatial or name != frame.geometry.name]
    if path.suffix.lower() != ".gpkg":
        raise EngineError(
            f"{path.name} is not a GeoPackage, the format of vector results. Choose "
            "a file name *.gpkg."
        )
    raw.write(
        path,
        geometry=frame.geometry.to_wkb().to_numpy(dtype=object) if spatial else None,
        field_data=[_values(frame[name]) for name in names],
        fields=np.array(names, dtype=object),
        geometry_type=geometry_type if spatial else None,
        crs=frame.crs.to_wkt() if spatial else None,
        layer=layer,
        driver="GPKG",
        dataset_options={"VERSION": "1.3"},  # GDAL of some QGIS versions warns of version 1.4
    )


def _values(column: pd.Series[Any]) -> npt.NDArray[np.generic]:
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        times = column.to_numpy(dtype="datetime64[ms]")
        days = times.astype("datetime64[D]")
        return days if (np.isnat(times) | (times == days)).all() else times
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy()
    return column.astype(object).where(column.notna(), None).to_numpy(dtype=object)
