"""Picard's steps of one glacier in loops: what `Glaciers.balanced` gives, to rounding."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.iceflow.emulators.pyramid.loops import lists
from glacier_qgis.models.iceflow.emulators.pyramid.loops.balance import balance
from glacier_qgis.models.iceflow.emulators.pyramid.loops.compiling import rows_of
from glacier_qgis.models.iceflow.emulators.pyramid.loops.ground import Ground, ground_of
from glacier_qgis.models.iceflow.emulators.pyramid.loops.linear import (
    Grid,
    advance,
    begin,
    gather,
    grid_of,
    hold,
    invert,
    leave,
    relax,
    rise,
)
from glacier_qgis.models.iceflow.emulators.pyramid.loops.lists import Lists, Ways, lay, pick
from glacier_qgis.models.iceflow.emulators.pyramid.membrane import COARSEST, SMALLEST

ONE, LARGER = np.float32(1), np.float32(4)
"""Factor of what is summed up over cells twice as large."""


@dataclass(frozen=True)
class Steps:
    """Ice, on all levels.

    Attributes:
        finest: its lists.
        grids: from the finest.
        ways: between each and the next.
        ground: what does not change from step to step.
    """

    finest: Lists
    grids: list[Grid]
    ways: list[Ways]
    ground: Ground

    @classmethod
    def of(cls, shape: Float32Array, stiffer: Float32Array, inside: Mask, count: int) -> Steps:
        """Return those of one glacier.

        Args:
            shape: h/Δ, s/Δ, A/A₀ and c/(A₀ Δ), (4, rows, columns); see `Glaciers.of`.
            stiffer: logarithms of factors of viscosity and friction, (2, rows, columns).
            inside: which cells are in the grid of the glacier.
            count: of levels, at most.
        """
        levels = [lists.finest(shape[0] > 0, inside)]
        while len(levels) < count and min(levels[-1].rows, levels[-1].columns) > SMALLEST:
            levels.append(lists.coarser(levels[-1]))
        ways = [lists.ways(*pair) for pair in pairwise(levels)]
        grids = [grid_of(level) for level in levels]
        ground = ground_of(levels[0], shape.reshape(4, -1), stiffer.reshape(2, -1))
        free, cells = grids[0].free, len(levels[0].places)
        free[0] = ground.slides
        free[1, 1 : cells + 1] = 1
        for (fine, coarse), way in zip(pairwise(grids), ways, strict=True):
            gather(coarse.free, fine.free, way.cells, way.cell_weights, ONE)
            np.greater(coarse.free, 0, out=coarse.free, casting="unsafe")
        return cls(levels[0], grids, ways, ground)

    def taken(self, velocity: Float32Array, paces: Iterable[float]) -> Float32Array:
        """Return a velocity (4, rows, columns) after steps of these lengths."""
        finest, places = self.grids[0], self.finest.places
        moving = rows_of(4, len(places))
        pick(moving, velocity.reshape(4, -1), places)
        hold(moving, finest.free)
        for pace in paces:
            balance(finest, moving, self.ground.elements, self.ground.weight)
            self._coarsen()
            self._cycle()
            advance(moving, finest.velocity, np.float32(pace))
        found = np.zeros_like(velocity)
        lay(found.reshape(4, -1), moving, places)
        return found

    def _coarsen(self) -> None:
        """Work out the matrices of all levels from that of the finest."""
        invert(self.grids[0])
        for (fine, coarse), way in zip(pairwise(self.grids), self.ways, strict=True):
            gather(coarse.stiffness, fine.stiffness, way.elements, way.element_weights, ONE)
            gather(coarse.drag, fine.drag, way.cells, way.cell_weights, LARGER)
            invert(coarse)

    def _cycle(self) -> None:
        """Work out about the velocity that the forces on the finest level give: a V-cycle."""
        for (fine, coarse), way in zip(pairwise(self.grids), self.ways, strict=True):
            begin(fine)
            leave(fine)
            gather(coarse.forces, fine.left, way.cells, way.cell_weights, LARGER)
        begin(self.grids[-1])
        for _ in range(COARSEST):
            relax(self.grids[-1])
        for (fine, coarse), way in [*zip(pairwise(self.grids), self.ways, strict=True)][::-1]:
            rise(fine, coarse, way.back, way.back_weights)
            relax(fine)
