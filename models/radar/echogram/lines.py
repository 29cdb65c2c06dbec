"""Layers as lines in an echogram: what their attributes are, and the sample at each trace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely import LineString

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.radar.echogram.coordinates import LOCAL_CRS, Floats, to_indices, to_points
from glacier_qgis.models.vector.file import read_frame
from glacier_qgis.wall.review import LINE_PREDICTED, LINE_REJECTED, TASKS

Kind = Literal["surface", "bed", "layer"]
Origin = Literal["imported", "traced", "drawn"]

HALF = 0.5
"""A line reaches a trace whose column it enters."""
GOOD, MODERATE, DERIVED = 1, 2, 3
"""Quality of a pick, as Open Polar Radar counts it."""
COLUMNS = {
    "frame_id": "str",
    "layer_id": "Int64",
    "kind": "str",
    "name": "str",
    "origin": "str",
    "quality": "Int64",
    "confidence": "float64",
    "uncertainty": "float64",
    "uncertainty_m": "float64",
    "year": "float64",
}
"""The attributes of a line and their types; a line that a person draws may lack all of them."""


@dataclass(frozen=True, kw_only=True)
class LayerLine:
    """A piece of a layer in an echogram; a layer with gaps has several, with one id.

    Attributes:
        frame_id: The echogram's.
        layer_id: The same along a segment: 1 the surface, 2 the bed, as in Open Polar Radar.
        trace: Of each vertex, counted from 0 with fractions, ascending.
        sample: Of each vertex, counted from 0 with fractions; rows of the echogram.
        kind: What it is.
        name: Of the layer; "" if it has none.
        origin: Who placed it: another program, `tracelayers`, a person.
        quality: 1 good, 2 moderate, 3 derived; None if nobody said.
        confidence: 0 to 1; None if not predicted.
        uncertainty: One standard deviation, samples.
        uncertainty_m: One standard deviation, m.
        year: When the layer was the surface, decimal year; None if not dated.
    """

    frame_id: str
    layer_id: int
    trace: Floats
    sample: Floats
    kind: Kind = "layer"
    name: str = ""
    origin: Origin = "traced"
    quality: int | None = None
    confidence: float | None = None
    uncertainty: float | None = None
    uncertainty_m: float | None = None
    year: float | None = None

    @property
    def geometry(self) -> LineString:
        """The line in the echogram's coordinates."""
        return LineString(to_points(self.trace, self.sample))


def lines_frame(lines: Iterable[LayerLine]) -> gpd.GeoDataFrame:
    """Return lines as features, to be written with `vector.sink.write_layer`."""
    kept = list(lines)
    columns = pd.DataFrame({name: [getattr(line, name) for line in kept] for name in COLUMNS})
    shapes = [line.geometry for line in kept]
    return gpd.GeoDataFrame(columns.astype(COLUMNS), geometry=shapes, crs=LOCAL_CRS)


def read_lines_of(source: VectorInput, role: str, frames: Sequence[str]) -> list[LayerLine]:
    """Read the lines of some echograms.

    A line without `frame_id` belongs to the echogram if there is one only; one without `layer_id`
    gets a new one, except the surface (1) and the bed (2). Text where a number is expected counts
    as absent. The lines may be those of a review, of which rejected ones are left out.

    Args:
        source: The layer: a file with a local system or none.
        role: The parameter's name, for messages.
        frames: The `frame_id` of each echogram; lines of others are left out.

    Raises:
        EngineError: The file cannot be read, lies on the map, or has no line of these frames.
    """
    _, frame = read_frame(source, role)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise EngineError(f"{role}: {source.shown} is a table. Choose the layer lines.")
    if {"task", "line_id", "line"} <= {*frame.columns}:
        frame = _of_review(frame, source, role)
    if frame.crs is not None and (frame.crs.is_projected or frame.crs.is_geographic):
        raise EngineError(
            f"{role}: {source.shown} lies on the map ({frame.crs.name}). Choose the lines that "
            "were drawn in the echogram."
        )
    frame = frame.reindex(columns=[*COLUMNS, frame.geometry.name])
    numbers = [name for name, kind in COLUMNS.items() if kind != "str"]
    frame[numbers] = frame[numbers].apply(pd.to_numeric, errors="coerce")
    frame = frame[frame.geom_type.isin(["LineString", "MultiLineString"])]
    lines: list[LayerLine] = []
    for number, (_, row) in zip(_ids(frame), frame.iterrows(), strict=True):
        owner = row["frame_id"] if isinstance(row["frame_id"], str) and row["frame_id"] else None
        if owner is None and len(frames) > 1:
            raise EngineError(
                f"{role}: a line has no frame_id, and there are {len(frames)} echograms. Enter "
                f"the frame of each line, such as '{frames[0]}'."
            )
        if (owner or frames[0]) in frames:
            lines += _pieces(row, owner or frames[0], number)
    if not lines:
        raise EngineError(
            f"{role}: {source.shown} has no line in {', '.join(frames)}. Choose the lines that "
            "belong to the echogram."
        )
    return lines


