"""Surface and bed: of each, there is one along the whole track.

A dim bed has a low probability at each trace, but at one depth along many of them; a false one may
be strong, but only here and there. Both reflectors are therefore found as the best path along the
track (as Crandall et al. 2012, ICPR, pp. 1530-1533). Where the bed is, the network's probability
says and the rise of the echo with depth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.radar.layers.borders import Border
from glacier_qgis.models.radar.layers.codes import BED, LAYER, SURFACE
from glacier_qgis.models.radar.layers.path import STEEPEST, BestPath
from glacier_qgis.models.radar.layers.peaks import Array, Peaks, find_peaks
from glacier_qgis.models.radar.layers.predict import CHANNELS, Strip
from glacier_qgis.models.radar.layers.steps import ABOVE, BELOW
from glacier_qgis.models.radar.layers.tracker import Line, Tracking

FLOOR = 0.01
"""Probability below which the network says nothing."""
TRUST = 0.5
"""Added to the probability of the bed: a certain network counts three times as much as a silent
one. On an unseen radar, a network is often certain of a bed where there is none."""
STEP_DB = 3.0
"""A rise of the bed's echo that counts as much as e times the former: the power doubles."""
STEP_RANGE = (-2.0, 4.0)
"""Bounds of what the rise counts."""
SCALE_DB = 0.8
"""Rise over `STEP_DB` by which the odds of a bed grow by a factor of e."""
SURFACE_GAP = 6
"""Samples below the surface where there is no bed."""
NEAR = 6
"""Samples from the path within which the network's peak is the reflector."""
BROAD = 3.0
"""Standard deviation of the position of a bed without such a peak, samples."""


@dataclass(frozen=True)
class Point:
    """A reflector at one trace: row, probability and width as of a peak, samples."""

    trace: int
    row: float
    value: float
    width: float


@dataclass(frozen=True)
class Echo:
    """What is kept of a trace until the path through it is known."""

    trace: int
    peaks: Peaks

    def at(self, row: int) -> Point | None:
        """Return the network's peak where the path passes."""
        near = self.peaks.of(np.abs(self.peaks.rows - row) <= NEAR)
        if not len(near):
            return None
        best = near.values.argmax()
        found = near.rows[best], near.values[best], near.widths[best]
        return Point(self.trace, *map(float, found))


@dataclass(frozen=True)
class BedEcho(Echo):
    """The same where there may be a bed without a peak: rise and averaged power, dB, (rows,)."""

    rise: Float32Array
    mean: Float32Array

    def at(self, row: int) -> Point | None:
        """Return the network's peak, or the brightest echo where it rises more clearly."""
        peak = super().at(row)
        chance = float(1 / (1 + np.exp((STEP_DB - self.rise[row]) / SCALE_DB)))
        if peak is not None and peak.value >= chance:
            return peak
        first = max(row + BELOW[0], 0)
        echoes = np.nan_to_num(self.mean[first : row + BELOW[1]], nan=-np.inf)
        return Point(self.trace, float(first + echoes.argmax()), chance, BROAD)


class _Chain:
    """Joins points to lines."""

    def __init__(self, options: Tracking, least: float) -> None:
        self._options = options
        self._least = least
        self._line = Line(1)
        self._row = np.nan

    def move(self, border: Border) -> None:
        """Continue in a frame with other rows."""
        self._row = float(border.onward(np.array([self._row]))[0])

    def add(self, points: Iterable[Point | None]) -> list[Line]:
        """Continue; return the lines that have ended."""
        ended: list[Line] = []
        for point in points:
            if point is None or point.value < self._least:
                continue
            if self._line.traces and not self._reaches(point):
                ended += self.finish()
            self._line.append(point.trace, point.row, point.value, point.width)
            self._row = point.row
        return ended

    def finish(self) -> list[Line]:
        """End the line; return it if it is long and certain enough."""
        line, self._line = self._line, Line(self._line.number + 1)
        return [line] if line.traces and self._options.accept(line) else []

    def _reaches(self, point: Point) -> bool:
        gap = point.trace - self._line.traces[-1]
        away = abs(point.row - self._row)
        return gap <= self._options.bridge + 1 and away <= STEEPEST * gap + NEAR


