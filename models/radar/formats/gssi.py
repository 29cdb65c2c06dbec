"""Radargrams of GSSI (`.DZT`), with positions of the `.DZG` beside them.

The header is as GSSI's manuals of the SIR-3000 and SIR-4000 describe it. Kept readers exist
(readgssi, ImpDAR); both hold the whole file in memory, see the page on radargrams in the
developers' part of the book.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.radar.formats.radargram import Floats, Radargram, damaged

FORMAT = "GSSI"
HEADER = struct.Struct("<5h5fh4s4s7hf")
"""From the tag to the permittivity."""
BLOCK = 1024
"""Bytes in which the header is counted."""
TYPES: dict[int, np.dtype[Any]] = {8: np.dtype("u1"), 16: np.dtype("<u2"), 32: np.dtype("<i4")}
MARKS = 2
"""Samples at the top of each trace that hold marks, not echoes."""


@dataclass(frozen=True)
class _Header:
    samples: int
    bits: int
    per_metre: float
    start_ns: float
    range_ns: float
    created: datetime | None
    channels: int
    begin: int


def read_gssi(path: Path, shown: str, channel: int) -> Radargram:
    """Open a `.DZT`; its values are amplitudes with a sign.

    Args:
        path: The file.
        shown: Its name for messages.
        channel: The channel to read, counted from 1.

    Raises:
        EngineError: It is not such a file, is damaged, or lacks the channel.
    """
    header = _header(path, shown)
    if not 1 <= channel <= header.channels:
        raise EngineError(
            f"CHANNEL is {channel}, and {shown} has {header.channels}. Choose one of them."
        )
    kind = TYPES[header.bits]
    row = header.samples * header.channels
    size = (path.stat().st_size - header.begin) // kind.itemsize
    traces, rest = divmod(size, row)
    if not traces:
        raise damaged(shown, "it ends after its header")
    values = np.memmap(path, kind, "r", header.begin, (traces, header.channels, header.samples))
    zero = 0 if header.bits == 32 else 1 << (header.bits - 1)

    def block(first: int, last: int) -> NDArray[Any]:
        part = values[first:last, channel - 1].T.astype(np.float32) - zero
        part[:MARKS] = np.nan
        return np.asarray(part)

    places = _positions(path.with_suffix(".DZG"), header, traces) or {}
    step = header.range_ns / header.samples
    doubts = (f"{shown} ends within a trace, which was left out.",) if rest else ()
    spacing = np.arange(traces) / header.per_metre if header.per_metre > 0 else None
    return Radargram(
        format=FORMAT,
        recorded="amplitude",
        time=np.asarray(header.start_ns + step * np.arange(header.samples)) * 1e-9,
        traces=traces,
        samples=header.samples,
        block=block,
        distance=spacing,
        doubts=doubts,
        **places,  # type: ignore[arg-type]
    )


def _header(path: Path, shown: str) -> _Header:
    with path.open("rb") as file:
        content = file.read(HEADER.size)
    if len(content) < HEADER.size:
        raise damaged(shown, "it ends within its header")
    (tag, data, samples, bits, _, _, per_metre, _, start, length, _, made, *rest) = HEADER.unpack(
        content
    )
    channels = rest[-2]
    sound = tag & 0xFF == 0xFF and samples > MARKS and bits in TYPES and channels in range(1, 9)
    if not (sound and np.isfinite([start, length]).all() and length > 0):
        raise EngineError(
            f"{shown} is not a radargram of GSSI (tag {tag:#x}, {samples} samples of {bits} bits, "
            f"{length:g} ns). Choose a .DZT file."
        )
    begin = BLOCK * (data if 0 < data < BLOCK else channels)
    return _Header(samples, bits, per_metre, start, length, _date(made), channels, begin)


def _date(packed: bytes) -> datetime | None:
    """Return the date that GSSI packs into 32 bits: s/2, min, h, day, month, year - 1980."""
    bits = int.from_bytes(packed, "little")
    parts = []
    for width in (5, 6, 5, 5, 4, 7):
        parts.append(bits & ((1 << width) - 1))
        bits >>= width
    second, minute, hour, day, month, year = parts
    with suppress(ValueError):
        return datetime(1980 + year, month, day, hour, minute, 2 * second, tzinfo=UTC)
    return None


def _positions(path: Path, header: _Header, traces: int) -> dict[str, Floats] | None:
    """Return positions at each trace from the fixes of the file beside it, if there are any."""
    beside = next((each for each in (path, path.with_suffix(".dzg")) if each.is_file()), None)
    fixes = list(_fixes(beside.read_text("latin-1"), header)) if beside else []
    if len(fixes) < 2:
        return None
    trace, time, longitude, latitude, height = np.array(fixes).T
    trace, kept = np.unique(trace, return_index=True)
    at = np.arange(traces)

    def along(values: Floats) -> Floats:
        return np.asarray(np.interp(at, trace, values[kept], np.nan, np.nan))

    turns = along(np.unwrap(longitude, period=360))
    found = {
        "longitude": (turns + 180) % 360 - 180,
        "latitude": along(latitude),
        "elevation": along(height),
    }
    return found | ({"gps_time": along(np.unwrap(time, period=86_400))} if header.created else {})


def _fixes(text: str, header: _Header) -> Iterator[tuple[float, ...]]:
    """Yield trace, s since 1970, longitude, latitude and height of each fix with a trace."""
    trace: float | None = None
    for line in text.splitlines():
        fields = line.partition("*")[0].split(",")
        with suppress(ValueError, IndexError):
            if fields[0] == "$GSSIS":
                trace = float(fields[1])
            elif fields[0].endswith("GGA") and trace is not None and int(fields[6]) > 0:
                yield (
                    trace,
                    _clock(fields[1], header.created),
                    _degrees(fields[4], fields[5]),
                    _degrees(fields[2], fields[3]),
                    float(fields[9]),
                )
                trace = None


def _clock(text: str, created: datetime | None) -> float:
    """Return the time of a fix; NMEA gives the time of day alone."""
    day = datetime(*(created or datetime(1970, 1, 1, tzinfo=UTC)).timetuple()[:3], tzinfo=UTC)
    past = timedelta(hours=int(text[:2]), minutes=int(text[2:4]), seconds=float(text[4:]))
    return (day + past).timestamp()


def _degrees(text: str, side: str) -> float:
    """Return degrees of NMEA's degrees and minutes (``dddmm.mmm``)."""
    whole = float(text)
    degrees = whole // 100 + whole % 100 / 60
    return -degrees if side in ("S", "W") else degrees
