"""Small radargrams in the formats of others, with known values."""

from __future__ import annotations

import functools
import operator
import struct
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h5py
import netCDF4
import numpy as np
import segyio
from numpy.typing import NDArray
from PIL import Image
from scipy import io

from glacier_qgis.models.radar.formats.layer_file import LayerFile, write_layer_file

Floats = NDArray[np.float64]
NAME = "Data_20120507_07_004"


@dataclass
class Frame:
    """A frame over Greenland: power of echoes, a surface, a bed."""

    traces: int = 30
    samples: int = 50
    changes: dict[str, Any] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Return the variables of CReSIS."""
        along = np.arange(self.traces)
        power = np.random.default_rng(5).exponential(1e-9, (self.samples, self.traces))
        return {
            "Data": power,
            "Time": 1e-6 + 2e-9 * np.arange(self.samples)[:, np.newaxis],
            "GPS_time": 1.336e9 + 0.25 * along[np.newaxis],
            "Latitude": 70 + 0.0002 * along[np.newaxis],
            "Longitude": np.full((1, self.traces), -45.0),
            "Elevation": np.full((1, self.traces), 3000.0),
            "Surface": 1.01e-6 + 1e-10 * along[np.newaxis],
            "Bottom": np.where(along > 9, 1.05e-6, np.nan)[np.newaxis],
        } | self.changes

    def write_v5(self, folder: Path, name: str = NAME) -> Path:
        """Write as MATLAB's version 5."""
        path = folder / f"{name}.mat"
        io.savemat(path, self.content())
        return path

    def write_v73(self, folder: Path, name: str = NAME) -> Path:
        """Write as MATLAB's version 7.3, which stores matrices with their dimensions reversed."""
        path = folder / f"{name}.mat"
        with h5py.File(path, "w", userblock_size=512) as file:
            for variable, values in self.content().items():
                file[variable] = _pairs(np.asarray(values)).T
                file[variable].attrs["MATLAB_class"] = np.bytes_("double")
        with path.open("r+b") as start:
            start.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
        return path

    def write_netcdf(self, folder: Path, unit: str = "microseconds") -> Path:
        """Write as NSIDC does."""
        path, content = folder / "IRSNO1B_20120507_07_004.nc", self.content()
        with netCDF4.Dataset(path, "w") as file:
            file.createDimension("time", self.traces)
            file.createDimension("fasttime", self.samples)
            data = file.createVariable("amplitude", "f8", ("time", "fasttime"))
            data[:] = content["Data"].T
            fast = file.createVariable("fasttime", "f8", ("fasttime",))
            fast[:], fast.units = 1e6 * content["Time"].ravel(), unit
            slow = file.createVariable("time", "f8", ("time",))
            slow[:] = np.arange(self.traces) * 0.25
            slow.units = "seconds since 2012-05-07 00:00:00"
            for ours, theirs in (("lat", "Latitude"), ("lon", "Longitude")):
                file.createVariable(ours, "f8", ("time",))[:] = content[theirs].ravel()
            surface = file.createVariable("Surface", "f8", ("time",))
            surface[:], surface.units = content["Surface"].ravel(), "seconds"
        return path


def _pairs(values: NDArray[Any]) -> NDArray[Any]:
    """Return complex numbers as MATLAB stores them."""
    if not np.iscomplexobj(values):
        return values
    pairs = np.empty(values.shape, [("real", "f8"), ("imag", "f8")])
    pairs["real"], pairs["imag"] = values.real, values.imag
    return pairs


