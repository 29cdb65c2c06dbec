"""How doubtful the layers of an echogram are, trace by trace."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rasterio.windows import Window

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.radar.echogram.coordinates import Floats
from glacier_qgis.models.radar.echogram.lines import LayerLine
from glacier_qgis.models.radar.echogram.raster import upright
from glacier_qgis.models.raster.source import open_source

FADES = 20.0
"""Traces from the end of a line within which it probably goes on."""
BLOCK = 512
"""Traces to read at once."""
LEAST = 1e-6


def doubt_of_lines(lines: Sequence[LayerLine], traces: int) -> Floats:
    """Return the number of doubtful points at each trace, (traces,), from the lines alone.

    A line counts as much as it lacks confidence. One that ends within the echogram has probably
    been lost there, so each end counts 1, and less with distance.

    Args:
        lines: Of one echogram.
        traces: Number of its traces.
    """
    at = np.arange(traces)
    doubt = np.zeros(traces)
    for line in lines:
        first, last = line.trace[0], line.trace[-1]
        here = (at >= first) & (at <= last)
        doubt[here] += 1 - (0.5 if line.confidence is None else line.confidence)
        for end, border in ((first, first <= 1), (last, last >= traces - 2)):
            if not border:
                doubt += np.exp(-np.abs(at - end) / FADES)
    return doubt


def doubt_of_probabilities(source: RasterInput) -> tuple[str, Floats]:
    """Return the name of a frame and its doubt: the entropy of the probabilities, bits per trace.

    Raises:
        EngineError: The raster is not one of 'Trace layers'.
    """
    with upright(), open_source(source, "UNCERTAINTY") as raster:
        frame = raster.tags().get("FRAME_ID", "")
        if not frame:
            raise EngineError(
                f"UNCERTAINTY: {source.shown} does not say of which frame it is. Choose a raster "
                "PROBABILITY of 'Trace layers'."
            )
        doubt = np.zeros(raster.width)
        for first in range(0, raster.width, BLOCK):
            last = min(first + BLOCK, raster.width)
            window = Window(first, 0, last - first, raster.height)
            p = np.clip(np.nan_to_num(raster.read(window=window)), LEAST, 1 - LEAST)
            entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
            doubt[first:last] = entropy.sum(axis=(0, 1))
        return frame, doubt
