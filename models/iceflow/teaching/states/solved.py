"""States that an instructor has solved, one file each, by number."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from glacier_qgis.models.iceflow.instructors.instructor import Instructor, InstructorName
from glacier_qgis.models.iceflow.instructors.solution import Solution
from glacier_qgis.models.iceflow.teaching.states.states import State

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
            m a⁻¹, (3, 2, rows, columns); NaN where it is not known.
        residual: of the instructor; NaN where it is not known.
    """

    cell_size: float
    thickness: Tensor
    surface: Tensor
    rate_factor: Tensor
    sliding: Tensor
    velocity: Tensor
    residual: float

    @property
    def solved(self) -> bool:
        """Whether its velocity is known."""
        return bool(torch.isfinite(self.velocity[0]).all())

    def on(self, device: torch.device) -> Solved:
        """Return it on another device."""
        fields = {name: getattr(self, name).to(device) for name in (*FIELDS, "velocity")}
        return replace(self, **fields)

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


def solve(
    state: State,
    modes: int = MODES,
    tolerance: float = TOLERANCE,
    instructor: InstructorName = "Blatter-Pattyn",
) -> Solved:
    """Return the state with the velocity that an instructor finds; check its `residual`."""
    return solve_with(state, modes, tolerance, instructor)[0]


def solve_with(
    state: State, modes: int, tolerance: float, instructor: InstructorName
) -> tuple[Solved, Solution]:
    """Return the state with its velocity, and all that the instructor says of it."""
    bare = unsolved(state)
    asked = Instructor(
        instructor,
        state.cell_size,
        bare.rate_factor,
        bare.sliding,
        modes=modes,
        tolerance=tolerance,
    )
    found = asked.solve(bare.thickness, bare.surface)
    velocity = torch.stack([found.mean, found.base, found.surface])
    return replace(bare, velocity=velocity, residual=found.residual), found


def unsolved(state: State) -> Solved:
    """Return the state without a velocity."""
    thickness, surface, rate_factor, sliding = (
        torch.from_numpy(np.ascontiguousarray(getattr(state, name))) for name in FIELDS
    )
    unknown = torch.full((3, 2, *thickness.shape), math.nan)
    return Solved(state.cell_size, thickness, surface, rate_factor, sliding, unknown, math.nan)


def stored(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder in the order of their names."""
    yield from sorted(folder.glob("*.safetensors"))
