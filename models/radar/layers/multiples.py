"""Multiples of the surface: echoes that went up and down twice between aircraft and ice.

They arrive at twice the travel time of the surface's echo and copy its shape, each change of the
aircraft's height twice as large. No layer does so, but where it happens to lie there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.layers.peaks import Array
from glacier_qgis.models.radar.layers.tracker import Line

NEAR = 2.5
"""Samples from twice the surface's travel time, within which a point belongs to the multiple."""
SHARE = 0.8
"""Least share of the points of a line that makes it one."""
LEAST_DELAY = 20
"""Samples between the surface and a multiple: with fewer, a radar on the ice or a time axis that
begins at the surface has multiples among the first layers, and they are not distinguished."""


def multiples_along(frames: Sequence[Axes], surface: Sequence[Line]) -> Array:
    """Return the row of the surface's multiple at each trace of a segment, NaN where unknown.

    Args:
        frames: Axes of its frames, in order.
        surface: Lines of the surface, traces counted over all frames.
    """
    parts, start = [], 0
    for axes in frames:
        row, stop = np.full(axes.traces, np.nan), start + axes.traces
        for line in surface:
            known = line.across(start, stop)
            row = np.where(np.isfinite(known), known, row)
        trace = np.arange(axes.traces)
        twice = axes.sample_of(trace, 2 * axes.times(trace, row))
        parts.append(np.where(twice - row >= LEAST_DELAY, twice, np.nan))
        start = stop
    return np.concatenate(parts) if parts else np.empty(0)


def is_multiple(line: Line, rows: Array) -> bool:
    """Return whether a line follows the multiple, whose rows are those of `multiples_along`."""
    away = np.abs(np.array(line.rows) - rows[np.array(line.traces)])
    return bool((away <= NEAR).mean() >= SHARE)
