"""The axes of an echogram: time down, and time, position and elevation along."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod
from scipy.constants import speed_of_light

from glacier_qgis.models.engine.errors import EngineError

Floats = NDArray[np.float64]
Values = Literal["power_db", "power", "amplitude", "intensity"]
"""What a cell holds: power, in dB or linear; amplitude with its sign; or the grey of a picture."""

FORMAT = "glacier_qgis echogram"
VERSION = 1
SUFFIX = ".json"
"""Behind the whole name of the GeoTIFF."""
ICE_PERMITTIVITY = 3.15
"""Of solid ice, relative, real part (Fujita et al., 2000)."""
ALONG = ("gps_time", "longitude", "latitude", "elevation", "distance", "surface_time")
"""Axes with one value per trace, None if the file has none."""


@dataclass(frozen=True, kw_only=True)
class Axes:
    """What a cell of an echogram stands for.

    Attributes:
        frame_id: Name of the frame, the same in its ground track and its lines.
        segment_id: Name of the segment of flight that the frame is a part of; "" if unknown.
        values: What a cell holds.
        time: Two-way travel time of each sample, s, ascending.
        gps_time: Time of each trace, s since 1970-01-01, as in the file; NaN where unknown.
        longitude: Of each trace, degrees (WGS 84).
        latitude: Of each trace, degrees (WGS 84).
        elevation: Of the antenna, m.
        distance: Along the track from the first trace, m.
        surface_time: Two-way travel time of the ice surface at each trace, s: depth counts from it.
            None: from time 0, as for a radar on the ground.
        shift: Samples by which each trace was moved down so that the surface is level; empty if
            none was.
        permittivity: Relative permittivity, for depth.
        firn_correction: Added to each depth, m, as the wave is faster in firn.
        source: Where it comes from: file, format.
    """

    frame_id: str
    time: Floats
    traces: int
    segment_id: str = ""
    values: Values = "power_db"
    gps_time: Floats | None = None
    longitude: Floats | None = None
    latitude: Floats | None = None
    elevation: Floats | None = None
    distance: Floats | None = None
    surface_time: Floats | None = None
    shift: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    permittivity: float = ICE_PERMITTIVITY
    firn_correction: float = 0.0
    source: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse axes that do not fit together.

        Raises:
            EngineError: With the axis and the place.
        """
        if self.values not in get_args(Values):
            raise EngineError(f"{self.frame_id}: its values are '{self.values}', which is unknown.")
        if not np.isfinite(self.time).all() or len(self.time) < 2:
            raise EngineError(
                f"{self.frame_id}: its two-way travel times are missing or not finite. Choose a "
                "complete file."
            )
        backward = np.flatnonzero(np.diff(self.time) <= 0)
        if backward.size:
            at = int(backward[0]) + 1
            raise EngineError(
                f"{self.frame_id}: the two-way travel time does not increase at sample {at} "
                f"({self.time[at - 1]:.9g} s, then {self.time[at]:.9g} s). Write its time axis "
                "again."
            )
        for name in ALONG:
            values = getattr(self, name)
            if values is not None and len(values) != self.traces:
                raise EngineError(
                    f"{self.frame_id}: {len(values)} values of {name} for {self.traces} traces. "
                    "Choose the file that belongs to the echogram."
                )
        if self.shift.size not in (0, self.traces):
            raise EngineError(
                f"{self.frame_id}: {self.shift.size} shifts for {self.traces} traces."
            )

    @property
    def samples(self) -> int:
        """Samples per trace."""
        return len(self.time)

    @property
    def has_positions(self) -> bool:
        """Whether at least two traces have a place on Earth."""
        return int(self.located.sum()) >= 2

    @property
    def located(self) -> NDArray[np.bool_]:
        """Which traces have a place on Earth."""
        if self.longitude is None or self.latitude is None:
            return np.zeros(self.traces, bool)
        return np.isfinite(self.longitude) & np.isfinite(self.latitude)

    @property
    def day(self) -> date | None:
        """Day of the first trace with a time (UTC); None if no trace has one."""
        times = np.empty(0) if self.gps_time is None else self.gps_time[np.isfinite(self.gps_time)]
        return datetime.fromtimestamp(float(times[0]), UTC).date() if times.size else None

    @property
    def metres_per_second(self) -> float:
        """Depth per second of two-way travel time in ice, m/s: half the velocity."""
        return float(speed_of_light / math.sqrt(self.permittivity) / 2)

    @property
    def sample_interval(self) -> float:
        """Mean two-way travel time between samples, s."""
        return float((self.time[-1] - self.time[0]) / (self.samples - 1))

    def times(self, trace: ArrayLike, sample: ArrayLike) -> Floats:
        """Two-way travel times, s, at indices counted from 0; NaN outside the echogram.

        Args:
            trace: Index of the trace; fractions take the nearest trace's shift.
            sample: Index of the sample, with fractions.
        """
        rows: Floats = np.asarray(sample, np.float64) - self._moved(trace)
        inside = (rows >= -0.5) & (rows <= self.samples - 0.5)
        return np.where(inside, _interpolate(rows, self.time), np.nan)

    def sample_of(self, trace: ArrayLike, time: ArrayLike) -> Floats:
        """Sample, counted from 0 with fractions, of two-way travel times; the inverse of `times`.

        Where doubles allow, `times` gives the very same number back.
        """
        wanted = np.asarray(time, float)
        depth = _inverse(wanted, self.time) + self._moved(trace) + 0.5  # below the upper edge
        found = depth - 0.5
        for step in (1, -1, 2, -2, 3, -3, 4, -4):
            missed = self.times(trace, found) != wanted
            nudged = depth + step * np.spacing(np.abs(depth)) - 0.5
            found = np.where(missed & (self.times(trace, nudged) == wanted), nudged, found)
        return np.asarray(found)

    def depths(self, trace: ArrayLike, time: ArrayLike) -> Floats:
        """Depths below the surface, m, of two-way travel times; negative above it.

        z = c / (2 √ε) (t - t_surface) + firn correction (the latter below the surface only).
        """
        surface = self.surface_at(trace)
        below = np.asarray(time, float) - surface
        return np.asarray(self.metres_per_second * below + self.firn_correction * (below > 0))

    def surface_at(self, trace: ArrayLike) -> Floats:
        """Two-way travel time of the surface at traces, s; 0 if the surface is not known."""
        if self.surface_time is None:
            return np.zeros(np.shape(trace))
        return np.asarray(
            np.interp(np.asarray(trace, float), np.arange(self.traces), self.surface_time)
        )

    def at(self, name: str, trace: ArrayLike) -> Floats:
        """Values of an axis along the track at traces, with fractions; NaN if there is none.

        Longitudes are interpolated across the 180th meridian.
        """
        values = getattr(self, name)
        where = np.asarray(trace, float)
        known = np.flatnonzero(np.isfinite(values)) if values is not None else np.empty(0, int)
        if not known.size:
            return np.full(where.shape, np.nan)
        if name != "longitude":
            return np.asarray(np.interp(where, known, values[known], np.nan, np.nan))
        turns = np.interp(where, known, np.unwrap(values[known], period=360), np.nan, np.nan)
        return np.asarray(np.where(np.abs(turns) > 180, (turns + 180) % 360 - 180, turns))

    def _moved(self, trace: ArrayLike) -> NDArray[np.int64]:
        """Return by how many samples traces were moved down."""
        if not self.shift.size:
            return np.zeros(np.shape(trace), np.int64)
        nearest = np.clip(np.rint(np.asarray(trace, float)), 0, self.traces - 1).astype(np.int64)
        return np.asarray(self.shift[nearest])

    def with_depth(self, permittivity: float, firn_correction: float) -> Self:
        """Return the same axes with another relation of depth to time."""
        return replace(self, permittivity=permittivity, firn_correction=firn_correction)

    def with_surface(self, surface_time: Floats) -> Self:
        """Return the same axes with another surface."""
        return replace(self, surface_time=surface_time)

    def write(self, raster: Path) -> None:
        """Write the axes as JSON beside a GeoTIFF."""
        content: dict[str, Any] = {"format": FORMAT, "version": VERSION}
        content |= {each.name: _plain(getattr(self, each.name)) for each in fields(self)}
        path = axes_path(raster)
        path.write_text(json.dumps(content, allow_nan=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, raster: Path, role: str = "INPUT") -> Self:
        """Read the axes beside a GeoTIFF.

        Raises:
            EngineError: There are none, or they are damaged.
        """
        path = axes_path(raster)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise EngineError(
                f"{role}: {raster.name} has no axes ({path.name} is not beside it). Choose an "
                "echogram that 'Import radargram' wrote, and keep both files together."
            ) from error
        except (OSError, ValueError) as error:
            raise EngineError(
                f"{role}: the axes {path.name} cannot be read ({error}). Import the radargram "
                "again."
            ) from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise EngineError(
                f"{role}: {path.name} does not hold the axes of an echogram. Import the radargram "
                "again."
            )
        if content.get("version") != VERSION:
            raise EngineError(
                f"{role}: {path.name} has version {content.get('version')} of the format, and this "
                f"release reads version {VERSION}. Import the radargram again."
            )
        names = {each.name for each in fields(cls)} & content.keys()
        try:
            return cls(**{name: _array(name, content[name]) for name in names})
        except (TypeError, ValueError) as error:
            raise EngineError(
                f"{role}: {path.name} is damaged ({error}). Import the radargram again."
            ) from error


def axes_path(raster: Path) -> Path:
    """Return where the axes of a GeoTIFF lie."""
    return raster.with_name(raster.name + SUFFIX)


def along_track(longitude: Floats, latitude: Floats) -> Floats:
    """Geodesic distance from the first position, m (WGS 84), also over a pole or 180°.

    Traces without a position get that of the last one before them with a position.
    """
    known = np.isfinite(longitude) & np.isfinite(latitude)
    distance = np.zeros(len(longitude))
    if known.sum() > 1:
        x, y = longitude[known], latitude[known]
        _, _, steps = Geod(ellps="WGS84").inv(x[:-1], y[:-1], x[1:], y[1:])
        at = np.flatnonzero(known)
        distance = np.interp(np.arange(len(longitude)), at, np.concatenate([[0], np.cumsum(steps)]))
    return distance


def _interpolate(rows: Floats, time: Floats) -> Floats:
    """Return the time at rows, the first and last interval continued to the borders."""
    last = len(time) - 1
    below = np.clip(np.floor(np.nan_to_num(rows)), 0, last - 1).astype(np.int64)
    return np.asarray(time[below] + (rows - below) * (time[below + 1] - time[below]))


def _inverse(wanted: Floats, time: Floats) -> Floats:
    last = len(time) - 1
    below = np.clip(np.searchsorted(time, wanted, side="right") - 1, 0, last - 1)
    rows = below + (wanted - time[below]) / (time[below + 1] - time[below])
    return np.where((rows >= -0.5) & (rows <= last + 0.5), rows, np.nan)


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return [None if number != number else number for number in value.tolist()]
    return dict(value) if isinstance(value, Mapping) else value


def _array(name: str, value: Any) -> Any:  # noqa: ANN401  # as JSON holds it
    if name == "shift":
        return np.array(value, np.int64)
    if name == "time" or (name in ALONG and value is not None):
        return np.array([math.nan if number is None else number for number in value], np.float64)
    return value
