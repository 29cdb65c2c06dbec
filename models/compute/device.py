"""The device that computes, and its settings."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import TYPE_CHECKING, Literal

from glacier_qgis.models.engine.errors import EngineError

if TYPE_CHECKING:
    import torch

DeviceName = Literal["automatic", "cpu", "gpu"]

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEEP_BYTES = 1 << 30


def tune_allocator() -> None:
    """Let glibc keep freed memory instead of unmapping it.

    Convolutions allocate and free the same large blocks at every step. Returning them to the kernel
    each time takes more than half of the run time of a small network.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _KEEP_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEEP_BYTES)


SPINS = "50000"
"""Rounds that a GNU OpenMP thread spins before it sleeps; some tens of microseconds."""


def rest_idle_threads() -> None:
    """Let waiting threads sleep soon; call this before torch is imported.

    OpenMP's threads synchronise after every operation of a network. Where other work shares the
    cores, a spinning thread stops the thread it waits for from running, and a small network takes
    many times as long. A thread that sleeps at once is slow to wake on idle cores.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)


def choose_device(name: DeviceName, *, double: bool = False) -> torch.device:
    """Return the device to compute on.

    Args:
        name: What was requested.
        double: Whether double precision is needed, which Apple's GPUs do not have.

    Raises:
        EngineError: A GPU was requested, and torch finds none, or none for double precision.
    """
    import torch

    from glacier_qgis.models.compute.precision import SINGLE

    gpu = None
    if torch.cuda.is_available():
        gpu = torch.device("cuda")
    elif torch.backends.mps.is_available():
        gpu = torch.device("mps")
    if name == "gpu" and gpu is None:
        raise EngineError(
            "DEVICE is GPU, but torch finds none. Choose 'automatic' or 'CPU', or run "
            "'Set up engine' with CUDA on a machine with an NVIDIA graphics card."
        )
    if double and gpu is not None and gpu.type in SINGLE:
        if name == "gpu":
            raise EngineError(
                "DEVICE is GPU, but stresses in ice are computed in double precision, which "
                "Apple's GPUs do not have. Choose 'automatic' or 'CPU'."
            )
        gpu = None
    return torch.device("cpu") if gpu is None or name == "cpu" else gpu
