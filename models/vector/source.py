"""Polygons that a person drew, brought to the CRS of the work."""

from __future__ import annotations

import pyogrio
import shapely
from pyogrio.errors import DataSourceError
from pyproj import CRS
from shapely import Polygon

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import VectorInput


def read_polygons(source: VectorInput, crs: CRS, role: str) -> list[Polygon]:
    """Read the polygons of a layer.

    Args:
        source: The file, its layer (None for the first) and, from QGIS, the CRS of the
            layer, which goes before the file's own.
        crs: What to return coordinates in.
        role: The parameter's name, for messages.

    Returns:
        At least one polygon, all valid.

    Raises:
        EngineError: The file cannot be read, states no CRS, or has no polygon.
    """
    try:
        layer = source.layer or pyogrio.list_layers(source.path)[0][0]
        frame = pyogrio.read_dataframe(source.path, layer=layer, columns=[])
    except (DataSourceError, ValueError, IndexError) as error:
        raise EngineError(
            f"{role}: {source.path} cannot be read as a vector layer ({error})."
        ) from error
    stated = source.crs or getattr(frame, "crs", None)
    if stated is None:
        raise EngineError(
            f"{role}: {source.path} has no coordinate reference system. Find out which it is in "
            "and set it with 'Define projection', or in the layer's properties."
        )
    shapes = frame.geometry.set_crs(stated, allow_override=True).to_crs(crs).make_valid()
    parts = shapely.get_parts(shapely.get_parts(shapes.dropna().to_numpy()))
    polygons = [part for part in parts if isinstance(part, Polygon) and part.area > 0]
    if not polygons:
        raise EngineError(
            f"{role}: the layer '{layer}' of {source.path} holds no polygon. Draw one, or choose a "
            "polygon layer."
        )
    return polygons
