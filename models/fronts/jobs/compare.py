"""The job `comparetermini`: predicted against reference fronts, as in the CaFFe benchmark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field
from pyproj import CRS
from shapely import LineString

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, Job, VectorInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.fronts.compare.images import GROUPS, UNJUDGED, Image
from glacier_qgis.models.fronts.compare.matching import (
    IMAGE,
    Key,
    match_fields,
    named_alike,
    single_lines,
)
from glacier_qgis.models.fronts.compare.report import write_report
from glacier_qgis.models.fronts.termini.metrics import (
    FrontError,
    front_distances,
    mean_distance_error,
    points_along,
    reference_box,
)
from glacier_qgis.models.raster.metric import SCALE_TOLERANCE
from glacier_qgis.models.vector.lines import clip_lines
from glacier_qgis.models.vector.local_crs import is_true_throughout, lines_in, local_crs
from glacier_qgis.models.vector.sink import write_layer
from glacier_qgis.models.vector.source import Layer, read_lines, read_polygons
from glacier_qgis.models.vector.texts import value_text

EQUAL = 1e-6
"""Distance, m, up to which points are the same."""


@dataclass(frozen=True)
class _Pair:
    """The lines of one image in `crs`; None if there are none."""

    key: Key
    crs: CRS
    ours: gpd.GeoDataFrame | None
    theirs: gpd.GeoDataFrame | None


class CompareTermini(Job):
    """Distances between predicted and reference fronts."""

    predicted: VectorInput
    reference: VectorInput
    match_fields: tuple[str, ...] = ()
    resolution: Annotated[float, Field(ge=0.01, le=10_000)] = 30.0
    mask: VectorInput | None = None
    box_margin: Annotated[float, Field(ge=-1, le=1e6)] = -1.0
    output: Destination
    report: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Compare, write the table and, if requested, the report."""
        predicted, reference = named_alike(
            read_lines(self.predicted, "PREDICTED"), read_lines(self.reference, "REFERENCE")
        )
        fields = match_fields(self.match_fields, predicted, reference, reporter)
        pairs = self._pairs(predicted, reference, fields, reporter)
        if all(pair.theirs is None for pair in pairs):
            raise EngineError("REFERENCE: no line lies inside MASK. Enlarge the mask.")
        images = []
        for number, pair in enumerate(pairs):
            reporter.progress(number / len(pairs), "Comparing")
            images.append(self._compare(pair))
        error = mean_distance_error([image.distances for image in images if image.reference])
        unjudged = sum(image.status == UNJUDGED for image in images)
        _warn(error, unjudged, reporter)
        if all(image.distances.size and image.distances.max() < EQUAL for image in images):
            reporter.warning(
                "PREDICTED and REFERENCE hold the same lines: all distances are 0. Choose another "
                "layer for one of them."
            )
        table = _table(images, fields)
        if self.output:
            write_layer(table, outputs.stage(self.output), "terminus_errors")
        if self.report:
            facts = {
                "CRS": ", ".join(sorted({pair.crs.name for pair in pairs})),
                "MATCHED BY": ", ".join(fields) or "nothing: one image",
            }
            write_report(outputs.stage(self.report), error, images, table, facts | provenance(self))
        reporter.progress(1, "Compared")
        if math.isfinite(error.mean_m):
            reporter.log(
                f"Mean distance error {error.mean_m:.0f} m, median {error.median_m:.0f} m, over "
                f"{error.images} image{'s' * (error.images != 1)}; {error.missed} missed."
            )
        return {
            "OUTPUT": str(self.output) if self.output else None,
            "REPORT": str(self.report) if self.report else None,
            "MEAN_DISTANCE_ERROR": _number(error.mean_m),
            "MEDIAN_DISTANCE_ERROR": _number(error.median_m),
            "IMAGES": error.images,
            "MISSED": error.missed,
            "UNMATCHED": unjudged,
        }

    def _pairs(
        self, predicted: Layer, reference: Layer, fields: Sequence[str], reporter: Reporter
    ) -> list[_Pair]:
        """Return the lines of each image inside the mask, in a metric CRS for its location."""
        ours = single_lines(predicted, fields, reporter)
        theirs = single_lines(reference, fields, reporter)
        systems = {
            key: local_crs(replace(layer, frame=lines), reference.crs)
            for layer, frame in ((predicted, ours), (reference, theirs))
            for key, lines in frame.groupby(IMAGE)
        }
        pairs, stretched = [], 0
        for crs in set(systems.values()):
            keys = {key for key, system in systems.items() if system == crs}
            area = shapely.union_all(read_polygons(self.mask, crs, "MASK")) if self.mask else None
            here, there = (_of_images(lines, keys) for lines in (ours, theirs))
            mine, judges = _inside(here, crs, area), _inside(there, crs, area)
            pairs += [_Pair(key, crs, mine.get(key), judges.get(key)) for key in {*mine, *judges}]
            if not is_true_throughout(there, crs):
                stretched += sum(
                    not is_true_throughout(lines, crs) for _, lines in there.groupby(IMAGE)
                )
        if stretched:
            reporter.warning(
                f"The lines of {stretched} of {len(pairs)} images lie so far apart that no "
                "projected CRS is true to scale for all of them: distances are wrong by more than "
                f"{SCALE_TOLERANCE:.0%}. Choose MATCH_FIELDS that distinguish the glaciers."
            )
        return sorted(pairs, key=lambda pair: pair.key)

    def _compare(self, pair: _Pair) -> Image:
        ours, theirs = pair.ours, pair.theirs
        reference = [] if theirs is None else list(theirs.geometry)
        if ours is not None and reference and self.box_margin >= 0:
            ours = _clipped(ours, reference_box(reference, self.box_margin))
        predicted = [] if ours is None else list(ours.geometry)
        return Image(
            key=pair.key,
            groups=_groups(theirs, ours),
            predicted=predicted,
            reference=reference,
            distances=front_distances(predicted, reference, self.resolution),
            uncertain=_with_uncertainty(ours, reference, self.resolution),
        )


