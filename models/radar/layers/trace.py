"""Surface, bed and layers of frames that follow each other along a track."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.layers.borders import Border
from glacier_qgis.models.radar.layers.codes import BED, LAYER, SURFACE
from glacier_qgis.models.radar.layers.multiples import is_multiple, multiples_along
from glacier_qgis.models.radar.layers.outer import Outer
from glacier_qgis.models.radar.layers.peaks import Array, find_peaks
from glacier_qgis.models.radar.layers.pieces import Piece, Stretch
from glacier_qgis.models.radar.layers.predict import CHANNELS, Strip
from glacier_qgis.models.radar.layers.tracker import Line, Tracker, Tracking

SURFACE_ID, BED_ID = 1, 2
"""Ids of surface and bed, as in Open Polar Radar; layers follow."""
CODES = (LAYER, SURFACE, BED)
FAR = 1e6
"""Rows outside of an echogram of a line that left it, up or down: no peak is near."""


@dataclass
class Segment:
    """Lines through frames that follow each other, traces counted over all of them.

    Attributes:
        options: How peaks become lines.
        least: Lowest probability of a point of a line.
        starts: First trace of each frame.
        lines: Ended lines by class.
        multiples: Lines that were left out as multiples of the surface, once all have ended.
    """

    options: Tracking
    least: float
    starts: list[int] = field(default_factory=list)
    lines: dict[int, list[Line]] = field(default_factory=lambda: {code: [] for code in CODES})
    multiples: list[Line] = field(default_factory=list)
    _layers: Tracker = field(init=False)
    _outer: Outer = field(init=False)
    _frames: list[Axes] = field(default_factory=list)
    _length: int = 0

    def __post_init__(self) -> None:
        self._layers = Tracker(self.options)
        self._outer = Outer(self.options, self.least)

    def add(self, axes: Axes, strips: Iterable[Strip]) -> None:
        """Continue with the next frame.

        Args:
            axes: Of the frame.
            strips: Its strips, from left to right.
        """
        if self._frames:
            self._cross(Border(self._frames[-1], axes))
        self.starts.append(self._length)
        for strip in strips:
            first = self._length + strip.first
            peaks = find_peaks(strip.probability[CHANNELS.index(LAYER)], self.least)
            for offset, found in enumerate(peaks):
                self.lines[LAYER] += self._layers.add(first + offset, found)
            self._keep(self._outer.add(first, strip))
        self._length += axes.traces
        self._frames.append(axes)

    def finish(self) -> None:
        """End all lines, and leave out those that are multiples of the surface."""
        self.lines[LAYER] += self._layers.finish()
        self._keep(self._outer.finish())
        rows = multiples_along(self._frames, self.lines[SURFACE])
        self.multiples = [line for line in self.lines[LAYER] if is_multiple(line, rows)]
        self.lines[LAYER] = [line for line in self.lines[LAYER] if not is_multiple(line, rows)]

    def pieces(self, code: int, frame: int) -> Iterator[Piece]:
        """Return the lines of a class in one of the frames, once all have ended.

        Args:
            code: Of the class.
            frame: Number of the frame, from 0.
        """
        axes, start = self._frames[frame], self.starts[frame]
        left = Border(self._frames[frame - 1], axes) if frame else None
        more = frame + 1 < len(self._frames)
        right = Border(axes, self._frames[frame + 1]) if more else None
        return Stretch(start, start + axes.traces, left, right).pieces(self.lines[code])

    def _cross(self, border: Border) -> None:
        """Continue in a frame that may have other rows."""
        if border.is_even:
            return

        def moved(rows: Array) -> Array:
            onward, middle = border.onward(rows), border.before.samples / 2
            return np.where(np.isnan(onward), np.where(rows < middle, -FAR, FAR), onward)

        self._layers.move(moved)
        self._keep(self._outer.cross(border))

    def _keep(self, ended: dict[int, list[Line]]) -> None:
        for code, lines in ended.items():
            self.lines[code] += lines
