"""Strain rates of Blatter-Pattyn ice and the quadratic form that measures them."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Strain(NamedTuple):
    """Strain rates at the points of the elements, each (elements, points).

    The effective strain rate is ε_e² = eᵀQe = u_x² + v_y² + u_x v_y + ¼ (u_y + v_x)² + ¼ u_z² +
    ¼ v_z² (Blatter 1995, J. Glaciol. 41, 333-344).

    Attributes:
        ux: ∂u/∂x.
        vy: ∂v/∂y.
        xy: ∂u/∂y + ∂v/∂x.
        uz: ∂u/∂z.
        vz: ∂v/∂z.
    """

    ux: Tensor
    vy: Tensor
    xy: Tensor
    uz: Tensor
    vz: Tensor

    @property
    def conjugate(self) -> Strain:
        """Qe, half the derivative of ε_e²: the direction of the stress."""
        ux, vy, xy, uz, vz = self
        return Strain(ux + vy / 2, vy + ux / 2, xy / 4, uz / 4, vz / 4)

    @property
    def squared(self) -> Tensor:
        """ε_e², (elements, points)."""
        return self.dot(self.conjugate)

    @property
    def length_as_stress(self) -> Tensor:
        """√(pᵀQ⁻¹p), in which p = Qe is as long as e is: ε_e."""
        ux, vy, xy, uz, vz = self
        normal = (ux.square() + vy.square() - ux * vy) * (4 / 3)
        return (normal + 4 * (xy.square() + uz.square() + vz.square())).sqrt()

    def dot(self, other: Strain) -> Tensor:
        """Return the sum of the products of all entries, (elements, points)."""
        ux, vy, xy, uz, vz = (mine * its for mine, its in zip(self, other, strict=True))
        return ux + vy + xy + uz + vz

    def scaled(self, factor: Tensor | float) -> Strain:
        """Return all entries times a factor."""
        return Strain(*(entry * factor for entry in self))

    def plus(self, other: Strain) -> Strain:
        """Return the sum with another."""
        return Strain(*(mine + its for mine, its in zip(self, other, strict=True)))

    def part(self, rows: slice) -> Strain:
        """Return those of some elements."""
        return Strain(*(entry[rows] for entry in self))
