"""From traced lines to the features of each echogram."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from glacier_qgis.models.radar.echogram.lines import Kind, LayerLine
from glacier_qgis.models.radar.layers.codes import BED, LAYER, SURFACE
from glacier_qgis.models.radar.layers.crossings import Run, same_layers
from glacier_qgis.models.radar.layers.peaks import Array
from glacier_qgis.models.radar.layers.trace import BED_ID, SURFACE_ID
from glacier_qgis.models.radar.layers.tracker import Line

KINDS: dict[int, Kind] = {SURFACE: "surface", BED: "bed", LAYER: "layer"}

Uncertainty = Callable[[Array], Array]
"""From the widths of a probability, samples, to the standard deviation of an error, samples."""


def layer_lines(
    tracks: Sequence[Run], samples: float, uncertainty: Uncertainty
) -> Iterator[LayerLine]:
    """Return the lines of all frames, each layer with one id.

    Args:
        tracks: All runs of frames, with their lines.
        samples: Largest difference of depth at a crossing, samples.
        uncertainty: Of points.
    """
    numbers = _numbers(tracks, samples)
    for run, track in enumerate(tracks):
        for frame, axes in enumerate(track.frames):
            for code, kind in KINDS.items():
                for piece in track.segment.pieces(code, frame):
                    error = float(uncertainty(np.array(piece.line.widths)).mean())
                    seconds = axes.sample_interval * error
                    fixed = {SURFACE: SURFACE_ID, BED: BED_ID}.get(code)
                    yield LayerLine(
                        frame_id=axes.frame_id,
                        layer_id=fixed or numbers[run, piece.line.number],
                        trace=piece.trace,
                        sample=piece.row,
                        kind=kind,
                        origin="traced",
                        confidence=min(piece.line.confidence, 1.0),
                        uncertainty=error,
                        uncertainty_m=axes.metres_per_second * seconds,
                    )


def _numbers(tracks: Sequence[Run], samples: float) -> dict[tuple[int, int], int]:
    """Return the id of each layer, rising with its mean row."""
    lines: dict[tuple[int, int], Line] = {
        (run, line.number): line
        for run, track in enumerate(tracks)
        for line in track.segment.lines[LAYER]
    }
    groups = sorted(
        same_layers(tracks, samples),
        key=lambda group: np.mean([np.mean(lines[key].rows) for key in group]),
    )
    return {key: BED_ID + 1 + index for index, group in enumerate(groups) for key in group}