def _of_images(lines: gpd.GeoDataFrame, keys: set[Key]) -> gpd.GeoDataFrame:
    return lines[[key in keys for key in lines[IMAGE]]]


def _inside(
    lines: gpd.GeoDataFrame, crs: CRS, area: shapely.Geometry | None
) -> dict[Key, gpd.GeoDataFrame]:
    """Return the parts of the lines inside an area, in its CRS, by image."""
    there = lines_in(lines, crs)
    inside = there if area is None else _clipped(there, area)
    return dict(iter(inside[inside.geometry.length > 0].groupby(IMAGE)))


def _clipped(lines: gpd.GeoDataFrame, area: shapely.Geometry) -> gpd.GeoDataFrame:
    pieces = [clip_lines([line], area) for line in lines.geometry]
    repeated = lines.loc[np.repeat(lines.index, np.array([len(parts) for parts in pieces], int))]
    return repeated.set_geometry(
        gpd.GeoSeries([part for parts in pieces for part in parts], repeated.index, crs=lines.crs)
    )


def _groups(*sides: gpd.GeoDataFrame | None) -> dict[str, str]:
    """Return the attributes of an image from either side; the first has priority."""
    found = {}
    for name in GROUPS:
        values = [
            text
            for side in sides
            if side is not None and name in side
            for text in map(value_text, side[name].unique())
            if text
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
    """Return one row per image; distances in metres.

    A shapefile keeps the first ten characters of a name (`predicted_m` becomes `predicted_`), so no
    two names may share these.
    """
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
                "lines_predicted": len(image.predicted),
                "lines_reference": len(image.reference),
            }
        )
    table = pd.DataFrame(rows)
    if "date" in fields:
        table["date"] = pd.to_datetime(table["date"], errors="coerce").astype("datetime64[ms]")
    return table


def _warn(error: FrontError, unjudged: int, reporter: Reporter) -> None:
    if error.missed == error.images:
        reporter.warning(
            "No image has both a predicted and a reference front. Check MATCH_FIELDS, and that "
            "both layers write dates and names in the same way."
        )
    elif error.missed:
        reporter.warning(
            f"{error.missed} of {error.images} fronts were missed; averages do not include them."
        )
    if unjudged:
        reporter.warning(
            f"{unjudged} images have predicted lines but no reference; they were not compared."
        )


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
