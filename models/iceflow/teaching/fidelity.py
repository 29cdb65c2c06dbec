"""How well an emulator says what its instructor does, by sliding coefficient and cell size."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.velocity.errors import relative_errors

Class = TypeVar("Class")

MEAN = 1
"""Place of the mean over depth among velocities."""


@dataclass
class Fidelity:
    """Errors of the velocity averaged over depth, gathered over glaciers.

    Attributes:
        cells: sum of relative errors where the ice moves by 10 m a⁻¹ or more, and their number.
        sums: sum of errors and of speeds over all cells, m a⁻¹.
        ice: number of all cells.
    """

    cells: Tensor
    sums: Tensor
    ice: int = 0

    @classmethod
    def none(cls) -> Fidelity:
        """Return that of no glacier."""
        return cls(torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64))

    def add(self, found: Tensor, true: Tensor) -> None:
        """Take in one glacier; m a⁻¹, (2, cells)."""
        relative, sums = relative_errors(found.cpu(), true.cpu())
        self.cells += torch.stack([relative.double().sum(), torch.tensor(float(len(relative)))])
        self.sums += sums.double()
        self.ice += found.shape[1]

    @property
    def mean(self) -> float:
        """Eq. 7 of Jouvet et al. (2022): mean of the cells' relative errors, in per cent."""
        return 100 * float(self.cells[0] / self.cells[1])

    @property
    def l1(self) -> float:
        """Mean of |u - u*| + |v - v*| over all cells with ice, m a⁻¹."""
        return float(self.sums[0]) / self.ice if self.ice else math.nan

    @property
    def total(self) -> float:
        """Sum of the errors over the sum of the speeds, in per cent."""
        return 100 * float(self.sums[0] / self.sums[1])

    @property
    def words(self) -> str:
        """The three measures in words; Eq. 7 is left out where no cell is fast enough for it."""
        return in_words(self.l1, self.total, self.mean)


def in_words(l1: float, total: float, mean: float) -> str:
    """Return measures of an emulator's error in words: L1 in m a⁻¹, the others in per cent."""
    by_cell = "" if math.isnan(mean) else f", {mean:.1f} % by Eq. 7"
    return f"{l1:.3g} m/a off, {total:.1f} % of the speed{by_cell}"


def by_class(pairs: Iterable[tuple[Class, Tensor, Tensor]]) -> dict[Class, Fidelity]:
    """Return the fidelity of each class of glaciers.

    Args:
        pairs: class, the emulator's velocity and the instructor's, m a⁻¹, (2, cells).
    """
    found: dict[Class, Fidelity] = defaultdict(Fidelity.none)
    for name, one, other in pairs:
        found[name].add(one, other)
    return dict(found)
