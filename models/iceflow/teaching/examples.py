"""Solved states as the tensors that a network is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.pyramid.pyramid import (
    Shape,
    predicted,
    relative,
    shape_of,
    unit_speed,
)
from glacier_qgis.models.iceflow.teaching.states.solved import Solved
from glacier_qgis.models.networks.ice_pyramid import IcePyramid

INPUTS, HEIGHTS = 7, 3
"""Rasters of an example: h/Δ, two slopes, bend, c/(A Δ), s/Δ and the unit of speed, then velocities
(bed, mean, surface; eastwards, northwards), m a⁻¹."""
SHIFT = 8
"""Cells by which the place of a glacier on the grid varies."""


class Answer(NamedTuple):
    """What a network says of a batch, and what its instructor does.

    Attributes:
        found: velocities at the bed, averaged and at the surface, m a⁻¹, (3, 2, cells).
        true: the instructor's.
        glacier: which one each cell belongs to, (cells,).
        glaciers: how many there are.
    """

    found: Tensor
    true: Tensor
    glacier: Tensor
    glaciers: int


def example(solved: Solved) -> Tensor:
    """Return the rasters of one state, (13, rows, columns)."""
    shape = shape_of(
        solved.thickness[None],
        solved.surface[None],
        solved.cell_size,
        solved.rate_factor[None],
        solved.sliding[None],
    )
    unit = unit_speed(solved.cell_size, solved.rate_factor)
    mean, base, surface = solved.velocity
    level = shape.surface - shape.surface.amin()
    rasters = [shape.thickness, shape.slopes[0], shape.bend, shape.slip, level, unit[None]]
    return torch.cat([*rasters, base, mean, surface]).float()


def placed(examples: Sequence[Tensor], rng: np.random.Generator) -> Tensor:
    """Return several states on one grid, each somewhere on it, (states, 13, rows, columns).

    The grid's size and the places vary, as a pyramid's coarse cells begin at its border.
    """
    rows, columns = (
        max(state.shape[axis] for state in examples) + int(rng.integers(SHIFT)) for axis in (1, 2)
    )
    grid = examples[0].new_zeros(len(examples), len(examples[0]), rows, columns)
    for on, state in zip(grid, examples, strict=True):
        down = int(rng.integers(rows - state.shape[1] + 1))
        right = int(rng.integers(columns - state.shape[2] + 1))
        on[:, down : down + state.shape[1], right : right + state.shape[2]] = state
    return grid


def answer(network: IcePyramid, grid: Tensor) -> Answer:
    """Ask a network about states (states, 13, rows, columns)."""
    softness = relative(grid[:, INPUTS - 1])
    shape = Shape(grid[:, 0], grid[:, 1:3], grid[:, 3], grid[:, 4], grid[:, 5], softness)
    finest, moving, _ = predicted(network, shape)
    rest = finest.picked(grid[:, INPUTS - 1 :].transpose(0, 1))
    glacier = finest.cells // (grid.shape[2] * grid.shape[3])
    true = rest[1:].view(HEIGHTS, 2, -1)
    return Answer(moving * rest[0], true, glacier, len(grid))


def listed(fields: Tensor, cells: Tensor) -> Tensor:
    """Return velocities of the cells: (states, 6, rows, columns) to (3, 2, cells)."""
    return fields.transpose(0, 1).flatten(1)[:, cells].view(HEIGHTS, 2, -1)
