"""Which scenes of a series show again what another one shows: found before any of them counts.

A copy, the other polarisation or band of one product, or a processed copy beside the product is no
second observation. If it were seen as one, a front would vouch for itself.
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
"""Scenes of one day are duplicates if they share this much of the smaller one. Neighbouring
frames of one pass overlap by a tenth and show different places."""


@dataclass(frozen=True)
class Shown:
    """What tells whether two scenes are one observation.

    Attributes:
        image_id: Of the scene.
        date: Day of acquisition; None where nothing tells.
        extent: The part of the scene that is worked on, in the CRS of the series.
        picture: See `picture_hash`; blank where the pixels tell nothing.
    """

    image_id: str
    date: datetime.date | None
    extent: Polygon
    picture: str = ""

    def shows_again(self, other: Shown) -> bool:
        """Whether this is what another scene shows.

        That is one of the same pixels, whatever it is named; of the same day and place; or of the
        same day and name. Of undated ones of different pixels nothing is known: files of one name
        may lie in a folder for each day.
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
    """Return what each scene shows; None for one that cannot be worked on.

    Args:
        scenes: The series.
        extent: The part to work on; None for all.
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
    """Return for each scene the first that shows the same: itself, if none before it does."""
    originals: list[int] = []
    for index, one in enumerate(shown):
        earlier = (
            before
            for before in dict.fromkeys(originals)
            if one is not None and (other := shown[before]) and one.shows_again(other)
        )
        originals.append(next(earlier, index))
    return originals
