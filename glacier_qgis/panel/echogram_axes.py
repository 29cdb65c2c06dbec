"""The axes of an echogram, as the engine wrote them beside it."""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from glacier_qgis.translation import tr

FORMAT = "glacier_qgis echogram"
LIGHT = 299_792_458.0
"""m/s."""


@dataclass(frozen=True)
class EchogramAxes:
    """What a place in an echogram stands for; x counts traces and y samples, downwards.

    Attributes:
        frame_id: Name of the frame.
        values: What a cell holds, such as "power_db" or "amplitude".
        time: Two-way travel time of each sample, s.
        traces: How many there are.
        longitude: Of each trace, degrees; NaN where unknown, empty if nowhere known.
        latitude: Likewise.
        distance: Along the track, m; empty if not known.
        surface: Two-way travel time of the surface at each trace, s; empty if not known.
        shift: Samples by which each trace was moved down; empty if none was.
        permittivity: Relative permittivity of the ice.
        firn_correction: Added to depths, m.
    """

    frame_id: str
    values: str
    time: Sequence[float]
    traces: int
    longitude: Sequence[float]
    latitude: Sequence[float]
    distance: Sequence[float]
    surface: Sequence[float]
    shift: Sequence[int]
    permittivity: float
    firn_correction: float

    @classmethod
    def beside(cls, raster: str) -> EchogramAxes:
        """Read the axes beside a GeoTIFF.

        Raises:
            ValueError: There are none, or they are damaged; the message is for the user.
        """
        path = Path(f"{raster}.json")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise ValueError(content["format"])
            return cls(
                frame_id=content["frame_id"],
                values=content["values"],
                time=content["time"],
                traces=content["traces"],
                longitude=_numbers(content["longitude"]),
                latitude=_numbers(content["latitude"]),
                distance=_numbers(content["distance"]),
                surface=_numbers(content["surface_time"]),
                shift=content["shift"],
                permittivity=content["permittivity"],
                firn_correction=content["firn_correction"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                tr(
                    "{name} has no axes beside it. Choose an echogram that 'Import radargram' "
                    "wrote, and keep its file '.json' with it."
                ).format(name=Path(raster).name)
            ) from error

    def trace_at(self, x: float) -> int:
        """Return the trace at a place, the first or last beyond the ends."""
        return min(max(math.floor(x), 0), self.traces - 1)

    def time_at(self, x: float, y: float) -> float:
        """Return the two-way travel time at a place, s; NaN outside the echogram."""
        row = -y - 0.5
        if self.shift:
            row -= self.shift[self.trace_at(x)]
        last = len(self.time) - 1
        if not -0.5 <= row <= last + 0.5:
            return math.nan
        below = min(max(math.floor(row), 0), last - 1)
        return self.time[below] + (row - below) * (self.time[below + 1] - self.time[below])

    def y_of(self, time: float, x: float) -> float:
        """Return where a two-way travel time lies at a trace; the inverse of `time_at`."""
        below = min(max(bisect_right(self.time, time) - 1, 0), len(self.time) - 2)
        step = self.time[below + 1] - self.time[below]
        row = below + (time - self.time[below]) / step
        return -(row + (self.shift[self.trace_at(x)] if self.shift else 0) + 0.5)

    def depth_at(self, x: float, y: float) -> float:
        """Return the depth below the surface at a place, m; negative above it."""
        below = self.time_at(x, y) - self._surface(x)
        return below * self.metres_per_second + (self.firn_correction if below > 0 else 0)

    def y_of_depth(self, depth: float, x: float) -> float:
        """Return where a depth below the surface lies at a trace."""
        firn = self.firn_correction if depth > 0 else 0
        return self.y_of(self._surface(x) + (depth - firn) / self.metres_per_second, x)

    @property
    def metres_per_second(self) -> float:
        """Depth per second of two-way travel time, m/s."""
        return LIGHT / math.sqrt(self.permittivity) / 2

    def distance_at(self, x: float) -> float:
        """Return the distance along the track, m; NaN if not known."""
        if not self.distance:
            return math.nan
        place = min(max(x - 0.5, 0), self.traces - 1)
        before = min(math.floor(place), self.traces - 2) if self.traces > 1 else 0
        after = min(before + 1, self.traces - 1)
        share = place - before
        return self.distance[before] * (1 - share) + self.distance[after] * share

    def x_of_distance(self, distance: float) -> float:
        """Return where a distance along the track lies; `distance` must be known."""
        after = min(max(bisect_left(self.distance, distance), 1), self.traces - 1)
        step = self.distance[after] - self.distance[after - 1]
        share = (distance - self.distance[after - 1]) / step if step else 0
        return after - 0.5 + share

    def _surface(self, x: float) -> float:
        return self.surface[self.trace_at(x)] if self.surface else 0.0


def nice_step(span: float, count: int) -> float:
    """Return a step of 1, 2 or 5 times a power of ten for about so many ticks."""
    rough = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    return next((factor * power for factor in (1, 2, 5) if rough <= factor * power), 10 * power)


def ticks(low: float, high: float, count: int) -> list[float]:
    """Return round values within limits."""
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        return []
    step = nice_step(high - low, count)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [step * number for number in range(first, last + 1)]


def _numbers(values: list[float | None] | None) -> list[float]:
    return [math.nan if value is None else value for value in values or []]
