"""Vertical modes of the velocity over the thickness of the ice.

The horizontal velocity is u(x, y, ζ) = Σ Uₖ(x, y) φₖ(ζ), with ζ = 0 at the bed and 1 at the
surface. φ₀ = 1 is sliding; all others vanish at the bed. With w = 1 - ζ, the second mode
1 - w⁴ is the profile of the shallow-ice approximation for n = 3 (two modes are the MOLHO model
of Dias dos Santos et al. 2022, doi 10.5194/tc-16-179-2022); further powers of w complete them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.polynomial import Polynomial
from torch import Tensor

POWERS = (4, 2, 6, 3, 1, 5)
"""Powers of w behind the modes after sliding, in the order in which they are added."""
MOST_MODES = 1 + len(POWERS)
DEPTH = Polynomial([1, -1])
"""w as a polynomial of ζ."""


@dataclass(frozen=True)
class Column:
    """Modes at the points and with the weights of Gauss-Legendre quadrature over ζ.

    Attributes:
        heights: ζ of each point, (points,).
        weights: of each point, (points,); their sum is 1.
        values: φₖ, (modes, points).
        slopes: dφₖ/dζ, (modes, points).
        means: ∫φₖ dζ, (modes,).
        surface: φₖ(1), (modes,).
    """

    heights: Tensor
    weights: Tensor
    values: Tensor
    slopes: Tensor
    means: Tensor
    surface: Tensor

    @property
    def modes(self) -> int:
        """Number of modes, sliding included."""
        return int(self.values.shape[0])


def column(modes: int, device: torch.device | None = None) -> Column:
    """Return the first `modes` modes, made orthonormal in ∫φ'φ' dζ for a good condition.

    Raises:
        ValueError: `modes` is not between 1 (sliding alone) and `MOST_MODES`.
    """
    if not 1 <= modes <= MOST_MODES:
        raise ValueError(f"There are 1 to {MOST_MODES} modes, not {modes}.")
    points, weights = np.polynomial.legendre.leggauss(2 * modes + 3)
    heights = (points + 1) / 2
    shapes = _modes(modes)

    def tensor(values: object) -> Tensor:
        return torch.as_tensor(np.asarray(values, dtype=float), device=device)

    return Column(
        heights=tensor(heights),
        weights=tensor(weights / 2),
        values=tensor([shape(heights) for shape in shapes]),
        slopes=tensor([shape.deriv()(heights) for shape in shapes]),
        means=tensor([_integral(shape) for shape in shapes]),
        surface=tensor([shape(1.0) for shape in shapes]),
    )


def as_modes(levels: Tensor, vertical: Column) -> Tensor:
    """Return the three modes, (3, 2, rows, columns), of velocities at bed, mean, surface, alike."""
    base, *above = levels.unbind()
    ends = torch.stack([vertical.means[1:], vertical.surface[1:]]).to(levels)
    deforming = torch.stack(above) - base
    others = torch.einsum("kl,lcyx->kcyx", torch.linalg.inv(ends), deforming)
    return torch.cat([base[None], others])


def _modes(count: int) -> list[Polynomial]:
    """Return φₖ as polynomials of ζ (Gram-Schmidt from the second on)."""
    shapes = [Polynomial([1.0])]
    for power in POWERS[: count - 1]:
        shape = 1 - DEPTH**power
        for other in shapes[1:]:
            shape = shape - _integral(shape.deriv() * other.deriv()) * other
        shapes.append(shape / np.sqrt(_integral(shape.deriv() ** 2)))
    return shapes


def _integral(polynomial: Polynomial) -> float:
    """Return the integral from 0 to 1."""
    return float(polynomial.integ()(1.0) - polynomial.integ()(0.0))
