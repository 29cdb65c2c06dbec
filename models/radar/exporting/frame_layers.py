"""The layers of one echogram at each of its traces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.coordinates import Floats
from glacier_qgis.models.radar.echogram.lines import (
    DERIVED,
    GOOD,
    MODERATE,
    LayerLine,
    samples_along,
)
from glacier_qgis.models.radar.formats.layer_file import AUTOMATIC, MANUAL, LayerFile

SURE, LIKELY = 0.8, 0.5
"""Confidence from which a traced layer is of good, and of moderate quality."""


@dataclass(frozen=True)
class FrameLayers:
    """The layers of an echogram.

    Attributes:
        axes: Of the echogram.
        layers: The pieces of each layer, by id, from the top down.
        samples: Rows of the echogram, shape (layers, traces); NaN where a layer is not traced.
    """

    axes: Axes
    layers: dict[int, list[LayerLine]]
    samples: Floats

    @classmethod
    def of(cls, axes: Axes, lines: Sequence[LayerLine], reporter: Reporter) -> FrameLayers:
        """Read off the lines of an echogram at each trace."""
        mine: dict[int, list[LayerLine]] = {}
        for line in lines:
            if line.frame_id == axes.frame_id:
                mine.setdefault(line.layer_id, []).append(line)
        mine = dict(sorted(mine.items(), key=lambda entry: _mean_sample(entry[1])))
        rows = [samples_along(pieces, axes.traces, reporter) for pieces in mine.values()]
        return cls(axes, mine, np.array(rows).reshape(-1, axes.traces))

    @property
    def times(self) -> Floats:
        """Two-way travel times, s, shape (layers, traces)."""
        return self.axes.times(self._traces, self.samples)

    @property
    def depths(self) -> Floats:
        """Depths below the surface, m, shape (layers, traces)."""
        return self.with_own_surface().axes.depths(self._traces, self.times)

    def with_own_surface(self) -> FrameLayers:
        """Let depths count from the line of the surface, where there is one."""
        rows = [row for row, pieces in enumerate(self.layers.values()) if _is_surface(pieces)]
        if not rows:
            return self
        traced = self.times[rows[0]]
        surface = np.where(np.isfinite(traced), traced, self.axes.surface_at(self._traces))
        return FrameLayers(self.axes.with_surface(surface), self.layers, self.samples)

    @property
    def years(self) -> list[float | None]:
        """When each layer was the surface, decimal year."""
        return [
            next((line.year for line in pieces if line.year is not None), None)
            for pieces in self.layers.values()
        ]

    def along(self, name: str) -> Floats:
        """A number of the lines at each trace, shape (layers, traces); NaN where unknown."""
        values = np.full(self.samples.shape, np.nan)
        for row, pieces in enumerate(self.layers.values()):
            for line in pieces:
                value = getattr(line, name)
                values[row, _columns(line, self.axes)] = np.nan if value is None else value
        return values

    def codes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Quality and type of each pick as Open Polar Radar counts them; 1 and 2 without one."""
        quality = np.full(self.samples.shape, GOOD, np.int64)
        kind = np.full(self.samples.shape, AUTOMATIC, np.int64)
        for row, pieces in enumerate(self.layers.values()):
            for line in pieces:
                columns = _columns(line, self.axes)
                quality[row, columns] = _quality(line)
                kind[row, columns] = AUTOMATIC if line.origin == "traced" else MANUAL
        return quality, kind

    def layer_file(self) -> LayerFile:
        """Return the layers as Open Polar Radar stores them.

        Where GPS times are unknown they are NaN, as positions and elevations are.
        """
        quality, kinds = self.codes()
        every = self._traces
        unknown = np.full(self.axes.traces, np.nan)
        given = {
            name: unknown if getattr(self.axes, name) is None else getattr(self.axes, name)
            for name in ("gps_time", "latitude", "longitude", "elevation")
        }
        order = np.argsort(list(self.layers), kind="stable")
        return LayerFile(
            ids=np.array(list(self.layers), np.int64)[order],
            time=self.axes.times(every, self.samples)[order],
            quality=quality[order],
            kinds=kinds[order],
            **given,
        )

    @property
    def _traces(self) -> NDArray[np.int64]:
        return np.arange(self.axes.traces)


def _columns(line: LayerLine, axes: Axes) -> slice:
    """Return the traces whose columns a line enters; see `samples_along`."""
    first, last = line.trace.min() - 0.5, line.trace.max() + 0.5
    return slice(max(int(np.ceil(first)), 0), min(int(np.floor(last)), axes.traces - 1) + 1)


def _quality(line: LayerLine) -> int:
    if line.quality in (GOOD, MODERATE, DERIVED):
        return int(line.quality)
    if line.confidence is None or line.confidence >= SURE:
        return GOOD
    return MODERATE if line.confidence >= LIKELY else DERIVED


def _mean_sample(pieces: Sequence[LayerLine]) -> float:
    return float(np.mean(np.concatenate([line.sample for line in pieces])))


def _is_surface(pieces: Sequence[LayerLine]) -> bool:
    return any(line.kind == "surface" for line in pieces)
