"""What is known of a glacier besides its surface, on the cells of its grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Samples:
    """Observations of one kind, one per cell that has any.

    Attributes:
        where: cells with an observation, (rows, columns).
        values: of these cells, in the order of rows: m or m a⁻¹.
        errors: standard deviations of the values.
        independent: share of each that is independent of the others.
    """

    where: Tensor
    values: Tensor
    errors: Tensor
    independent: Tensor

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.values)

    def residuals(self, field: Tensor, model_error: float = 0.0) -> Tensor:
        """Return the misfit of a field in units of errors, weighted to independent observations.

        Args:
            field: of the model, (rows, columns).
            model_error: of the model as a share of the observation.
        """
        return self.misfits(field, model_error) * self.independent.sqrt()

    def misfits(self, field: Tensor, model_error: float = 0.0) -> Tensor:
        """Return the misfit in each cell in units of errors."""
        spread = torch.hypot(self.errors, model_error * self.values)
        return (field[self.where] - self.values) / spread

    def only(self, kept: Tensor) -> Samples:
        """Return some of them; `kept` is True for those, in the order of `values`."""
        where = self.where.clone()
        where[self.where] = kept
        return replace(
            self,
            where=where,
            values=self.values[kept],
            errors=self.errors[kept],
            independent=self.independent[kept],
        )


@dataclass(frozen=True)
class Observed:
    """What is known.

    Attributes:
        balance: surface mass balance minus the change of the surface, whose sum over each separate
            glacier is zero, m a⁻¹, (rows, columns).
        balance_error: relative error of the turnover of mass.
        velocity: speed at the surface along the flow, m a⁻¹.
        thickness: ice thickness, m.
    """

    balance: Tensor
    balance_error: float
    velocity: Samples | None = None
    thickness: Samples | None = None

    @property
    def kinds(self) -> list[str]:
        """Names of the observations that there are, besides mass balance."""
        return [name for name in ("velocity", "thickness") if getattr(self, name) is not None]

    def without(self, kind: str) -> Observed:
        """Return it without the observations of a kind."""
        if kind == "velocity":
            return replace(self, velocity=None)
        return replace(self, thickness=None)
