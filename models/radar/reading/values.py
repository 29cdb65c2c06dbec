"""The values of a radargram as they are written, trace by trace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.radar.echogram.axes import Axes, Values
from glacier_qgis.models.radar.echogram.raster import TRACES, EchogramWriter
from glacier_qgis.models.radar.formats.radargram import Radargram, Recorded

Wanted = Literal["automatic", "dB", "as recorded"]


def values_of(recorded: Recorded, wanted: Wanted) -> Values:
    """Return what the echogram will hold.

    Raises:
        EngineError: A picture has no power.
    """
    if wanted == "dB" and recorded == "intensity":
        raise EngineError(
            "VALUES is dB, and the grey of a picture is no power. Choose 'automatic'."
        )
    if wanted == "dB" or (wanted == "automatic" and recorded == "power"):
        return "power_db"
    return recorded


def converted(values: NDArray[Any], recorded: Recorded, wanted: Values) -> NDArray[np.float32]:
    """Return values as they are written; NaN where there is no echo.

    Power in dB is 10 log₁₀ P, or 20 log₁₀ |A|.
    """
    numbers = np.asarray(values, np.float64)
    if wanted == "power_db" and recorded in ("power", "amplitude"):
        factor = 10.0 if recorded == "power" else 20.0
        magnitude = numbers if recorded == "power" else np.abs(numbers)
        with np.errstate(divide="ignore", invalid="ignore"):
            numbers = np.where(magnitude > 0, factor * np.log10(magnitude), np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan).astype(np.float32)


def levelled(axes: Axes) -> Axes:
    """Return axes by which the surface is level: each trace is moved down by whole samples.

    Raises:
        EngineError: There is no surface, or the time axis is uneven.
    """
    if axes.surface_time is None:
        raise EngineError(
            f"LEVEL_SURFACE: {axes.frame_id} has no surface to level. Choose a layer file with the "
            "surface as LAYERS, or switch it off."
        )
    steps = np.diff(axes.time)
    if np.ptp(steps) > 1e-3 * axes.sample_interval:
        raise EngineError(
            f"LEVEL_SURFACE: the time axis of {axes.frame_id} is uneven (from {steps.min():.3g} to "
            f"{steps.max():.3g} s), and traces move by whole samples. Switch it off."
        )
    depth = np.rint((axes.surface_time - axes.time[0]) / axes.sample_interval).astype(np.int64)
    return replace(axes, shift=depth.max() - depth)


@dataclass
class Silence:
    """Which traces have no echo."""

    count: int = 0
    first: int = -1

    def add(self, first: int, values: NDArray[np.float32]) -> None:
        """Count those of a block."""
        silent = np.flatnonzero(~np.isfinite(values).any(axis=0))
        if silent.size:
            self.count += silent.size
            self.first = self.first if self.first >= 0 else first + int(silent[0])


def write_values(
    radargram: Radargram, target: EchogramWriter, shown: str, reporter: Reporter
) -> None:
    """Write a radargram from left to right, in blocks of traces.

    Raises:
        EngineError: It has no echo at all.
    """
    axes, silence = target.axes, Silence()
    for first in range(0, axes.traces, TRACES):
        last = min(first + TRACES, axes.traces)
        values = converted(radargram.block(first, last), radargram.recorded, axes.values)
        silence.add(first, values)
        target.write(first, _moved(values, axes.shift[first:last], axes))
        reporter.progress(last / axes.traces, "Writing the echogram")
    if silence.count == axes.traces:
        raise EngineError(
            f"{shown} has no echo: all of its values are missing. Choose another file."
        )
    if silence.count:
        reporter.warning(
            f"{shown}: {silence.count} of {axes.traces} traces have no echo, the first of them "
            f"trace {silence.first}. They are kept, as no data."
        )


def _moved(
    values: NDArray[np.float32], shift: NDArray[np.int64], axes: Axes
) -> NDArray[np.float32]:
    if not shift.size:
        return values
    samples = len(values)
    moved = np.full((samples + int(axes.shift.max()), values.shape[1]), np.nan, np.float32)
    rows = np.arange(samples)[:, np.newaxis] + shift
    moved[rows, np.arange(values.shape[1])] = values
    return moved
