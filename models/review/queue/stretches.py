"""Stretches of echograms that may come into a queue, and how doubtful their layers are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.coordinates import LOCAL_CRS, Floats
from glacier_qgis.models.radar.echogram.lines import LayerLine, read_lines_of
from glacier_qgis.models.radar.echogram.raster import Echogram, open_echogram
from glacier_qgis.models.review.queue.candidates import Candidate, stated
from glacier_qgis.models.review.queue.doubt import doubt_of_lines, doubt_of_probabilities
from glacier_qgis.models.vector.file import read_frame
from glacier_qgis.wall.fingerprint import fingerprint

SMOOTH = 25
"""Traces over which doubt is averaged before its largest value is looked for."""


@dataclass(frozen=True)
class Stretches:
    """What may come into a queue.

    Attributes:
        found: The stretches of all echograms.
        uncertainty: Mean doubt along each of them.
    """

    found: list[Candidate] = field(default_factory=list)
    uncertainty: list[float] = field(default_factory=list)


def stretches(
    lines: VectorInput,
    sources: Sequence[RasterInput],
    probabilities: Sequence[RasterInput],
    traces: int,
    reporter: Reporter,
) -> Stretches:
    """Return the stretches of echograms with the layers that were traced in them.

    Args:
        lines: Of 'Trace layers'.
        sources: The echograms.
        probabilities: Of 'Trace layers', of all echograms or some; doubt is then their entropy.
        traces: Longest stretch; 0 for whole echograms.
        reporter: Warned of echograms that lack a probability.

    Raises:
        EngineError: One cannot be read, two have the same name, or no line belongs to any.
    """
    with ExitStack() as stack:
        frames = [stack.enter_context(open_echogram(source, "SCENES")) for source in sources]
        by_name = _by_name(frames)
        traced = read_lines_of(lines, "INPUT", list(by_name))
        _, table = read_frame(lines, "INPUT", geometry=False)
        model = {name: stated(table, name) for name in ("model", "model_hash")}
        entropies = dict(map(doubt_of_probabilities, probabilities))
        result = Stretches()
        for source, echogram in zip(sources, frames, strict=True):
            own = [line for line in traced if line.frame_id == echogram.axes.frame_id]
            doubt = entropies.get(echogram.axes.frame_id)
            if doubt is None:
                doubt = doubt_of_lines(own, echogram.traces)
            _add(result, Path(source.path), echogram, own, model, doubt, traces)
    lacking = [name for name in by_name if name not in entropies]
    if probabilities and lacking:
        reporter.warning(
            f"{len(lacking)} of {len(frames)} echograms have no raster among UNCERTAINTY, such as "
            f"{lacking[0]}: their doubt is that of their lines, which is on another scale."
        )
    return result


def _by_name(frames: Sequence[Echogram]) -> Mapping[str, Axes]:
    by_name: dict[str, Axes] = {}
    for frame in frames:
        name = frame.axes.frame_id
        if name in by_name:
            raise EngineError(
                f"SCENES: two echograms are called {name}. Choose each frame once, or import them "
                "with different FRAME_IDs."
            )
        by_name[name] = frame.axes
    return by_name


def _add(
    result: Stretches,
    path: Path,
    echogram: Echogram,
    lines: Sequence[LayerLine],
    model: Mapping[str, str],
    doubt: Floats,
    longest: int,
) -> None:
    """Add the stretches of an echogram."""
    axes = echogram.axes
    smooth = uniform_filter1d(doubt, SMOOTH, mode="constant")  # ends weigh less
    digest = fingerprint(path)
    for first, last in parts(echogram.traces, longest):
        result.found.append(
            Candidate(
                path=str(path),
                image_id=axes.frame_id,
                satellite="",
                date=axes.day,
                glacier=axes.segment_id or axes.frame_id,
                footprint=shapely.box(first, -echogram.samples, last, 0),
                cell_size_m=axes.metres_per_second * axes.sample_interval,
                lines=_clipped(lines, model, first, last),
                scene_hash=digest,
                part=f"traces {first} to {last - 1}",
                complete=False,
                trace=first + int(smooth[first:last].argmax()),
            )
        )
        result.uncertainty.append(float(doubt[first:last].mean()))


def parts(traces: int, longest: int) -> Iterator[tuple[int, int]]:
    """Yield the first trace and the one after the last of stretches of about equal length."""
    count = -(-traces // longest) if longest else 1
    borders: NDArray[np.int64] = np.linspace(0, traces, count + 1).round().astype(np.int64)
    yield from zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True)


def _clipped(
    lines: Sequence[LayerLine], model: Mapping[str, str], first: int, last: int
) -> gpd.GeoDataFrame:
    """Return the parts of lines within a stretch."""
    rows, shapes = list[dict[str, object]](), list[shapely.Geometry]()
    for line in lines:
        inside = shapely.clip_by_rect(line.geometry, first, -np.inf, last, np.inf)
        for part in shapely.get_parts(inside):
            if part.length > 0:
                shapes.append(part)
                rows.append(
                    {
                        "line": line.layer_id,
                        "confidence": line.confidence,
                        "uncertainty_m": line.uncertainty_m,
                        **model,
                    }
                )
    columns = ["line", "confidence", "uncertainty_m", *model]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=shapes, crs=LOCAL_CRS)
