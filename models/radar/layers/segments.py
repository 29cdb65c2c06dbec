"""Which frames follow each other along a track."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pyproj import Geod

from glacier_qgis.models.radar.echogram.axes import Axes

FARTHEST = 5.0
"""Largest distance between the end of a frame and the start of the next, in trace spacings."""
_GEOD = Geod(ellps="WGS84")


def in_order(frames: Sequence[Axes]) -> list[int]:
    """Return the order of frames by time, or as given where one of them has no time."""
    starts = [_first(axes.gps_time) for axes in frames]
    order = list(range(len(frames)))
    return order if None in starts else sorted(order, key=lambda index: starts[index] or 0.0)


def runs(frames: Sequence[Axes]) -> list[list[int]]:
    """Return the frames, by index, that form one unbroken track each."""
    found: list[list[int]] = []
    for index in in_order(frames):
        if found and follows(frames[found[-1][-1]], frames[index]):
            found[-1].append(index)
        else:
            found.append([index])
    return found


def follows(before: Axes, after: Axes) -> bool:
    """Whether a frame begins where another one ends; without positions, nobody can say."""
    if before.segment_id != after.segment_id or not before.located[-1] or not after.located[0]:
        return False
    ends, starts = _place(before, -1), _place(after, 0)
    _, _, distance = _GEOD.inv(*ends, *starts)
    return bool(distance <= FARTHEST * spacing(before))


def spacing(axes: Axes) -> float:
    """Return the median distance between traces, m; 0 where it is not known."""
    if axes.distance is None or axes.traces < 2:
        return 0.0
    return float(np.nanmedian(np.abs(np.diff(axes.distance))))


def _place(axes: Axes, trace: int) -> tuple[float, float]:
    if axes.longitude is None or axes.latitude is None:
        raise ValueError("the frame has no positions")
    return float(axes.longitude[trace]), float(axes.latitude[trace])


def _first(times: np.ndarray | None) -> float | None:
    known = times[np.isfinite(times)] if times is not None else np.empty(0)
    return float(known[0]) if known.size else None