class Outer:
    """The lines of surface and bed through frames that follow each other."""

    def __init__(self, options: Tracking, least: float) -> None:
        """Start without lines.

        Args:
            options: Of the lines.
            least: Lowest probability of a point.
        """
        self._least = least
        self._paths: dict[int, BestPath[Echo]] = {code: BestPath() for code in (SURFACE, BED)}
        self._chains = {code: _Chain(options, least) for code in self._paths}
        self._top = np.nan

    def add(self, first: int, strip: Strip) -> dict[int, list[Line]]:
        """Continue with a strip whose first trace has this number; return the ended lines."""
        surface, bed = uppermost_is_surface(strip.probability, self._least)
        tops = self._surface(first, surface)
        self._bed(first, bed, strip, tops)
        return {
            code: self._chains[code].add(seen.at(row) for seen, row in path.settle())
            for code, path in self._paths.items()
        }

    def cross(self, border: Border) -> dict[int, list[Line]]:
        """Continue in a frame with other rows; return the lines that have ended."""
        ended = {
            code: self._chains[code].add(seen.at(row) for seen, row in path.settle(0))
            for code, path in self._paths.items()
        }
        before = border.back(np.arange(border.after.samples, dtype=float))
        for path in self._paths.values():
            path.move(before)
        for chain in self._chains.values():
            chain.move(border)
        self._top = float(border.onward(np.array([self._top]))[0])
        return ended

    def finish(self) -> dict[int, list[Line]]:
        """End the lines; return them."""
        return {
            code: chain.add(seen.at(row) for seen, row in self._paths[code].finish())
            + chain.finish()
            for code, chain in self._chains.items()
        }

    def _surface(self, first: int, probability: Float32Array) -> Array:
        """Continue the surface; return its row at each trace, the last one where it is not seen.

        It is NaN before the surface is seen for the first time.
        """
        tops = np.empty(probability.shape[1])
        evidence = np.log(probability + FLOOR).astype(np.float64)
        for index, peaks in enumerate(find_peaks(probability, FLOOR)):
            echo = Echo(first + index, peaks)
            seen = echo.at(self._paths[SURFACE].add(evidence[:, index], echo))
            if seen is not None and seen.value >= self._least:
                self._top = seen.row
            tops[index] = self._top
        return tops

    def _bed(self, first: int, probability: Float32Array, strip: Strip, tops: Array) -> None:
        """Continue the bed.

        Without a surface, the rise does not count: that of the surface is the largest.
        """
        depth = np.arange(len(probability))[:, None] - tops
        rise = np.where(depth + ABOVE[0] > SURFACE_GAP, strip.step, 0).astype(np.float32)
        evidence = np.log(probability + TRUST) + np.clip(rise / STEP_DB, *STEP_RANGE)
        evidence[depth < SURFACE_GAP] = np.log(TRUST) + STEP_RANGE[0]
        for index, peaks in enumerate(find_peaks(probability, FLOOR)):
            columns = rise[:, index].copy(), strip.mean[:, index].copy()
            self._paths[BED].add(
                evidence[:, index].astype(np.float64), BedEcho(first + index, peaks, *columns)
            )


def uppermost_is_surface(
    probability: Float32Array, least: float
) -> tuple[Float32Array, Float32Array]:
    """Return the probabilities of surface and bed, with the uppermost reflector as the surface.

    In noise, a network takes the surface for a bed, but no bed has nothing above it.

    Args:
        probability: Of each class, (classes, rows, traces).
        least: Probability from which there is a reflector.
    """
    layer, surface, bed = (probability[CHANNELS.index(code)] for code in (LAYER, SURFACE, BED))
    seen = np.maximum.accumulate(np.maximum(np.maximum(layer, surface), bed), axis=0)
    above = np.pad(seen, ((NEAR, 0), (0, 0)))[:-NEAR]
    uppermost = above < least
    return np.where(uppermost, np.maximum(surface, bed), surface), np.where(uppermost, 0, bed)
