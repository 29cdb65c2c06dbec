"""The attributes of terminus lines, after the TermPicks and CALFIN data sets.

Goliber et al. 2022, The Cryosphere 16, 3215-3233, doi:10.5194/tc-16-3215-2022; Cheng et al.
2021, The Cryosphere 15, 1663-1675, doi:10.5194/tc-15-1663-2021.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from glacier_qgis.models.engine.provenance import software_version
from glacier_qgis.models.fronts.scene.names import parse_scene_name
from glacier_qgis.models.fronts.termini.extract import Terminus
from glacier_qgis.models.fronts.termini.options import Extraction
from glacier_qgis.models.raster.crs import transformer

AUTOMATIC, AUTOMATIC_SLC_OFF = 10, 13
"""Quality flags: digitised automatically, and the same on a Landsat 7 scene with missing
stripes."""

SLC_FAILURE = datetime.date(2003, 5, 31)
"""First day on which Landsat 7 scenes have stripes without data (scan line corrector off)."""

COLUMNS = {
    "glacier_id": "str",
    "glacier": "str",
    "date": "datetime64[ms]",
    "satellite": "str",
    "sensor": "str",
    "image_id": "str",
    "line": "int32",
    "quality": "int32",
    "length_m": "float64",
    "confidence": "float64",
    "uncertainty_m": "float64",
    "center_lon": "float64",
    "center_lat": "float64",
    "author": "str",
    "model": "str",
    "model_hash": "str",
    "software": "str",
}
"""Name and type of each field, in order. `line` numbers the fronts of a scene; 1 is the longest.

A shapefile keeps the first ten characters of a name (`uncertainty_m` becomes `uncertaint`), so no
two names may share these. It holds texts of up to 254 characters.
"""

POINT_COLUMNS = {
    "image_id": "str",
    "date": "datetime64[ms]",
    "line": "int32",
    "distance_m": "float64",
    "uncertainty_m": "float64",
    "confidence": "float64",
}
"""Fields of points along the lines; `image_id` and `line` are those of their line."""


@dataclass(frozen=True)
class TerminusSource:
    """Origin of the lines. Empty values are taken from the scene's name, if it holds them.

    Attributes:
        scene: Path or product name of the scene.
        glacier: The glacier's name.
        date: Day of acquisition.
        sensor: The instrument.
        model: Name and version of the network.
        model_hash: Hash of its weights.
        glacier_id: The glacier's number in an inventory.
        author: Person responsible for the lines.
    """

    scene: str
    glacier: str = ""
    date: datetime.date | None = None
    sensor: str = ""
    model: str = ""
    model_hash: str = ""
    glacier_id: str = ""
    author: str = ""

    @property
    def about(self) -> dict[str, str]:
        """A short name of the scene, for names of layers."""
        name = parse_scene_name(self.scene)
        date = self.date or name.date
        return {
            "GLACIER": self.glacier,
            "SCENE": name.image_id,
            "SATELLITE": name.satellite,
            "DATE": date.isoformat() if date else "",
            "MODEL": self.model,
        }


def stated_source(
    asked: Extraction,
    scene: str,
    date: datetime.date | None,
    made_by: Mapping[str, str],
) -> TerminusSource:
    """Say where lines come from.

    Args:
        asked: What a person states of them.
        scene: Path or product name.
        date: Day of acquisition, where it is known.
        made_by: Provenance of the zones: a card's, or the tags of a raster.
    """
    return TerminusSource(
        scene=scene,
        glacier=asked.glacier,
        date=date,
        sensor=asked.sensor,
        model=made_by.get("MODEL", ""),
        model_hash=made_by.get("MODEL_HASH", ""),
        glacier_id=asked.glacier_id,
        author=asked.author,
    )


def terminus_frame(
    termini: Sequence[Terminus], source: TerminusSource, crs: CRS
) -> gpd.GeoDataFrame:
    """Return the lines with their attributes, `COLUMNS`; the frame may be empty.

    Args:
        termini: In `crs`.
        source: Their origin.
        crs: The CRS that the lines are in.
    """
    name = parse_scene_name(source.scene)
    date = source.date or name.date
    common = {
        "glacier_id": source.glacier_id,
        "glacier": source.glacier,
        "date": pd.Timestamp(date) if date else pd.NaT,
        "satellite": name.satellite,
        "sensor": source.sensor or name.sensor,
        "image_id": name.image_id,
        "quality": quality_flag(name.satellite, date),
        "author": source.author,
        "model": source.model,
        "model_hash": source.model_hash,
        "software": software_version(),
    }
    to_degrees = transformer(crs, CRS.from_epsg(4326))
    rows = []
    for number, terminus in enumerate(termini, 1):
        middle = terminus.line.interpolate(0.5, normalized=True)
        longitude, latitude = to_degrees.transform(middle.x, middle.y)
        rows.append(
            {
                **common,
                "line": number,
                "length_m": terminus.length_m,
                "confidence": terminus.confidence,
                "uncertainty_m": terminus.uncertainty_m,
                "center_lon": longitude,
                "center_lat": latitude,
            }
        )
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    return gpd.GeoDataFrame(table, geometry=[terminus.line for terminus in termini], crs=crs)


def points_frame(termini: Sequence[Terminus], source: TerminusSource, crs: CRS) -> gpd.GeoDataFrame:
    """Return points along the lines with confidence and uncertainty, `POINT_COLUMNS`.

    Args:
        termini: In `crs`; those without probabilities have no points.
        source: Their origin.
        crs: The CRS that the lines are in.
    """
    name = parse_scene_name(source.scene)
    date = source.date or name.date
    measured = [(n, t.along) for n, t in enumerate(termini, 1) if t.along is not None]
    parts = [
        pd.DataFrame(
            {
                "image_id": name.image_id,
                "date": pd.Timestamp(date) if date else pd.NaT,
                "line": number,
                "distance_m": along.distances_m,
                "uncertainty_m": along.uncertainties_m,
                "confidence": along.confidences,
            }
        )
        for number, along in measured
    ]
    table = pd.concat(parts) if parts else pd.DataFrame(columns=list(POINT_COLUMNS))
    places = np.concatenate([np.empty((0, 2)), *(along.points for _, along in measured)])
    table = table.astype(POINT_COLUMNS).reset_index(drop=True)
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(*places.T), crs=crs)


def quality_flag(satellite: str, date: datetime.date | None) -> int:
    """Return the quality flag of an automatic line."""
    striped = satellite == "Landsat 7" and date is not None and date >= SLC_FAILURE
    return AUTOMATIC_SLC_OFF if striped else AUTOMATIC
