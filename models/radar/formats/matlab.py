"""MATLAB files of both kinds: version 5 through SciPy, version 7.3 (HDF5) through h5py."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy import io
from scipy.io.matlab import MatReadError

from glacier_qgis.models.compute.memory import require_memory
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.gdal.hdf5 import check_self_contained
from glacier_qgis.models.radar.formats.radargram import Floats, damaged

HEADER, TAG = 128, 8
"""Bytes of the header of version 5, and of the type and length before each variable."""
_DAMAGE = (
    *(MatReadError, zlib.error, OSError, KeyError, RuntimeError),
    *(ValueError, TypeError, NotImplementedError, EOFError),
)
_BYTES = {"double": 8, "single": 4, "int64": 8, "uint64": 8, "int32": 4, "uint32": 4}


@dataclass(frozen=True)
class MatFile:
    """The variables of a MATLAB file, whichever version it has.

    Attributes:
        path: The file.
        shown: Its name for messages.
        shapes: Of each variable, in MATLAB's order of dimensions.
        classes: Of each variable, MATLAB's name of its type.
        hdf5: The open file of version 7.3; None for version 5.
    """

    path: Path
    shown: str
    shapes: dict[str, tuple[int, ...]]
    classes: dict[str, str]
    hdf5: h5py.File | None

    def __contains__(self, name: str) -> bool:
        """Whether there is a variable of this name."""
        return name in self.shapes

    def array(self, name: str) -> NDArray[Any]:
        """Read a variable, in MATLAB's order of dimensions.

        Raises:
            EngineError: It is too large, or the file is damaged.
        """
        size = float(np.prod(self.shapes[name])) * _BYTES.get(self.classes[name], 2)
        require_memory(2 * size, f"{self.shown}: {name}", "Save the file as version 7.3")
        try:
            if self.hdf5 is None:
                return np.asarray(io.loadmat(self.path, variable_names=[name])[name])
            return _complex(self.hdf5[name][()]).T
        except _DAMAGE as error:
            raise damaged(self.shown, error) from error

    def numbers(self, *names: str) -> Floats | None:
        """Read the first of some variables that is there, flat; None if none is, or it is empty."""
        for name in names:
            if name in self and np.prod(self.shapes[name]) > 0:
                values = self.array(name)
                if np.issubdtype(values.dtype, np.number):
                    return np.asarray(values.ravel().real, np.float64)
        return None

    def traces_of(self, name: str, first: int, last: int, along: int) -> NDArray[Any]:
        """Read a range of a matrix of version 7.3 along one of MATLAB's dimensions.

        Returns:
            Shape (samples, traces).
        """
        if self.hdf5 is None:
            raise ValueError("a file of version 5 is read whole")
        try:
            stored = self.hdf5[name]  # its dimensions are MATLAB's in reverse order
            part = stored[first:last].T if along == 1 else stored[:, first:last]
        except _DAMAGE as error:
            raise damaged(self.shown, error) from error
        return _complex(part)


@contextmanager
def open_mat(path: Path, shown: str) -> Iterator[MatFile]:
    """Open a MATLAB file.

    Raises:
        EngineError: It is none, or damaged.
    """
    if not h5py.is_hdf5(path):
        try:
            listed = io.whosmat(path)
        except _DAMAGE as error:
            raise EngineError(
                f"{shown} cannot be read as a MATLAB file ({error}). It is damaged or of another "
                "format: copy or download it again."
            ) from error
        if _ends_early(path):
            raise damaged(shown, "it ends within a variable")
        yield MatFile(
            path,
            shown,
            {name: shape for name, shape, _ in listed},
            {name: kind for name, _, kind in listed},
            None,
        )
        return
    check_self_contained(path, shown)
    with h5py.File(path) as file:
        sets = {name: item for name, item in file.items() if isinstance(item, h5py.Dataset)}
        classes = {name: _class(item) for name, item in sets.items()}
        shapes = {name: _shape(item) for name, item in sets.items()}
        groups = {name: (1, 1) for name, item in file.items() if isinstance(item, h5py.Group)}
        yield MatFile(path, shown, shapes | groups, classes | dict.fromkeys(groups, "struct"), file)


def _ends_early(path: Path) -> bool:
    """Whether a file of version 5 is shorter than its variables say: SciPy lists them anyway."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEADER)
        order: Literal["<", ">"] = "<" if head[-2:] == b"IM" else ">"
        end = HEADER
        while end + TAG <= size:
            file.seek(end)
            _, length = struct.unpack(f"{order}2I", file.read(TAG))
            end += TAG + length
    return end > size


def _class(item: h5py.Dataset) -> str:
    name = item.attrs.get("MATLAB_class", b"double")
    return name.decode() if isinstance(name, bytes) else str(name)


def _shape(item: h5py.Dataset) -> tuple[int, ...]:
    if item.attrs.get("MATLAB_empty", 0):
        return (0, 0)  # MATLAB stores the dimensions of an empty matrix as its values
    return tuple(item.shape[::-1])


def _complex(values: NDArray[Any]) -> NDArray[Any]:
    """Return complex numbers for MATLAB's pairs of parts; other values as they are."""
    if values.dtype.names and {"real", "imag"} <= set(values.dtype.names):
        return np.asarray(values["real"] + 1j * values["imag"])
    return values
