"""Radargrams in SEG-Y, through segyio."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import segyio
from segyio import BinField, TraceField

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.radar.formats.radargram import Floats, Radargram, damaged

FORMAT = "SEG-Y"
LONGEST = 1e-3
"""Two-way travel time that no radar on ice reaches (84 km), s."""
ARC_SECONDS, DEGREES = 2, 3
"""Units of coordinates in a trace header; others are lengths."""


@contextmanager
def open_segy(path: Path, shown: str) -> Iterator[Radargram]:
    """Open a SEG-Y file; its values are amplitudes with a sign.

    The standard counts the sample interval in whole microseconds, too coarse for radar, and
    programs write nano- or picoseconds instead: the time axis is left out where the record would
    be longer than any radar's.

    Raises:
        EngineError: It is none, or damaged.
    """
    with _opened(path, shown) as file:
        samples, traces = len(file.samples), file.tracecount
        interval = file.bin[BinField.Interval] * 1e-6
        sound = 0 < interval * samples <= LONGEST

        def block(first: int, last: int) -> Floats:
            try:
                return np.asarray(file.trace.raw[first:last]).T
            except (OSError, RuntimeError) as error:
                raise damaged(shown, error) from error

        x, y = _coordinates(file, TraceField.SourceX), _coordinates(file, TraceField.SourceY)
        unit = int(file.attributes(TraceField.CoordinateUnits)[0][0])
        degrees = {ARC_SECONDS: 3600.0, DEGREES: 1.0}.get(unit)
        there = bool(x.any() or y.any())
        yield Radargram(
            format=FORMAT,
            recorded="amplitude",
            time=interval * np.arange(samples) if sound else None,
            traces=traces,
            samples=samples,
            block=block,
            longitude=x / degrees if there and degrees else None,
            latitude=y / degrees if there and degrees else None,
            easting=x if there and not degrees else None,
            northing=y if there and not degrees else None,
            doubts=("The sample interval is that of the SEG-Y header, in microseconds.",)
            if sound
            else (),
        )


def _opened(path: Path, shown: str) -> segyio.SegyFile:
    """Open a file whose numbers have their bytes in either order.

    The standard has the highest byte first; programs for ground-penetrating radar write both.
    """
    problems: list[Exception] = []
    for order in ("big", "little"):
        try:
            return segyio.open(path, "r", ignore_geometry=True, endian=order)
        except (OSError, RuntimeError, ValueError) as error:
            problems.append(error)
    raise EngineError(
        f"{shown} cannot be read as SEG-Y ({problems[0]}). It is damaged or of another format: "
        "copy or download it again."
    ) from problems[0]


def _coordinates(file: segyio.SegyFile, field: int) -> Floats:
    """Return coordinates of all traces: a negative scalar divides, a positive one multiplies."""
    values = np.asarray(file.attributes(field)[:], np.float64)
    scalar = np.asarray(file.attributes(TraceField.SourceGroupScalar)[:], np.float64)
    factor = np.where(scalar < 0, -1 / np.where(scalar < 0, scalar, -1), np.maximum(scalar, 1))
    return np.asarray(values * factor)
