"""Where ice meets water and nobody draws a front: the coast of a glacier that a model knows.

A digitised front ends where the glacier ends, but beyond it ice may go on along the fjord, to the
edge of the scene. Which contact is a front, a picture does not say; corrected scenes do. So the
coast is a part of a model that was adapted to them (`ModelCard.coast`).
"""

from __future__ import annotations

import geopandas as gpd
import shapely
from pyproj import CRS
from shapely import Geometry, MultiPolygon

DEGREES = "EPSG:4326"


def coast_in(crs: CRS, text: str) -> Geometry:
    """Return polygons in another CRS.

    Args:
        crs: Of the polygons that are returned.
        text: Polygons as WKT, degrees.
    """
    parts = _parts(shapely.from_wkt(text), DEGREES, crs)
    return shapely.union_all(shapely.make_valid(parts))


def coast_text(coast: MultiPolygon, crs: CRS) -> str:
    """Return polygons as WKT, degrees; blank if there are none."""
    if coast.is_empty:
        return ""
    parts = shapely.multipolygons(_parts(coast, crs, DEGREES))
    return str(shapely.to_wkt(parts, rounding_precision=7))


def _parts(polygons: Geometry, crs: CRS | str, other: CRS | str) -> list[Geometry]:
    return [*gpd.GeoSeries(shapely.get_parts(polygons), crs=crs).to_crs(other)]
