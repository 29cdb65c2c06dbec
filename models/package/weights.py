"""Files of weights: safetensors, whole or compact.

In a compact file a kernel is its float16 and, under ``NAME.rest``, an int8: what float16 rounds
away, in 256ths of the spacing of float16 there. These 24 bits tell a weight to 2⁻¹⁸ of itself.
Half precision alone moves lines by more than a cell (`benchmarks/half_precision.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

REST = ".rest"
_LARGEST = torch.finfo(torch.float16).max
_LOWEST_EXPONENT = -13
"""Of `frexp`, for the smallest normal number of float16; those below are spaced as it is."""
_TO_STEP = -19
"""From the exponent of `frexp` to that of a 256th of the spacing of float16."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the state dictionary in a file, kernels in float32 if it is compact.

    Raises:
        SafetensorError: It is no such file.
        RuntimeError: A remainder belongs to no kernel.
    """
    stored = load_file(path)
    rests = {name.removesuffix(REST): value for name, value in stored.items() if _is_rest(name)}
    state = {name: value for name, value in stored.items() if not _is_rest(name)}
    for name, rest in rests.items():
        half = state.get(name)
        if half is None or half.dtype != torch.float16 or half.shape != rest.shape:
            raise RuntimeError(f"{name}{REST} belongs to no kernel in half precision")
        state[name] = half.float() + torch.ldexp(rest.float(), _step(half))
    return state


def compact(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what a compact file of a state dictionary holds; twice is as once.

    Vectors, of biases and normalisations, stay as they are: they are few.
    """
    stored = {}
    for name, value in state.items():
        stored[name] = value
        if value.dtype == torch.float32 and value.ndim > 1 and value.abs().max() < _LARGEST:
            half = value.to(torch.float16)
            rest = torch.ldexp(value - half.float(), -_step(half)).round().clamp(-127, 127)
            stored[name], stored[name + REST] = half, rest.to(torch.int8)
    return stored


def _is_rest(name: str) -> bool:
    return name.endswith(REST)


def _step(half: Tensor) -> Tensor:
    """Return the binary exponent of what one unit of the remainder is worth."""
    exponent = torch.frexp(half.float()).exponent
    exponent = torch.where(half == 0, _LOWEST_EXPONENT, exponent)
    return exponent.clamp(min=_LOWEST_EXPONENT) + _TO_STEP