def write_gssi(
    path: Path, values: NDArray[Any], *, range_ns: float = 100.0, fixes: bool = True
) -> Path:
    """Write a `.DZT` of 16 bits, traces as columns, and a `.DZG` with a fix every ten traces."""
    samples, traces = values.shape
    date = (6 << 0) | (30 << 5) | (14 << 11) | (7 << 16) | (5 << 21) | (32 << 25)  # 2012-05-07
    header = struct.pack(
        "<5h5fh4s4s7hf",
        *(0xFF, 2, samples, 16, 0),
        *(50.0, 4.0, 0.0, -10.0, range_ns),
        *(1, struct.pack("<I", date), bytes(4)),
        *(0, 0, 0, 0, 0, 0, 1),
        3.15,
    )
    stored = (values.T + (1 << 15)).astype("<u2")
    path.write_bytes(header.ljust(2048, b"\0") + stored.tobytes())
    if fixes:
        lines = [
            f"$GSSIS,{trace},0\n"
            + _nmea(
                f"GPGGA,1430{trace:02d}.00,7000.{trace:03d},N,04530.000,W,1,08,1.0,"
                f"{1000 + trace}.0,M,0,M,,"
            )
            for trace in range(0, traces, 10)
        ]
        path.with_suffix(".DZG").write_text("".join(lines))
    return path


def _nmea(sentence: str) -> str:
    """Return a sentence with its sum."""
    total = functools.reduce(operator.xor, sentence.encode())
    return f"${sentence}*{total:02X}\n\n"


def write_segy(
    path: Path,
    values: NDArray[Any],
    *,
    interval: int = 400,
    x: int = 0,
    y: int = 0,
    unit: int = 1,
    scalar: int = 1,
    kind: int = segyio.SegySampleFormat.IEEE_FLOAT_4_BYTE,
    order: str = "big",
) -> Path:
    """Write SEG-Y with an interval as its header has it, and coordinates that grow eastwards."""
    spec = segyio.spec()
    spec.format, spec.endian = kind, order
    spec.samples = list(range(len(values)))
    spec.tracecount = values.shape[1]
    with segyio.create(path, spec) as file:
        file.bin[segyio.BinField.Interval] = interval
        for trace in range(values.shape[1]):
            file.trace[trace] = np.ascontiguousarray(values[:, trace])
            file.header[trace] = {
                segyio.TraceField.SourceX: (x + 10 * trace) if x else 0,
                segyio.TraceField.SourceY: y,
                segyio.TraceField.CoordinateUnits: unit,
                segyio.TraceField.SourceGroupScalar: scalar,
            }
    return path


def write_picture(path: Path, grey: NDArray[np.uint8]) -> Path:
    """Write a picture in grey."""
    Image.fromarray(grey).save(path)
    return path


def write_impdar(path: Path, traces: int = 25, samples: int = 40, **changes: Any) -> Path:  # noqa: ANN401
    """Write what ImpDAR saves, with a pick numbered 5 in the first ten traces."""
    pick = np.full((1, traces), np.nan)
    pick[0, :10] = 12
    content = {
        "data": np.random.default_rng(6).normal(0, 1, (samples, traces)),
        "travel_time": 0.01 * np.arange(1, samples + 1)[np.newaxis],
        "snum": samples,
        "tnum": traces,
        "dt": 1e-8,
        "lat": 58.6 + 0.0001 * np.arange(traces)[np.newaxis],
        "long": np.full((1, traces), -134.2),
        "elev": np.full((1, traces), 1100.0),
        "decday": 738_000 + np.arange(traces)[np.newaxis] / 86_400,
        "trig": np.full((1, traces), 2),
        "picks": {"samp1": pick - 1, "samp2": pick, "samp3": pick + 1, "picknums": [5]},
    }
    io.savemat(path, content | changes)
    return path


def layer_file(path: Path, **changes: Any) -> LayerFile:  # noqa: ANN401
    """Write a layer file of the frame above: surface, bed and layer 5."""
    traces = 30
    layers = LayerFile(
        ids=np.array([1, 2, 5]),
        time=1e-6 + np.random.default_rng(11).uniform(0, 9e-8, (3, traces)),
        quality=np.ones((3, traces), np.int64),
        kinds=np.full((3, traces), 2),
        gps_time=1.336e9 + 0.25 * np.arange(traces),
        latitude=np.zeros(traces),
        longitude=np.zeros(traces),
        elevation=np.zeros(traces),
    )
    layers = replace(layers, **changes)
    write_layer_file(path, layers)
    return layers
