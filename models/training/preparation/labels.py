"""Labels of any kind as codes on a grid, one scene at a time, tile by tile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS
from rasterio.features import rasterize
from shapely import STRtree

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.training.preparation.line_zones import LineZones
from glacier_qgis.models.training.preparation.matching import Matching, footprint
from glacier_qgis.models.training.preparation.scenes import SceneFile
from glacier_qgis.models.vector.lines import line_parts
from glacier_qgis.models.vector.source import read_layer, read_lines
from glacier_qgis.models.vector.texts import value_text
from glacier_qgis.models.zones.codes import CLASS_NAMES, GLACIER, OCEAN
from glacier_qgis.models.zones.names import class_codes

GROUP_FIELDS = ("glacier", "glacier_id")
"""Default fields for the group."""


class SceneLabels(Protocol):
    """The labels of one scene."""

    def codes(self, grid: Grid) -> npt.NDArray[np.uint8]:
        """Return the code of each cell, (rows, columns), 0 where unlabelled."""


class Labels(Protocol):
    """The labels of all scenes.

    Attributes:
        names: Names of the classes in the labels, by code.
        contested: Number of cells with labels of several classes, left unlabelled.
        told: Messages on the matching of labels with scenes and classes with codes.
        doubts: Warnings about this.
        group_field: The field with groups; blank for none.
    """

    names: dict[int, list[str]]
    contested: int
    group_field: str
    told: list[str]
    doubts: list[str]

    def groups(self, scene: SceneFile) -> frozenset[str]:
        """Return the groups in a scene's labels; empty if there are none."""

    def of(self, scene: SceneFile, crs: CRS) -> AbstractContextManager[SceneLabels | None]:
        """Open the labels of a scene in a projected CRS; None if it has none."""


class _Features:
    """Labels that are features of one layer."""

    def __init__(
        self, frame: gpd.GeoDataFrame, matching: Matching, group_field: str, role: str
    ) -> None:
        self.names: dict[int, list[str]] = {}
        self.contested = 0
        self.told = [matching.told]
        self.doubts = [matching.doubt] if matching.doubt else []
        self._frame = frame
        self._matching = matching
        self.group_field = _group_field(frame, group_field, role)

    def groups(self, scene: SceneFile) -> frozenset[str]:
        """See `Labels`."""
        if not self.group_field:
            return frozenset()
        texts = self._own(scene)[self.group_field].dropna().map(value_text)
        return frozenset(text for text in texts if text)

    def _own(self, scene: SceneFile) -> gpd.GeoDataFrame:
        """Return the features in the scene that name it or no scene."""
        own = self._frame[self._matching.belongs(scene)]
        return own[own.intersects(footprint(scene, own.crs))]


class PolygonLabels(_Features):
    """Polygons with a class each.

    Args:
        source: The layer.
        class_field: The field with the class.
        scenes: All scenes.
        scene_field: The field with the scene of a polygon; blank to find it.
        group_field: The field with the group; blank to find it.

    Raises:
        EngineError: A field is missing, or no polygon has a class.
    """

    def __init__(
        self,
        source: VectorInput,
        class_field: str,
        scenes: list[SceneFile],
        scene_field: str,
        group_field: str,
    ) -> None:
        role = "LABEL_POLYGONS"
        frame = read_layer(source, role).frame
        frame = frame[frame.geom_type.isin(["Polygon", "MultiPolygon"])]
        if frame.empty:
            raise EngineError(f"{role}: {source.path} has no polygons. Choose a polygon layer.")
        _require_field(frame, class_field, "CLASS_FIELD", role)
        classes = frame[class_field].map(value_text, na_action="ignore")
        frame = frame[classes.fillna("") != ""]
        if frame.empty:
            raise EngineError(
                f"CLASS_FIELD: '{class_field}' is empty for every polygon: fill it in."
            )
        codes = class_codes(frame[class_field])
        frame = frame.assign(
            code=frame[class_field].map(value_text).map(codes), geometry=_areas(frame.geometry)
        )
        super().__init__(frame, Matching.find(frame, scenes, scene_field, role), group_field, role)
        self.told.append(f"Classes in '{class_field}': {describe_codes(codes)}.")
        if len(frame) < len(classes):
            self.told.append(
                f"{len(classes) - len(frame)} polygon(s) without a class were left out."
            )
        for text, code in codes.items():
            self.names.setdefault(code, []).append(text)

    @contextmanager
    def of(self, scene: SceneFile, crs: CRS) -> Iterator[SceneLabels | None]:
        """See `Labels`."""
        own = self._own(scene)
        around = footprint(scene, own.crs)  # outside, coordinates may not be valid in `crs`
        own = own.set_geometry(own.intersection(around)).to_crs(crs)
        own = own.set_geometry(_areas(own.geometry))
        own = own[~own.is_empty]
        yield None if own.empty else _ScenePolygons(self, own)


