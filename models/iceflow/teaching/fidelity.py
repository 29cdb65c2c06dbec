"""How well an emulator says what its instructor does, by sliding coefficient and cell size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.teaching.loss import relative_errors

MEAN = 1
"""Place of the mean over depth among velocities."""


@dataclass
class Fidelity:
    """Errors of the velocity averaged over depth, gathered over glaciers.

    Attributes:
        cells: sum of relative errors where the ice moves by 10 m a⁻¹ or more, and their number.
        sums: sum of errors and of speeds over all cells, m a⁻¹.
    """

    cells: Tensor
    sums: Tensor

    @classmethod
    def none(cls) -> Fidelity:
        """Return that of no glacier."""
        return cls(torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64))

    def add(self, found: Tensor, true: Tensor) -> None:
        """Take in one glacier; m a⁻¹, (2, cells)."""
        relative, sums = relative_errors(found, true)
        self.cells += torch.stack([relative.double().sum(), torch.tensor(float(len(relative)))])
        self.sums += sums.double()

    @property
    def mean(self) -> float:
        """Eq. 7 of Jouvet et al. (2022): mean of the cells' relative errors, in per cent."""
        return 100 * float(self.cells[0] / self.cells[1])

    @property
    def total(self) -> float:
        """Sum of the errors over the sum of the speeds, in per cent."""
        return 100 * float(self.sums[0] / self.sums[1])


def by_class(pairs: Iterable[tuple[str, Tensor, Tensor]]) -> dict[str, Fidelity]:
    """Return the fidelity of each class of glaciers, and of "all".

    Args:
        pairs: class, the emulator's velocity and the instructor's, m a⁻¹, (2, cells).
    """
    found: dict[str, Fidelity] = defaultdict(Fidelity.none)
    for name, one, other in pairs:
        found[name].add(one, other)
        found["all"].add(one, other)
    return dict(found)
