"""The shallow-ice approximation: all of the driving stress is carried by the bed below.

Hutter (1983), Theoretical Glaciology; with Glen's law (n = 3) and Weertman sliding it is a formula.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.instructors.solution import Solution, ice_slopes
from glacier_qgis.models.iceflow.physics import GLEN, KILOMETRE, WEERTMAN, WEIGHT

LEAST, MOST = 0.05, 50.0
"""Of kh, between which :func:`relaxation` can be computed; it is 1 to a thousandth below."""


def shallow_ice(
    thickness: Tensor,
    surface: Tensor,
    cell_size: float,
    rate_factor: float | Tensor,
    sliding: float | Tensor,
) -> Solution:
    """Return the velocity of shallow ice.

    With τ = −ρg h ∇s, deformation is 2A/(n+1) h |τ|ⁿ⁻¹ τ at the surface and 2A/(n+2) h |τ|ⁿ⁻¹ τ in
    the mean over depth, and sliding is c |τ|ᵐ⁻¹ τ.

    Args:
        thickness: h in m, (rows, columns), north-up.
        surface: s in m.
        cell_size: Δ in m.
        rate_factor: A of Glen's law in MPa⁻³ a⁻¹, one or of each cell.
        sliding: c of Weertman's law u_b = c τ_b³ in km MPa⁻³ a⁻¹, one or of each cell; 0 where
            the ice does not slide.
    """
    stress = -WEIGHT * thickness * ice_slopes(thickness, surface, cell_size)
    squared = stress.square().sum(dim=0)
    deformation = 2 * rate_factor * thickness * squared ** ((GLEN - 1) / 2) * stress
    ice = thickness > 0
    base = torch.where(ice, sliding * KILOMETRE * squared ** ((WEERTMAN - 1) / 2) * stress, 0.0)
    return Solution(
        mean=base + deformation / (GLEN + 2), base=base, surface=base + deformation / (GLEN + 1)
    )


def diffusivity(
    thickness: Tensor,
    surface: Tensor,
    cell_size: float,
    rate_factor: float | Tensor,
    sliding: float | Tensor,
) -> Tensor:
    """Return D of shallow ice in m² a⁻¹, (rows, columns), whose flux ū h is −D ∇s.

    Arguments are those of :func:`shallow_ice`.
    """
    squared = ice_slopes(thickness, surface, cell_size).square().sum(dim=0)
    return spread(thickness, squared, rate_factor, sliding)


def spread(
    thickness: Tensor, squared: Tensor, rate_factor: float | Tensor, sliding: float | Tensor
) -> Tensor:
    """Return D of shallow ice in m² a⁻¹ from the square of its slope; see :func:`diffusivity`."""
    deformation = 2 * rate_factor / (GLEN + 2) * thickness
    return (deformation + sliding * KILOMETRE) * WEIGHT**GLEN * thickness**4 * squared


def relaxation(thickness: Tensor, cell_size: float) -> Tensor:
    """Return how fast a bump of four cells relaxes with all stresses, relative to shallow ice.

    For a linear-viscous layer on a rigid bed it is 3/(2 q³) (sinh 2q − 2q)/(cosh 2q + 1 + 2q²) with
    q = kh (Turcotte and Schubert 2014, Geodynamics, chapter 6): 1 for thin ice, 3/(2 q³) for thick.
    Bumps of four cells are those that a grid moves fastest, as slopes span two cells.
    """
    q = (math.pi / 2 * thickness / cell_size).clamp(LEAST, MOST)
    exact = 1.5 / q**3 * (torch.sinh(2 * q) - 2 * q) / (torch.cosh(2 * q) + 1 + 2 * q.square())
    return torch.where(q > LEAST, exact, 1.0)
