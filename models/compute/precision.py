"""Precision of computations, as far as the device decides it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

BFLOAT16_UNITS = ("avx512_bf16", "amx_bf16")
"""Processor flags of instructions that multiply bfloat16; without them it is emulated and slower
than float32."""
SINGLE = ("mps",)
"""Kinds of devices without double precision."""


def reduced_precision(device: torch.device) -> torch.dtype | None:
    """Return bfloat16 where the device computes with it in hardware, else None.

    The result depends only on the device, never on a timing, so that a resumed run computes as it
    began. Gradients keep their range in bfloat16 and need no scaling.
    """
    match device.type:
        case "cuda":
            supported = torch.cuda.is_bf16_supported(including_emulation=False)
        case "cpu":
            capabilities = torch.cpu.get_capabilities()
            supported = any(capabilities.get(unit) for unit in BFLOAT16_UNITS)
        case _:
            supported = False
    return torch.bfloat16 if supported else None


def widest(device: torch.device) -> torch.dtype:
    """Return float64, or float32 where the device has none."""
    return torch.float32 if device.type in SINGLE else torch.float64


def full_float32() -> AbstractContextManager[None]:
    """Return a context in which NVIDIA GPUs do not round float32 to the 19 bits of TF32."""
    flags: AbstractContextManager[None] = torch.backends.cudnn.flags(
        enabled=True, benchmark=True, allow_tf32=False
    )
    return flags


def mixed(device: torch.device, dtype: torch.dtype | None) -> AbstractContextManager[None]:
    """Return a context in which convolutions compute in `dtype`; None changes nothing."""
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype)
