"""Networks built as a card names them, within bounds: a card may come from anybody."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from pydantic import JsonValue
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.networks.hed import HED
from glacier_qgis.models.networks.hrnet import HRNet
from glacier_qgis.models.networks.unet import UNet
from glacier_qgis.models.package.card import Architecture

ARCHITECTURES: dict[str, type[nn.Module]] = {"unet": UNet, "hrnet": HRNet, "hed": HED}
MAX_SIZE = 1024
"""Largest number among the parameters of a network; more channels or levels are an attack."""
MAX_NUMBERS = 256
"""Largest count of numbers that describe a network."""
MAX_PARTS = 5_000
"""Largest number of layers, including groups of layers; HRNet has 300."""
MAX_STRIDE = 256
"""Largest input of a network, cells per side."""
MAX_PARAMETERS = 1 << 28
"""Largest number of weights, fifty times those of the largest network here; more are an attack."""


def build(architecture: Architecture) -> nn.Module:
    """Build the network that a card names, with random weights.

    Raises:
        EngineError: This version does not support it, or not with these parameters.
    """
    if architecture.name not in ARCHITECTURES:
        raise EngineError(
            f"The model needs the network {architecture.name!r}; this version has "
            f"{', '.join(ARCHITECTURES)}. Update the plugin or choose another model."
        )
    sizes = [value for value in _flat(architecture.parameters) if isinstance(value, int | float)]
    if len(sizes) > MAX_NUMBERS:
        raise EngineError(
            f"The network {architecture.name!r} has {len(sizes)} parameters, more than the limit "
            f"of {MAX_NUMBERS}. Do not use the package."
        )
    if any(abs(size) > MAX_SIZE for size in sizes):
        raise EngineError(
            f"The network {architecture.name!r} has a size of {max(sizes):g}, more than the limit "
            f"of {MAX_SIZE}. Do not use the package."
        )
    kind = ARCHITECTURES[architecture.name]
    try:
        with torch.device("meta"), _few_parts():  # where weights need no memory
            plan = kind(**architecture.parameters)
        weights = sum(parameter.numel() for parameter in plan.parameters())
        stride = int(getattr(plan, "stride", 1))
        if weights <= MAX_PARAMETERS and stride <= MAX_STRIDE:
            return kind(**architecture.parameters)
    except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise EngineError(
            f"The network {architecture.name!r} cannot be built with {architecture.parameters}: "
            f"{error}. Get the package again."
        ) from error
    raise EngineError(
        f"The network {architecture.name!r} has {weights:.3g} weights and an input of at least "
        f"{stride:.3g} cells per side, more than allowed. Do not use the package."
    )


@contextmanager
def _few_parts() -> Iterator[None]:
    """Limit a network to `MAX_PARTS` layers while it is built.

    Raises:
        ValueError: It has more.
    """
    count = itertools.count(1)

    def limit(*_: object) -> None:
        if next(count) > MAX_PARTS:
            raise ValueError(f"more than {MAX_PARTS} layers")

    hook = register_module_module_registration_hook(limit)
    try:
        yield
    finally:
        hook.remove()


def _flat(value: JsonValue) -> Iterator[JsonValue]:
    """Yield the values of nested lists and dictionaries."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _flat(part)
    else:
        yield value
