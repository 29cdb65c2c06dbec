"""Weights in half precision, which take half the room in the plugin's zip.

They are read back into float32, in which all networks compute. `benchmarks/half_precision.py`
shows how far lines move for it.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def in_half(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state dictionary whose kernels are float16; all else stays as it is.

    The vectors, of biases and normalisations, are few, and moving statistics may leave the range
    of float16.
    """
    return {
        name: value.to(torch.float16) if value.is_floating_point() and value.ndim > 1 else value
        for name, value in state.items()
    }
