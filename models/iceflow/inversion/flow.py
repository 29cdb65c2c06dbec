"""Velocity of ice as a differentiable function of thickness and sliding.

Shallow ice with the slope of the coupling length, times factors that make it equal to an emulator
or an instructor at the thickness of the last outer iteration (space mapping: Bandler et al. 2004,
doi 10.1109/TMTT.2003.820904). The factors stand for what shallow ice lacks: drag of the valley's
walls and longitudinal stresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.dynamics.transport import divergence, edge_velocity, upwind
from glacier_qgis.models.iceflow.inversion.place import Place
from glacier_qgis.models.iceflow.physics import GLEN, KILOMETRE, WEIGHT


class Speeds(NamedTuple):
    """Speeds in m a⁻¹, (rows, columns)."""

    mean: Tensor
    surface: Tensor


@dataclass(frozen=True)
class Correction:
    """What turns the speeds of shallow ice into those of a better model.

    Attributes:
        mean: factor of the depth-averaged speed.
        surface: factor of the speed at the surface.
        heading: unit vector of the flow, (2, rows, columns).
    """

    mean: Tensor
    surface: Tensor
    heading: Tensor

    @classmethod
    def none(cls, place: Place) -> Correction:
        """Return that of shallow ice itself."""
        one = torch.ones_like(place.slope)
        return cls(one, one, place.heading)


def shallow(place: Place, thickness: Tensor, sliding: Tensor, rate_factor: Tensor) -> Speeds:
    """Return the speeds of shallow ice.

    Args:
        place: the glacier.
        thickness: h, m.
        sliding: c, km MPa⁻³ a⁻¹.
        rate_factor: A, MPa⁻³ a⁻¹.
    """
    cubed = (WEIGHT * thickness * place.slope) ** GLEN
    bed = sliding * KILOMETRE * cubed
    deformed = 2 * rate_factor * thickness * cubed
    return Speeds(bed + deformed / (GLEN + 2), bed + deformed / (GLEN + 1))


def corrected(
    place: Place, correction: Correction, thickness: Tensor, sliding: Tensor, rate_factor: Tensor
) -> Speeds:
    """Return the speeds of :func:`shallow`, corrected."""
    mean, top = shallow(place, thickness, sliding, rate_factor)
    return Speeds(mean * correction.mean, top * correction.surface)


def spreading(place: Place, correction: Correction, thickness: Tensor, speed: Tensor) -> Tensor:
    """Return ∇·(ū h), m a⁻¹, with the fluxes of a simulation's first step."""
    u, v = correction.heading * speed
    fluxes = upwind(thickness, edge_velocity(u, v), thickness.new_zeros(()), place.cell_size)
    return divergence(fluxes, place.cell_size)
