"""The lines of a task, as they are now or as they were predicted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS
from shapely import LineString

from glacier_qgis.models.raster.crs import transformer
from glacier_qgis.models.vector.lines import line_parts
from glacier_qgis.models.vector.texts import value_text


@dataclass(frozen=True)
class Line:
    """A line of a task.

    Attributes:
        shape: A line or several, without heights, in the CRS of the review.
        line_id: Number of the predicted line that it comes from; None if a person drew it.
        layer: Number of the layer in an echogram, 0 if it has none; None of a front.
        model_hash: Of the model that predicted it; blank if not known.
    """

    shape: Any
    line_id: int | None
    layer: int | None
    model_hash: str = ""

    @property
    def parts(self) -> list[LineString]:
        """Its single lines; those of an echogram have the number of the layer as z."""
        parts = line_parts(self.shape)
        if self.layer is None:
            return parts
        return [shapely.force_3d(part, float(self.layer)) for part in parts]

    def equals(self, other: Line) -> bool:
        """Return whether two lines have the same vertices, and belong to the same layer."""
        return self.layer == other.layer and bool(self.shape.equals_exact(other.shape, 0))


def lines_by_task(frame: gpd.GeoDataFrame, crs: CRS) -> Mapping[int, list[Line]]:
    """Return the lines of each task that has any.

    Args:
        frame: Rows of the table of lines or of predictions. Those without a geometry or a task are
            left out.
        crs: Of the lines.
    """
    kept = frame[~(frame.geometry.isna() | frame.geometry.is_empty) & frame["task"].notna()]
    hashes = kept["model_hash"] if "model_hash" in kept else [""] * len(kept)
    layers = kept["line"].fillna(0).astype(int) if crs.is_engineering else [None] * len(kept)
    rows = zip(
        kept["task"].astype(int),
        kept.geometry.force_2d(),
        kept["line_id"],
        layers,
        hashes,
        strict=True,
    )
    found = defaultdict[int, list[Line]](list)
    for task, shape, number, layer, model_hash in rows:
        line_id = int(number) if number == number else None  # NaN stands for none
        found[task].append(Line(shape, line_id, layer, value_text(model_hash)))
    return found


def transformed(shapes: Sequence[Any], source: CRS, target: CRS) -> list[Any]:
    """Return shapes in another CRS; coordinates outside its area are infinite."""
    if source == target:
        return list(shapes)
    there = transformer(source, target)
    return [*shapely.transform([*shapes], lambda xy: np.column_stack(there.transform(*xy.T)))]
