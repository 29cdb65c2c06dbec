"""Which processor computes, and how it is set up."""

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

    Convolutions allocate and free the same large blocks at every step; giving them back to
    the kernel each time costs more than half of the run time of a small network.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _KEEP_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEEP_BYTES)


SPINS = "50000"
"""Rounds, some tens of microseconds, that a thread of GNU OpenMP spins before it sleeps."""


def rest_idle_threads() -> None:
    """Let threads that wait for others sleep soon; call it before torch is imported.

    OpenMP's threads meet after every operation of a network. Where other work shares the
    cores, one that spins keeps the one that it waits for from running, and a small network
    takes many times as long; one that sleeps at once is slow to wake where nothing else runs.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)


def choose_device(name: DeviceName) -> torch.device:
    """Return the device to compute on.

    Raises:
        EngineError: A GPU was asked for and there is none that torch can use.
    """
    import torch

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
    return torch.device("cpu") if gpu is None or name == "cpu" else gpu
