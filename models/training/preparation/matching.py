"""Matching of features with scenes, by a field or by place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import pandas as pd
import shapely
from pyproj import CRS
from shapely import MultiPolygon, Polygon

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.fronts.scene.names import parse_scene_name
from glacier_qgis.models.raster.metric import metric_crs, transform_bounds
from glacier_qgis.models.raster.source import open_raster
from glacier_qgis.models.training.preparation.scenes import SceneFile
from glacier_qgis.models.vector.dates import read_dates, undated

IMAGE_FIELD, DATE_FIELD = "image_id", "date"


@dataclass(frozen=True)
class Matching:
    """How features are matched with scenes.

    Attributes:
        kind: By the scene's name, its date, or its place.
        keys: The scene's name or date in each feature.
        told: The same as a message.
        doubt: A warning; blank if there is none.
    """

    kind: Literal["name", "date", "place"]
    keys: pd.Series[str]
    told: str
    doubt: str = ""

    @classmethod
    def find(
        cls, frame: gpd.GeoDataFrame, scenes: Sequence[SceneFile], field: str, role: str
    ) -> Matching:
        """Match by a field or, if none is given, by the first of these that matches a scene.

        ``image_id``, then ``date``, then only the place (one set of labels for all scenes).

        Raises:
            EngineError: The field is missing, or matches no scene.
        """
        if field and field not in frame:
            raise EngineError(
                f"SCENE_FIELD: {role} has no field {field!r}; its fields are: "
                f"{', '.join(frame.columns.drop(frame.geometry.name))}. Choose one."
            )
        for name in [field] if field else [IMAGE_FIELD, DATE_FIELD]:
            if name not in frame:
                continue
            found = _by_name(frame, name), _by_date(frame, name, role)
            for matching in found:
                if any(matching.belongs(scene).any() for scene in scenes):
                    return matching
        if field:
            raise EngineError(
                f"SCENE_FIELD: no value of {field!r} (such as {_example(frame[field])}) is the "
                f"name or the date of a scene (such as {scenes[0].name}). Choose another field."
            )
        told = f"{role}: features belong to every scene in which they are."
        filled = [name for name in (IMAGE_FIELD, DATE_FIELD) if name in frame]
        filled = [name for name in filled if frame[name].notna().any()]
        doubt = (
            ""
            if not filled
            else (
                f"{role}: no value of {' or '.join(map(repr, filled))} (such as "
                f"{_example(frame[filled[0]])}) is the name or the date of a scene (such as "
                f"{scenes[0].name}), so all features count as labels of every scene in which they "
                "are. Rename the scenes, or leave out features of other days."
            )
        )
        return cls("place", pd.Series("", index=frame.index), told, doubt)

    def belongs(self, scene: SceneFile) -> pd.Series[bool]:
        """Return which features match a scene; all of them if the place decides."""
        match self.kind:
            case "name":
                return self.keys.isin({_plain(scene.name), _plain(scene.image_id)})
            case "date":
                return (self.keys == scene.date) & (self.keys != "")
        return pd.Series(data=True, index=self.keys.index)


def footprint(scene: SceneFile, crs: CRS) -> Polygon | MultiPolygon:
    """Return the box around a scene in a CRS; two of them across the 180th meridian."""
    with open_raster(scene.source) as raster:
        metric = metric_crs(raster)
        bounds = transform_bounds(raster.bounds, raster.crs, metric)
    west, south, east, north = transform_bounds(bounds, metric, crs)
    if west <= east:
        return shapely.box(west, south, east, north)
    half = math.pi / crs.axis_info[0].unit_conversion_factor
    sides = [shapely.box(west, south, half, north), shapely.box(-half, south, east, north)]
    return MultiPolygon(sides)


def _by_name(frame: gpd.GeoDataFrame, field: str) -> Matching:
    keys = frame[field].astype("string").fillna("")
    names = keys.map(lambda text: _plain(parse_scene_name(text).image_id) if text else "")
    return Matching("name", names, f"Labels belong to the scene that '{field}' names.")


def _by_date(frame: gpd.GeoDataFrame, field: str, role: str) -> Matching:
    dates = read_dates(frame, field, role)
    lacking = undated(frame, field, dates, "labels")
    return Matching(
        "date",
        dates.dt.strftime("%Y-%m-%d").fillna(""),
        f"Labels belong to scenes of the day in '{field}'.",
        f"{role}: {lacking} and are left out." if lacking else "",
    )


def _plain(name: str) -> str:
    return name.strip().casefold()


def _example(values: pd.Series[str]) -> str:
    filled = values.dropna()
    return str(filled.iloc[0]) if len(filled) else "blank"
