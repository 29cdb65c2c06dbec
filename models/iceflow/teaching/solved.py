"""States that an instructor has solved, one file each, by number."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from glacier_qgis.models.iceflow.instructors.higher_order import higher_order
from glacier_qgis.models.iceflow.teaching.states import State

MODES = 3
"""Vertical modes of the instructor; a fourth changes velocities by less than a per cent."""
TOLERANCE = 1e-3
"""Residual of the instructor."""
FIELDS = ("thickness", "surface", "rate_factor", "sliding")


@dataclass(frozen=True)
class Solved:
    """A state and how it moves; fields are (rows, columns) and north-up.

    Attributes:
        cell_size: Δ in m.
        thickness: h in m.
        surface: s in m.
        rate_factor: A in MPa⁻³ a⁻¹.
        sliding: c in km MPa⁻³ a⁻¹.
        velocity: mean over depth, at the bed and at the surface, each eastwards and northwards,
            m a⁻¹, (3, 2, rows, columns).
        residual: of the instructor.
    """

    cell_size: float
    thickness: Tensor
    surface: Tensor
    rate_factor: Tensor
    sliding: Tensor
    velocity: Tensor
    residual: float

    def write(self, path: Path) -> None:
        """Write a file, complete or not at all."""
        fields = {name: getattr(self, name).float().contiguous() for name in FIELDS}
        facts = {"cell_size": repr(self.cell_size), "residual": repr(self.residual)}
        part = path.with_suffix(f".{os.getpid()}")
        save_file({**fields, "velocity": self.velocity.float().contiguous()}, part, facts)
        part.replace(path)

    @classmethod
    def read(cls, path: Path) -> Solved:
        """Read what :meth:`write` wrote."""
        with safe_open(path, "pt") as file:
            facts = file.metadata()
            fields = {name: file.get_tensor(name) for name in (*FIELDS, "velocity")}
        return cls(cell_size=float(facts["cell_size"]), residual=float(facts["residual"]), **fields)


def solve(state: State, modes: int = MODES, tolerance: float = TOLERANCE) -> Solved:
    """Return the state with its Blatter-Pattyn velocity."""
    thickness, surface, rate_factor, sliding = (
        torch.from_numpy(np.ascontiguousarray(getattr(state, name))) for name in FIELDS
    )
    found = higher_order(
        thickness,
        surface,
        state.cell_size,
        rate_factor,
        sliding,
        modes=modes,
        tolerance=tolerance,
    )
    velocity = torch.stack([found.mean, found.base, found.surface])
    return Solved(
        state.cell_size, thickness, surface, rate_factor, sliding, velocity, found.residual
    )


def stored(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder in the order of their names."""
    yield from sorted(folder.glob("*.safetensors"))
