"""Parts of examples, in all orientations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

VECTORS = ((1, 2), (6, 7), (8, 9), (10, 11))
"""East and north components among the rasters of an example: slopes, then velocities."""
LEAST_ICE = 0.02
"""Share of a patch under ice, below which another place is tried."""
TRIES = 8


def turned(example: Tensor, turns: int, *, mirrored: bool) -> Tensor:
    """Return an example after a flip of east and west, and counterclockwise turns by 90°.

    Vectors turn with the ground: counterclockwise by 90°, (u, v) becomes (-v, u).

    Args:
        example: (12, rows, columns).
        turns: how many.
        mirrored: whether it is flipped.
    """
    fields = torch.rot90(example.flip(-1) if mirrored else example, turns, (-2, -1)).clone()
    for east, north in VECTORS:
        u, v = fields[east].clone(), fields[north].clone()
        u = -u if mirrored else u
        for _ in range(turns % 4):
            u, v = -v, u
        fields[east], fields[north] = u, v
    return fields


class Patches:
    """Random parts of examples, each state as often as it has ice.

    Args:
        examples: (12, rows, columns) each.
        size: cells along a side; 0 for whole states.
        oriented: whether parts are turned and mirrored.
    """

    def __init__(self, examples: Sequence[Tensor], size: int, *, oriented: bool) -> None:
        self._examples = examples
        self._size = size
        self._oriented = oriented
        self._ice = [np.argwhere(example[0].cpu().numpy() > 0) for example in examples]
        weights = np.array([float(len(ice)) for ice in self._ice])
        self._chances = weights / weights.sum() if size else None
        whole = (size or 1) ** 2
        self.count = len(examples) if not size else max(int(weights.sum() // whole), len(examples))

    def draw(self, number: int, rng: np.random.Generator) -> list[Tensor]:
        """Return so many parts."""
        chosen = rng.choice(len(self._examples), number, p=self._chances)
        return [self._part(int(index), rng) for index in chosen]

    def _part(self, index: int, rng: np.random.Generator) -> Tensor:
        part = self._examples[index]
        if self._size:
            for _ in range(TRIES):
                part = self._around(index, rng)
                if float((part[0] > 0).float().mean()) >= LEAST_ICE:
                    break
        if self._oriented:
            part = turned(part, int(rng.integers(4)), mirrored=bool(rng.integers(2)))
        return part

    def _around(self, index: int, rng: np.random.Generator) -> Tensor:
        """Return a part with a random cell of ice somewhere in it."""
        example, size = self._examples[index], self._size
        ice = self._ice[index]
        middle = ice[rng.integers(len(ice))]
        corner = middle - rng.integers(0, size, 2)
        down, right = (
            int(np.clip(corner[axis], 0, max(example.shape[axis + 1] - size, 0))) for axis in (0, 1)
        )
        return example[:, down : down + size, right : right + size]
