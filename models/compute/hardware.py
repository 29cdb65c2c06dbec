"""What computed a result, and for how long, in words."""

from __future__ import annotations

import os
import platform

import torch


def hardware(device: torch.device, dtype: torch.dtype | None) -> dict[str, str]:
    """Return the device of a computation, in words."""
    name = platform.processor() or platform.machine()
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    threads = f", {torch.get_num_threads()} of {os.cpu_count()} threads"
    return {
        "Device": f"{device.type}: {name}{threads if device.type == 'cpu' else ''}",
        "Precision": "float32" if dtype is None else f"{dtype}".removeprefix("torch.") + ", mixed",
        "PyTorch": torch.__version__,
    }


def duration(seconds: float) -> str:
    """Return a duration as readable text."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