def _of_review(frame: gpd.GeoDataFrame, source: VectorInput, role: str) -> gpd.GeoDataFrame:
    """Return the lines of a review with the frame and the number of each layer."""
    _, tasks = read_frame(VectorInput(path=source.path, layer=TASKS), role, geometry=False)
    frames = tasks.dropna(subset="task").set_index("task")["image_id"]
    if "status" in frame:
        frame = frame[frame["status"] != LINE_REJECTED]
    kinds = frame["line"].map({1: "surface", 2: "bed"}).fillna("layer")
    origins = np.where(frame.get("status", "") == LINE_PREDICTED, "traced", "drawn")
    return frame.assign(
        frame_id=frame["task"].map(frames), layer_id=frame["line"], kind=kinds, origin=origins
    )


def _ids(frame: gpd.GeoDataFrame) -> list[int]:
    """Return the id of each line; new ones count on from the highest."""
    fixed = {"surface": 1, "bed": 2}
    known = frame["layer_id"]
    new = int(max(known.max() if known.notna().any() else 0, 2))
    numbers = []
    for number, kind in zip(known, frame["kind"], strict=True):
        if np.isnan(number):
            new += kind not in fixed
            number = fixed.get(kind, new)  # the value that stands for none
        numbers.append(int(number))
    return numbers


def _pieces(row: pd.Series[Any], frame_id: str, layer_id: int) -> list[LayerLine]:
    given = {name: row[name] for name in COLUMNS if pd.notna(row[name])}
    kind = str(given.get("kind", "")).lower()
    origin = str(given.get("origin", "")).lower()
    attributes: dict[str, Any] = {
        name: float(given[name])
        for name in ("confidence", "uncertainty", "uncertainty_m", "year")
        if name in given
    }
    attributes["kind"] = kind if kind in get_args(Kind) else "layer"
    attributes["origin"] = origin if origin in get_args(Origin) else "drawn"
    attributes["name"] = str(given.get("name", ""))
    attributes["quality"] = int(given["quality"]) if "quality" in given else None
    pieces = []
    for part in shapely.get_parts(row.iloc[-1]):
        trace, sample = to_indices(shapely.get_coordinates(part))
        if len(trace) > 1 and trace[-1] < trace[0]:
            trace, sample = trace[::-1], sample[::-1]
        pieces.append(
            LayerLine(
                frame_id=frame_id,
                layer_id=layer_id,
                trace=trace,
                sample=sample,
                **attributes,
            )
        )
    return pieces


def samples_along(lines: Sequence[LayerLine], traces: int, reporter: Reporter) -> Floats:
    """Return the sample of one layer at each trace, shape (traces,); NaN where it is not traced.

    Args:
        lines: The pieces of the layer in one echogram; where they overlap, the later one counts.
        traces: Number of traces.
        reporter: Warned of lines that turn back: a layer has one depth at each trace.
    """
    result = np.full(traces, np.nan)
    for line in lines:
        trace, sample = line.trace, line.sample
        if (np.diff(trace) < 0).any():
            at = int(trace[np.flatnonzero(np.diff(trace) < 0)[0]])
            reporter.warning(
                f"Layer {line.layer_id} of {line.frame_id} turns back at trace {at}, where it has "
                "several depths: the mean of neighbouring vertices was taken. Redraw it there."
            )
            trace, sample = _single_valued(trace, sample)
        first = max(int(np.ceil(trace[0] - HALF)), 0)
        last = min(int(np.floor(trace[-1] + HALF)), traces - 1)
        at_traces = np.arange(first, last + 1)
        result[first : last + 1] = np.interp(at_traces, trace, sample)
    return result


def _single_valued(trace: Floats, sample: Floats) -> tuple[Floats, Floats]:
    """Return one vertex per place along the track: the mean of those within half a trace."""
    steps = np.rint(2 * trace).astype(np.int64)
    places, owner = np.unique(steps, return_inverse=True)
    count: NDArray[np.int64] = np.bincount(owner)
    return places / 2, np.bincount(owner, weights=sample) / count
