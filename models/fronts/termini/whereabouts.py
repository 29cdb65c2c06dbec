"""Where the fronts of a glacier may be that a model was adapted to.

A digitised front ends where the glacier ends, but beyond it ice may go on along the fjord, to the
edge of the scene. Which contact of ice and water is a front, a picture does not say; corrected
scenes do. So the coast, where nobody draws one, is a part of such a model (`ModelCard.coast`), and
so is the place that it was trained on (`AdaptedTo.place`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import geopandas as gpd
import shapely
from pyproj import CRS
from shapely import Geometry, LineString, MultiPolygon, Polygon

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.vector.lines import cut_lines

DEGREES = "EPSG:4326"


@dataclass(frozen=True)
class Whereabouts:
    """Where fronts may be; polygons as WKT, degrees.

    Attributes:
        coast: Where no line is a front; blank if that is not known.
        place: The surroundings of the fronts; blank for anywhere.
    """

    coast: str = ""
    place: str = ""

    @classmethod
    def of(cls, made_by: Mapping[str, str]) -> Self:
        """Read them from the provenance of zones: a card's, or the tags of a raster."""
        return cls(made_by.get("COAST", ""), made_by.get("PLACE", ""))

    def off_coast(self, lines: Sequence[LineString], crs: CRS) -> list[LineString]:
        """Return the parts of lines that may be fronts."""
        return cut_lines(lines, from_degrees(self.coast, crs)) if self.coast else [*lines]

    def in_place(self, lines: Sequence[LineString], crs: CRS) -> list[int]:
        """Return which lines reach into the place; all if none does: a front may have moved."""
        if not self.place:
            return [*range(len(lines))]
        place = from_degrees(self.place, crs)
        near = [index for index, line in enumerate(lines) if line.intersects(place)]
        return near or [*range(len(lines))]


ANYWHERE = Whereabouts()


def from_degrees(text: str, crs: CRS) -> Geometry:
    """Return polygons in a CRS.

    Args:
        text: Polygons as WKT, degrees.
        crs: Of the polygons that are returned.

    Raises:
        EngineError: The text is damaged. That of a card is checked when it is read.
    """
    polygons = shapely.from_wkt(text, on_invalid="ignore")
    if polygons is None:
        raise EngineError(
            "INPUT: what its tag COAST or PLACE says of the model's glacier is damaged. Run "
            "'Segment calving front' again, or remove the tag."
        )
    parts = _parts(polygons, DEGREES, crs)
    return shapely.union_all(shapely.make_valid(parts))


def in_degrees(polygons: Polygon | MultiPolygon, crs: CRS) -> str:
    """Return polygons as WKT, degrees; blank if there are none."""
    if polygons.is_empty:
        return ""
    parts = shapely.multipolygons(_parts(polygons, crs, DEGREES))
    return str(shapely.to_wkt(parts, rounding_precision=7))


def _parts(polygons: Geometry, crs: CRS | str, other: CRS | str) -> list[Geometry]:
    return [*gpd.GeoSeries(shapely.get_parts(polygons), crs=crs).to_crs(other)]
