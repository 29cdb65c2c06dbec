"""Picks as lines in an echogram; those of another file are placed by GPS time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.lines import Kind, LayerLine, Origin
from glacier_qgis.models.radar.formats.layer_file import AUTOMATIC, BED, MANUAL, SURFACE, LayerFile
from glacier_qgis.models.radar.formats.radargram import Floats, Pick

GAP = 10.0
"""Layers are not continued over a step of GPS time this many times the median one."""
ALONE = 0.25
"""Half the length of the line of a single picked trace, traces."""
KINDS: dict[int, Kind] = {SURFACE: "surface", BED: "bed"}
ORIGINS: dict[int, Origin] = {MANUAL: "drawn", AUTOMATIC: "traced"}


def lines_of_pick(pick: Pick, axes: Axes) -> list[LayerLine]:
    """Return a pick of the radargram's own file as lines."""
    quality = pick.quality if pick.quality.size else np.zeros(axes.traces, np.int64)
    return _lines(
        axes,
        pick.time,
        quality,
        np.zeros(axes.traces, np.int64),
        layer_id=pick.layer_id,
        kind=pick.kind,
        name=pick.name,
    )


def lines_of_file(layers: LayerFile, axes: Axes, shown: str, reporter: Reporter) -> list[LayerLine]:
    """Return the layers of a layer file as lines, at the GPS time of each trace.

    Raises:
        EngineError: The echogram has no GPS times, or the file is of another time.
    """
    weights = Neighbours.of(layers.gps_time, axes, shown, reporter)
    lines: list[LayerLine] = []
    for row, number in enumerate(layers.ids.tolist()):
        lines += _lines(
            axes,
            weights.interpolate(layers.time[row]),
            weights.nearest(layers.quality[row]),
            weights.nearest(layers.kinds[row]),
            layer_id=number,
            kind=KINDS.get(number, "layer"),
            name=KINDS.get(number, f"layer {number}"),
        )
    return lines


class Neighbours:
    """Where each trace of an echogram lies between the times of another file."""

    def __init__(self, order: NDArray[np.int64], times: Floats, wanted: Floats) -> None:
        """Find the neighbours.

        Args:
            order: Of the columns of the file, by time.
            times: Of these columns, ascending, s.
            wanted: Times of the echogram, s.
        """
        after = np.clip(np.searchsorted(times, wanted), 1, len(times) - 1)
        step = times[after] - times[after - 1]
        self._weight = (wanted - times[after - 1]) / step
        self._before, self._after = order[after - 1], order[after]
        wide = step > GAP * np.median(np.diff(times))
        inside = (wanted >= times[0]) & (wanted <= times[-1])
        on_knot = (self._weight == 0) | (self._weight == 1)
        self._usable = inside & (on_knot | ~wide)

    @classmethod
    def of(cls, times: Floats, axes: Axes, shown: str, reporter: Reporter) -> Neighbours:
        """Find the neighbours of an echogram's traces.

        Raises:
            EngineError: See `lines_of_file`.
        """
        wanted = axes.gps_time
        if wanted is None or not np.isfinite(wanted).any():
            raise EngineError(
                f"{shown} cannot be placed in {axes.frame_id}, which has no GPS times: layers "
                "are placed by time. Import the echogram from a file with GPS times."
            )
        known = np.flatnonzero(np.isfinite(times))
        ascending, first = np.unique(times[known], return_index=True)
        if len(ascending) < len(times) or (np.diff(times[known]) < 0).any():
            reporter.warning(
                f"{shown}: {len(times) - len(ascending)} GPS times are repeated or missing, or "
                "times run backward: its layers are read in the order of time, and the first of "
                "equal times counts."
            )
        low, high = np.nanmin(wanted), np.nanmax(wanted)
        if len(ascending) < 2 or ascending[-1] < low or ascending[0] > high:
            raise EngineError(
                f"{shown} has layers from {times.min():.0f} to {times.max():.0f} s, and "
                f"{axes.frame_id} traces from {low:.0f} to {high:.0f} s since 1970. Choose the "
                "layer file of this frame."
            )
        return cls(known[first], ascending, wanted)

    def interpolate(self, values: Floats) -> Floats:
        """Values at the traces; NaN beyond the file, and between columns that lack one."""
        low, high = values[self._before], values[self._after]
        between = low + (high - low) * self._weight
        exact = np.where(self._weight == 0, low, np.where(self._weight == 1, high, between))
        return np.where(self._usable, exact, np.nan)

    def nearest(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Codes of the nearest column."""
        return np.where(self._weight < 0.5, codes[self._before], codes[self._after])


def _lines(
    axes: Axes,
    time: Floats,
    quality: NDArray[np.int64],
    origin: NDArray[np.int64],
    *,
    layer_id: int,
    kind: Literal["surface", "bed", "layer"],
    name: str,
) -> list[LayerLine]:
    """Return a line for each run of traces with the same quality and origin."""
    sample = axes.sample_of(np.arange(axes.traces), time)
    return [
        LayerLine(
            frame_id=axes.frame_id,
            layer_id=layer_id,
            trace=_at_least_two(np.arange(first, last, dtype=np.float64), ALONE),
            sample=_at_least_two(sample[first:last], 0.0),
            kind=kind,
            name=name,
            origin=ORIGINS.get(int(origin[first]), "imported"),
            quality=int(quality[first]) or None,
        )
        for first, last in _runs(np.isfinite(sample), quality, origin)
    ]


def _at_least_two(values: Floats, reach: float) -> Floats:
    return values if len(values) > 1 else np.array([values[0] - reach, values[0] + reach])


def _runs(picked: NDArray[np.bool_], *codes: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield the first trace, and the one after the last, of runs of picks with equal codes."""
    change = picked[1:] != picked[:-1]
    for code in codes:
        change |= code[1:] != code[:-1]
    borders = [0, *(np.flatnonzero(change) + 1).tolist(), len(picked)]
    for first, last in itertools.pairwise(borders):
        if picked[first]:
            yield first, last
