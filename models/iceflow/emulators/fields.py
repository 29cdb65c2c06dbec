"""Input fields of networks from the state of a glacier."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from glacier_qgis.models.compute.precision import widest
from glacier_qgis.models.iceflow.emulators.card import FlowCoefficient
from glacier_qgis.models.networks.halving import blurred

REFERENCE_SPEED = 100.0
"""Sliding speed, m a⁻¹, at the basal shear stress tau_ref."""


def slopes(surface: Tensor, cell_size: float) -> tuple[Tensor, Tensor]:
    """Return ∂s/∂x (eastwards) and ∂s/∂y (northwards) of a north-up surface.

    Central differences; the surface is extrapolated linearly beyond the edges.
    """
    rows, columns = surface.shape[-2:]
    padded = pad(surface.reshape(-1, 1, rows, columns), (1, 1, 1, 1), mode="replicate")
    padded = padded.reshape(*surface.shape[:-2], rows + 2, columns + 2)
    padded[..., 0] = 2 * padded[..., 1] - padded[..., 2]
    padded[..., -1] = 2 * padded[..., -2] - padded[..., -3]
    padded[..., 0, :] = 2 * padded[..., 1, :] - padded[..., 2, :]
    padded[..., -1, :] = 2 * padded[..., -2, :] - padded[..., -3, :]
    east = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / (2 * cell_size)
    north = (padded[..., :-2, 1:-1] - padded[..., 2:, 1:-1]) / (2 * cell_size)
    return east, north


def walled(thickness: Tensor, surface: Tensor) -> Tensor:
    """Return the surface with rock above the ice lowered to the ice, (rows, columns).

    Valley walls must not count as slopes of the ice: a cell without ice that is higher than the
    adjacent ice gets the mean surface of that ice.
    """
    ice = (thickness > 0).to(surface)
    level = torch.where(ice > 0, surface, 0.0)
    share, total = blurred(torch.stack([ice, level]))
    beside = total / share.clamp(min=1 / 9)
    return torch.where((ice == 0) & (share > 0), torch.minimum(surface, beside), surface)


def at_least(value: FlowCoefficient, least: float) -> FlowCoefficient:
    """Return a coefficient raised to the least value."""
    return value.clamp(min=least) if isinstance(value, Tensor) else max(value, least)


def friction(sliding: FlowCoefficient) -> FlowCoefficient:
    """Return the stress, MPa, at which ice slides by 1 m a⁻¹ under u_b = c τ_b³.

    Args:
        sliding: c in km MPa⁻³ a⁻¹; 0, no sliding, gives infinity.
    """
    if isinstance(sliding, Tensor):
        return (1000 * sliding.to(widest(sliding.device))) ** (-1 / 3)
    return math.inf if sliding == 0 else 1 / math.cbrt(1000 * sliding)


def reference_stress(sliding: FlowCoefficient) -> FlowCoefficient:
    """Return the stress, MPa, at which ice slides by 100 m a⁻¹ under u_b = c τ_b³."""
    return friction(sliding) * math.cbrt(REFERENCE_SPEED)


def sliding_of(stress: float) -> float:
    """Return c, km MPa⁻³ a⁻¹, from the `reference_stress` (MPa)."""
    return REFERENCE_SPEED / (1000 * stress**3)


def stack_fields(
    names: Sequence[str],
    thickness: Tensor,
    surface: Tensor,
    cell_size: float,
    coefficients: Mapping[str, FlowCoefficient],
) -> Tensor:
    """Stack named fields in their units: (glacier, field, row, column).

    Args:
        names: fields, in order.
        thickness: h in m, north-up, (glacier, row, column).
        surface: s in m.
        cell_size: in m.
        coefficients: the other values, uniform or (…, row, column).
    """
    east, north = slopes(surface, cell_size)
    fields: dict[str, FlowCoefficient] = {
        "thk": thickness,
        "usurf": surface,
        "slopsurfx": east,
        "slopsurfy": north,
        "dX": cell_size,
        **coefficients,
    }
    return torch.stack([_spread(fields[name], thickness) for name in names], dim=1)


def _spread(value: FlowCoefficient, like: Tensor) -> Tensor:
    """Return a field of that shape and type."""
    if isinstance(value, Tensor):
        return value.to(like).expand_as(like)
    return torch.full_like(like, value)
