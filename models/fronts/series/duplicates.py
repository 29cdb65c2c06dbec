"""Duplicate scenes of a series, found before any processing.

A copy, another polarisation or band of the same product, or a processed version is not an
independent observation. If it counted as one, a front would confirm itself.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from pyproj import CRS
from shapely import Polygon, box

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import Extent
from glacier_qgis.models.fronts.series.catalogue import SeriesScene
from glacier_qgis.models.raster.footprint import work_grid

DUPLICATE_SHARE = 0.5
"""Scenes of one day are duplicates if they share at least this part of the smaller one.
Neighbouring frames of one pass overlap by one tenth and show different places."""


@dataclass(frozen=True)
class Shown:
    """Identifies whether two scenes are the same observation.

    Attributes:
        image_id: Of the scene.
        date: Day of acquisition; None if not known.
        extent: The processed part of the scene, in the CRS of the series.
        picture: See `picture_hash`; empty if the pixels have no information.
    """

    image_id: str
    date: datetime.date | None
    extent: Polygon
    picture: str = ""

    def shows_again(self, other: Shown) -> bool:
        """Whether another scene is the same observation.

        That is a scene with the same pixels, whatever its name; of the same day and place; or of
        the same day and name. Scenes without a date and with different pixels are not duplicates:
        files of the same name may lie in one folder per day.
        """
        if self.picture and self.picture == other.picture:
            return True
        if self.date is None or self.date != other.date:
            return False
        if self.image_id == other.image_id:
            return True
        smaller = min(self.extent.area, other.extent.area)
        return bool(self.extent.intersection(other.extent).area >= DUPLICATE_SHARE * smaller)


def shown_by(
    scenes: Sequence[SeriesScene], extent: Extent | None, crs: CRS, cell_size: float
) -> list[Shown | None]:
    """Return the identity of each scene; None for one that cannot be processed.

    Args:
        scenes: The series.
        extent: The part to process; None for all.
        crs: The metric CRS of the series.
        cell_size: Edge of a cell, m.
    """
    return [_shown_by(scene, extent, crs, cell_size) for scene in scenes]


def _shown_by(
    scene: SeriesScene, extent: Extent | None, crs: CRS, cell_size: float
) -> Shown | None:
    footprint, picture = scene.survey.footprint, scene.survey.picture
    if footprint is None or picture is None:
        return None
    try:
        grid = work_grid(footprint, extent, cell_size, crs)
    except EngineError:
        return None
    return Shown(scene.image_id, scene.date, box(*grid.bounds), picture)


def find_originals(shown: Sequence[Shown | None]) -> list[int]:
    """Return for each scene the first with the same observation; itself if it is the first."""
    originals: list[int] = []
    for index, one in enumerate(shown):
        earlier = (
            before
            for before in dict.fromkeys(originals)
            if one is not None and (other := shown[before]) and one.shows_again(other)
        )
        originals.append(next(earlier, index))
    return originals
