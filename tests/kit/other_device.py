"""A device that is no CPU, made of a CPU's memory.

Torch's `meta` device, whose tensors hold numbers here. As with a graphics card, an operation on
tensors of two devices fails, and so does `numpy`; a device like Apple's refuses double precision.
So tests run the code of a graphics card on machines without one.
"""
# ruff: noqa: ANN401  operations are of any kind

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves, tree_map

from glacier_qgis.models.compute import precision

OTHER = torch.device("meta")
CPU = torch.device("cpu")
MIXING = {
    "_to_copy",
    "copy_",
    "index",
    "_unsafe_index",
    "index_put",
    "index_put_",
    "index_put_impl",
}
"""Operations that take tensors of two devices: copies, and indices on the CPU."""


class Away(Tensor):
    """A tensor on the other device.

    Attributes:
        numbers: on the CPU.
    """

    numbers: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls: type[Away], numbers: Tensor) -> Away:
        away: Away = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            numbers.size(),
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            device=OTHER,
        )
        away.numbers = numbers
        return away

    def __repr__(self) -> str:  # type: ignore[override]
        return f"Away({self.numbers})"

    @classmethod
    def __torch_dispatch__(
        cls, operation: Any, types: Any, given: Any = (), named: Any = None
    ) -> Any:
        return _computed(operation, given, named or {})


class _Numbers(TorchFunctionMode):
    """Sees functions that make tensors of Python's numbers, which `meta` leaves without any."""

    def __torch_function__(
        self, function: Any, types: Any, given: Any = (), named: Any = None
    ) -> Any:
        named = dict(named or {})
        if function is Tensor.__getitem__:
            return function(given[0], _tensors(given[1]))
        if function not in (torch.tensor, torch.as_tensor, Tensor.new_tensor):
            return function(*given, **named)
        like = given[0] if function is Tensor.new_tensor else None
        values = given[0] if like is None else given[1]
        if isinstance(values, Tensor):
            return values.to(named.get("device"), named.get("dtype"))
        if like is not None:
            named = {"device": like.device, "dtype": like.dtype, **named}
        device = named.pop("device", None) or CPU
        return torch.tensor(values, **named).to(device)


def _tensors(index: Any) -> Any:
    """Return an index with its lists as tensors on the CPU."""
    if isinstance(index, tuple):
        return tuple(map(_tensors, index))
    return torch.tensor(index) if isinstance(index, list) else index


class _Factories(TorchDispatchMode):
    """Sees operations that make tensors on a named device."""

    def __torch_dispatch__(
        self, operation: Any, types: Any, given: Any = (), named: Any = None
    ) -> Any:
        return _computed(operation, given, named or {})


def _computed(operation: Any, given: Any, named: dict[str, Any]) -> Any:
    name = operation._schema.name.partition("::")[2]
    tensors = [one for one in tree_leaves((given, named)) if isinstance(one, Tensor)]
    away = any(isinstance(one, Away) for one in tensors)
    if away and name not in MIXING:
        here = [one for one in tensors if not isinstance(one, Away) and one.dim()]
        assert not here, f"{name}: tensors on two devices"
    target = torch.device(named["device"]) if named.get("device") is not None else None
    inner, more = tree_map(lambda one: getattr(one, "numbers", one), (given, named))
    if target is not None:
        more["device"] = CPU
    with _disable_current_modes():
        found = operation(*inner, **more)
    if "out" in named:
        return named["out"]
    if not operation._schema.returns:
        return None
    if name.endswith("_"):
        return given[0]
    there = away if target is None else target.type == OTHER.type
    if name in MIXING and target is None:
        there = isinstance(given[0], Away)
    return tree_map(_sent, found) if there else found


def _sent(found: Any) -> Any:
    if not isinstance(found, Tensor):
        return found
    if found.dtype == torch.float64 and OTHER.type in precision.SINGLE:
        raise TypeError("this device has no double precision")
    return Away(found)


def _entered(mode: Any) -> None:
    """Let inference have no gradients: its tensors cannot be wrapped."""
    mode.off = torch.set_grad_enabled(torch.is_grad_enabled() and not mode.mode)
    mode.off.__enter__()


@contextmanager
def other_device(patch: pytest.MonkeyPatch, *, double: bool = True) -> Iterator[torch.device]:
    """Give jobs a device beside the CPU, and functions a device to compute on.

    Args:
        patch: of the test.
        double: whether the device has double precision.
    """
    if not double:
        patch.setattr(precision, "SINGLE", (*precision.SINGLE, OTHER.type))

    def chosen(name: str, *, double: bool = False) -> torch.device:
        lacking = double and OTHER.type in precision.SINGLE
        return CPU if lacking or name == "cpu" else OTHER

    for name, module in list(sys.modules.items()):
        if name.startswith("glacier_qgis.models") and hasattr(module, "choose_device"):
            patch.setattr(module, "choose_device", chosen)
    mode = torch.inference_mode
    patch.setattr(mode, "__enter__", lambda self: _entered(self))
    patch.setattr(mode, "__exit__", lambda self, *error: self.off.__exit__(*error))
    kept = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        warnings.filterwarnings("ignore", ".*copying from a non-meta parameter")
        with _Factories(), _Numbers():
            yield OTHER
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(kept)
