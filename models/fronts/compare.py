"""The job `comparetermini`: predicted fronts against traced ones, as the CaFFe benchmark does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field
from shapely import LineString

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, Job, VectorInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.compare_report import write_report
from glacier_qgis.models.fronts.metrics import (
    FrontError,
    front_distances,
    mean_distance_error,
    points_along,
    reference_box,
)
from glacier_qgis.models.raster.metric import metric_crs
from glacier_qgis.models.raster.provenance import provenance
from glacier_qgis.models.vector.dates import read_dates
from glacier_qgis.models.vector.lines import clip_lines
from glacier_qgis.models.vector.sink import write_layer
from glacier_qgis.models.vector.source import Layer, read_lines, read_polygons

Key = tuple[str, ...]

GROUPS = ("glacier", "satellite", "sensor")
"""Fields by which the report breaks the errors down, where the reference or prediction has them."""

FOUND, MISSED, UNJUDGED = "found", "missed", "no reference"


@dataclass(frozen=True)
class Image:
    """Two fronts of one image.

    Attributes:
        key: Values of the fields that images are told apart by.
        groups: Values of `GROUPS`, empty where unknown.
        predicted: Lines in metres, masked.
        reference: Likewise.
        distances: As :func:`front_distances` returns them.
        uncertain: Distances from predicted points to the reference, m, and the uncertainty
            that the line states there, shape (points, 2).
    """

    key: Key
    groups: Mapping[str, str]
    predicted: Sequence[LineString]
    reference: Sequence[LineString]
    distances: NDArray[np.float64]
    uncertain: NDArray[np.float64]

    @property
    def status(self) -> str:
        """Whether there is something to compare."""
        if not self.reference:
            return UNJUDGED
        return FOUND if self.distances.size else MISSED


class CompareTermini(Job):
    """How far predicted fronts lie from reference ones."""

    predicted: VectorInput
    reference: VectorInput
    match_fields: tuple[str, ...] = ()
    resolution: Annotated[float, Field(gt=0, le=10_000)] = 30.0
    mask: VectorInput | None = None
    box_margin: Annotated[float, Field(ge=-1, le=1e6)] = -1.0
    output: Destination
    report: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Compare, write the table and, if asked for, the report."""
        predicted = read_lines(self.predicted, "PREDICTED")
        reference = read_lines(self.reference, "REFERENCE")
        fields = _match_fields(self.match_fields, predicted, reference)
        crs = metric_crs(reference)
        mask = read_polygons(self.mask, crs, "MASK") if self.mask else None
        area = shapely.union_all(mask) if mask else None
        theirs = _by_image(reference, reference.frame.to_crs(crs), fields, area)
        ours = _by_image(predicted, predicted.frame.to_crs(crs), fields, area)
        if not theirs:
            raise EngineError("REFERENCE: no line lies inside MASK. Enlarge the mask.")
        keys = sorted({*theirs, *ours})
        images = []
        for number, key in enumerate(keys):
            reporter.progress(number / len(keys), "Comparing")
            images.append(self._compare(key, ours.get(key), theirs.get(key)))
        error = mean_distance_error([image.distances for image in images if image.reference])
        unjudged = sum(image.status == UNJUDGED for image in images)
        _warn(error, unjudged, reporter)
        table = _table(images, fields)
        if self.output:
            write_layer(table, outputs.stage(self.output), "terminus_errors")
        if self.report:
            facts = {"CRS": crs.name, "MATCHED BY": ", ".join(fields) or "nothing: one image"}
            write_report(outputs.stage(self.report), error, images, table, facts | provenance(self))
        reporter.progress(1, "Compared")
        return {
            "OUTPUT": str(self.output) if self.output else None,
            "REPORT": str(self.report) if self.report else None,
            "MEAN_DISTANCE_ERROR": _number(error.mean_m),
            "MEDIAN_DISTANCE_ERROR": _number(error.median_m),
            "IMAGES": error.images,
            "MISSED": error.missed,
            "UNMATCHED": unjudged,
        }

    def _compare(
        self, key: Key, ours: gpd.GeoDataFrame | None, theirs: gpd.GeoDataFrame | None
    ) -> Image:
        reference = [] if theirs is None else list(theirs.geometry)
        if ours is not None and reference and self.box_margin >= 0:
            ours = _clipped(ours, reference_box(reference, self.box_margin))
        predicted = [] if ours is None else list(ours.geometry)
        return Image(
            key=key,
            groups=_groups(theirs, ours),
            predicted=predicted,
            reference=reference,
            distances=front_distances(predicted, reference, self.resolution),
            uncertain=_with_uncertainty(ours, reference, self.resolution),
        )


