"""How long a time step may be for ice that an emulator moves and that spreads by diffusion.

Where cells are large against the thickness, flow depends on the slope of each place, so that
thickness diffuses, and an explicit step is limited by Δx²/D as well as by the speed. An emulator
gives the flux at one slope only. D is taken from that flux, which is −D ∇s, and not larger than
shallow ice without sliding has it: where longitudinal stresses drive the ice, its flux says little
of the local slope.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.card import FlowParameters
from glacier_qgis.models.iceflow.instructors.instructor import DIFFUSIVE_SHARE
from glacier_qgis.models.iceflow.instructors.shallow_ice import relaxation, spread
from glacier_qgis.models.iceflow.instructors.solution import ice_slopes

FLAT = 1e-6
"""Slope below which a flux has no diffusivity."""


def spreading_step(
    thickness: Tensor, surface: Tensor, speed: Tensor, parameters: FlowParameters
) -> float:
    """Return the longest time step, a.

    Args:
        thickness: h in m, (rows, columns), north-up.
        surface: s in m.
        speed: of the mean over depth, m a⁻¹.
        parameters: cell size and coefficients.
    """
    ice = thickness > 0
    cell_size, softness, _ = parameters
    squared = ice_slopes(thickness, surface, cell_size).square().sum(dim=0)[ice]
    h = thickness[ice]
    if not len(h):
        return math.inf
    a = softness[ice] if isinstance(softness, Tensor) else softness
    own = speed[ice] * h / squared.sqrt().clamp(min=FLAT)
    shallow = spread(h, squared, a, 0.0)
    most = float((torch.minimum(own, shallow) * relaxation(h, cell_size)).max())
    return DIFFUSIVE_SHARE * cell_size**2 / most if most else math.inf
