"""The values of a radargram as they are written, trace by trace."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.radar.echogram.axes import Axes, Values
from glacier_qgis.models.radar.echogram.raster import TRACES, EchogramWriter
from glacier_qgis.models.radar.formats.radargram import Radargram, Recorded

ROWS, COLUMNS = 3, 8
"""Every third sample of every eighth trace is looked at for the contrast."""
OUTLIERS = (0.02, 0.98)
"""Share of the values below one end of grey, and below the other."""
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
class Written:
    """What is known of the values that were written.

    Attributes:
        count: Traces without an echo.
        first: The first of them; -1 if there is none.
        some: A regular sample of the values.
    """

    count: int = 0
    first: int = -1
    some: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, first: int, values: NDArray[np.float32]) -> None:
        """Look at a block."""
        sample = values[::ROWS, ::COLUMNS]
        self.some.append(sample[np.isfinite(sample)])
        silent = np.flatnonzero(~np.isfinite(values).any(axis=0))
        if silent.size:
            self.count += silent.size
            self.first = self.first if self.first >= 0 else first + int(silent[0])

    def contrast(self) -> tuple[float, float]:
        """Return the values between which most others lie."""
        some = np.concatenate(self.some)
        if not some.size:
            return 0.0, 1.0
        low, high = np.quantile(some, OUTLIERS)
        return float(low), float(high)


def write_values(
    radargram: Radargram, target: EchogramWriter, shown: str, reporter: Reporter
) -> tuple[float, float]:
    """Write a radargram from left to right, in blocks of traces.

    Returns:
        The values to show as the two ends of grey.

    Raises:
        EngineError: It has no echo at all.
    """
    axes, written = target.axes, Written()
    for first in range(0, axes.traces, TRACES):
        last = min(first + TRACES, axes.traces)
        values = converted(radargram.block(first, last), radargram.recorded, axes.values)
        written.add(first, values)
        target.write(first, _moved(values, axes.shift[first:last], axes))
        reporter.progress(last / axes.traces, "Writing the echogram")
    if written.count == axes.traces:
        raise EngineError(
            f"{shown} has no echo: all of its values are missing. Choose another file."
        )
    if written.count:
        reporter.warning(
            f"{shown}: {written.count} of {axes.traces} traces have no echo, the first of them "
            f"trace {written.first}. They are kept, as no data."
        )
    return written.contrast()


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