def _match_fields(given: Sequence[str], predicted: Layer, reference: Layer) -> tuple[str, ...]:
    """Return the fields that tell images apart: those given, else date and glacier.

    The date counts if both layers have it; the glacier, if both name one for every line and one
    layer's names are among the other's, so that spelling alone separates nothing.

    Raises:
        EngineError: A given field is missing from a layer.
    """
    for field in given:
        for layer in (predicted, reference):
            if field not in layer.frame:
                raise EngineError(
                    f"MATCH_FIELDS: {layer.role} has no field '{field}'; it has "
                    f"{', '.join(layer.frame.columns.drop('geometry')) or 'none'}."
                )
    if given:
        return tuple(given)
    dated = all("date" in layer.frame for layer in (predicted, reference))
    ours, theirs = _glaciers(predicted), _glaciers(reference)
    named = bool(ours and theirs) and (ours <= theirs or theirs <= ours)
    return ("date",) * dated + ("glacier",) * (dated and named)


def _glaciers(layer: Layer) -> set[str]:
    """Return the names of glaciers in a layer; none if not every line has one."""
    if "glacier" not in layer.frame:
        return set()
    names = set(_words(layer.frame, "glacier", layer.role))
    return set() if "" in names else names


def _by_image(
    layer: Layer, frame: gpd.GeoDataFrame, fields: Sequence[str], area: shapely.Geometry | None
) -> dict[Key, gpd.GeoDataFrame]:
    """Return single lines, inside the area, by the image that they belong to."""
    keys = zip(*(_words(frame, field, layer.role) for field in fields), strict=True)
    frame = frame.assign(**{_KEY: list(keys) if fields else [()] * len(frame)})
    singles = frame.explode(index_parts=False, ignore_index=True)
    if area is not None:
        singles = _clipped(singles, area)
    singles = singles[singles.geometry.length > 0]
    return {key: lines for key, lines in singles.groupby(_KEY) if len(lines)}


_KEY = "image of the line"


def _words(frame: gpd.GeoDataFrame, field: str, role: str) -> list[str]:
    """Return a field's values as text that is equal where the values are; days for dates."""
    values = frame[field]
    if field == "date" or pd.api.types.is_datetime64_any_dtype(values.dtype):
        dates = read_dates(frame, field, role)
        return dates.dt.strftime("%Y-%m-%d").fillna("").tolist()
    return [str(value).strip() if value is not None and value == value else "" for value in values]


def _clipped(lines: gpd.GeoDataFrame, area: shapely.Geometry) -> gpd.GeoDataFrame:
    pieces = [clip_lines([line], area) for line in lines.geometry]
    repeated = lines.loc[np.repeat(lines.index, [len(parts) for parts in pieces])]
    return repeated.set_geometry(
        gpd.GeoSeries([part for parts in pieces for part in parts], repeated.index, crs=lines.crs)
    )


def _groups(*sides: gpd.GeoDataFrame | None) -> dict[str, str]:
    """Return what the sides, the first before the second, tell of an image."""
    found = {}
    for name in GROUPS:
        values = [
            str(value)
            for side in sides
            if side is not None and name in side
            for value in side[name].dropna().unique()
            if str(value)
        ]
        found[name] = values[0] if values else ""
    return found


def _with_uncertainty(
    ours: gpd.GeoDataFrame | None, reference: Sequence[LineString], spacing_m: float
) -> NDArray[np.float64]:
    if ours is None or "uncertainty_m" not in ours or not reference:
        return np.empty((0, 2))
    whole = shapely.multilinestrings(list(reference))
    pairs = [
        np.column_stack([errors, np.full(errors.size, stated)])
        for line, stated in zip(ours.geometry, ours.uncertainty_m, strict=True)
        if stated is not None and math.isfinite(stated)
        for errors in [shapely.distance(points_along([line], spacing_m), whole)]
    ]
    return np.concatenate(pairs) if pairs else np.empty((0, 2))


def _table(images: Sequence[Image], fields: Sequence[str]) -> pd.DataFrame:
    """Return a row an image; distances in metres."""
    rows = []
    for image in images:
        distances = image.distances
        some = distances.size > 0
        rows.append(
            {
                **dict(zip(fields, image.key, strict=True)),
                **{name: value for name, value in image.groups.items() if name not in fields},
                "status": image.status,
                "mean_m": distances.mean() if some else math.nan,
                "median_m": np.median(distances) if some else math.nan,
                "p95_m": np.percentile(distances, 95) if some else math.nan,
                "hausdorff_m": distances.max() if some else math.nan,
                "predicted_m": math.fsum(line.length for line in image.predicted),
                "reference_m": math.fsum(line.length for line in image.reference),
                "predicted_lines": len(image.predicted),
                "reference_lines": len(image.reference),
            }
        )
    table = pd.DataFrame(rows)
    if "date" in fields:
        table["date"] = pd.to_datetime(table["date"], errors="coerce").astype("datetime64[ms]")
    return table


def _warn(error: FrontError, unjudged: int, reporter: Reporter) -> None:
    if error.missed == error.images:
        reporter.warning(
            "No image has both a predicted and a reference front. Check MATCH_FIELDS: do both "
            "layers write dates and names alike?"
        )
    elif error.missed:
        reporter.warning(
            f"{error.missed} of {error.images} fronts were missed; they are in no average."
        )
    if unjudged:
        reporter.warning(f"{unjudged} images have predicted lines and no reference to judge by.")


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