class _ScenePolygons:
    def __init__(self, labels: PolygonLabels, own: gpd.GeoDataFrame) -> None:
        self._labels = labels
        self._shapes = own.geometry.to_numpy()
        self._codes = own["code"].to_numpy()
        self._tree = STRtree(self._shapes)

    def codes(self, grid: Grid) -> npt.NDArray[np.uint8]:
        """See `SceneLabels`; a cell belongs to the polygon that contains its centre."""
        zones = np.full(grid.shape, UNLABELLED, np.uint8)
        layers = np.zeros(grid.shape, np.uint8)
        found = self._tree.query(shapely.box(*grid.bounds))
        for code in np.unique(self._codes[found]):
            shapes = self._shapes[found[self._codes[found] == code]]
            inside = rasterize(
                ((shape, 1) for shape in shapes), grid.shape, transform=grid.transform
            ).astype(bool)
            zones[inside] = code
            layers += inside
        contested = layers > 1
        self._labels.contested += int(contested.sum())
        zones[contested] = UNLABELLED
        return zones


class FrontLabels(_Features):
    """Front lines with the glacier on their left.

    Args:
        source: The layer.
        reach: Distance from a line within which zones are known, m.
        scenes: All scenes.
        scene_field: The field with the scene of a line; blank to find it.
        group_field: The field with the group; blank to find it.

    Raises:
        EngineError: A field is missing, or there is no line.
    """

    def __init__(
        self,
        source: VectorInput,
        reach: float,
        scenes: list[SceneFile],
        scene_field: str,
        group_field: str,
    ) -> None:
        role = "LABEL_LINES"
        frame = read_lines(source, role).frame
        super().__init__(frame, Matching.find(frame, scenes, scene_field, role), group_field, role)
        self.names = {code: [CLASS_NAMES[code]] for code in (GLACIER, OCEAN)}
        self._reach = reach

    @contextmanager
    def of(self, scene: SceneFile, crs: CRS) -> Iterator[SceneLabels | None]:
        """See `Labels`."""
        lines = [
            line for shape in self._own(scene).to_crs(crs).geometry for line in line_parts(shape)
        ]
        yield LineZones(lines, self._reach) if lines else None


def describe_codes(codes: dict[str, int]) -> str:
    """Return the code of each class, in words."""
    return ", ".join(
        f"{text!r} is {CLASS_NAMES.get(code, 'another class')} ({code})"
        for text, code in sorted(codes.items(), key=lambda item: (item[1], item[0]))
    )


def _areas(shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """Return valid polygons; parts without area are dropped."""
    return shapes.make_valid(method="structure", keep_collapsed=False)


def _group_field(frame: gpd.GeoDataFrame, asked: str, role: str) -> str:
    if asked:
        _require_field(frame, asked, "GROUP_FIELD", role)
        return asked
    filled = (name for name in GROUP_FIELDS if name in frame and frame[name].notna().any())
    return next(filled, "")


def _require_field(frame: gpd.GeoDataFrame, name: str, parameter: str, role: str) -> None:
    if name not in frame.columns.drop(frame.geometry.name):
        there = ", ".join(frame.columns.drop(frame.geometry.name)) or "none"
        raise EngineError(
            f"{parameter}: {role} has no field {name!r}; its fields are: {there}. Choose one."
            if name
            else f"{parameter}: choose the field of {role} (its fields are: {there})."
        )
