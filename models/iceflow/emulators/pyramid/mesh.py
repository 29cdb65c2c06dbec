"""Lists of the cells and elements that take part, instead of rasters.

An element lies between four cells. Only elements with ice, and the cells at their corners, are
kept, row by row from the north. Element k has the cells k - 1 and k in its north and the cells to
their south, so sums and differences along a row are those of neighbours in the list; the first
element, the last, and those over a gap have no ice, and must be given no stiffness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad


class Changes(NamedTuple):
    """How fields change in elements, (n, elements) each.

    Attributes:
        east: twice the mean change eastwards.
        north: twice the mean change northwards.
        warp: how much more the north changes eastwards than the south.
        mean: of the corners.
    """

    east: Tensor
    north: Tensor
    warp: Tensor
    mean: Tensor


@dataclass(frozen=True)
class Mesh:
    """Cells and elements of one level; north-up.

    Attributes:
        shape: glaciers, rows and columns of the grid.
        cells: places of the cells in the flattened grid, (cells,).
        elements: places of the elements' north-western cells, (elements,); of an element without
            ice the last place, where none can be.
        exists: which elements have ice, (elements,).
        pairs: for each element's north-eastern cell (and one cell before) that cell and the one to
            the south of it, in the list, (2 (elements + 1),).
        north: for each cell the one to the north of it, in the list; the last cell, which no
            element has in its north, where there is none, (cells,).
    """

    shape: tuple[int, int, int]
    cells: Tensor
    elements: Tensor
    exists: Tensor
    pairs: Tensor
    north: Tensor

    @classmethod
    def of(cls, exists: Tensor) -> Mesh:
        """Return it.

        Args:
            exists: which elements have ice, (glaciers, rows - 1, columns - 1).
        """
        wide = exists.new_zeros(len(exists), exists.shape[1] + 2, exists.shape[2] + 2)
        wide[:, 1:-1, 1:-1] = exists
        rows = wide[:, 1:] | wide[:, :-1]
        around = rows[..., 1:] | rows[..., :-1]
        around[0, 0, 0] |= ~exists.any()  # a list is never empty
        cells = around.flatten().nonzero().flatten()
        width, last = around.shape[2], len(cells) - 1
        order = torch.full((around.numel() + 2 * width,), last, device=cells.device)
        order[cells + width] = torch.arange(len(cells), device=cells.device)
        own, south = order[width : around.numel() + width], order[2 * width :]
        listed = pad(torch.stack([own[cells], south[cells]]), (1, 1))
        starts = wide[:, 1:, 1:].flatten()[cells]
        elements = torch.where(starts, cells, around.numel() - 1)
        return cls(
            (around.shape[0], around.shape[1], around.shape[2]),
            cells,
            pad(elements, (1, 0), value=around.numel() - 1),
            pad(starts, (1, 0)),
            listed.flatten(),
            order[cells],
        )

    def coarse(self) -> Mesh:
        """Return the mesh with half the resolution, whose elements cover those with ice."""
        exists = self.on_grid(self.exists[None].float())
        return Mesh.of(coarser(exists)[0] > 0)

    def changes(self, values: Tensor) -> Changes:
        """Return how fields of cells, (n, cells), change in elements."""
        sides = values.index_select(1, self.pairs).view(len(values), 2, -1)
        across, along = sides[..., 1:] - sides[..., :-1], sides[..., 1:] + sides[..., :-1]
        (upper, lower), (north, south) = across.unbind(1), along.unbind(1)
        return Changes(upper + lower, north - south, upper - lower, (north + south) * 0.25)

    def gathered(self, parts: Changes) -> Tensor:
        """Return the sum of elements' parts in cells, (n, cells): the transpose of `changes`.

        The parts are (…, elements), flattened to n.
        """
        middle = parts.mean * 0.25
        return self._cells(
            middle + parts.north,
            parts.east + parts.warp,
            middle - parts.north,
            parts.east - parts.warp,
        )

    def pulled(self, east: Tensor, north: Tensor, warp: Tensor) -> Tensor:
        """Return what `gathered` does where the parts of the means are zero.

        Args:
            east: of each direction and mode, (2, modes, elements).
            north: the same.
            warp: the same.
        """
        return self._cells(north, east + warp, -north, east - warp)

    def _cells(
        self, upper: Tensor, upper_side: Tensor, lower: Tensor, lower_side: Tensor
    ) -> Tensor:
        above = (upper - upper_side)[..., 1:] + (upper + upper_side)[..., :-1]
        below = (lower - lower_side)[..., 1:] + (lower + lower_side)[..., :-1]
        return below.flatten(0, -2).index_select(1, self.north).add_(above.flatten(0, -2))

    def corners(self, elements: Tensor) -> Tensor:
        """Return the sum over the elements around each cell, (n, cells)."""
        pairs = elements[:, 1:] + elements[:, :-1]
        return pairs.index_select(1, self.north).add_(pairs)

    def rasters(self, values: Tensor) -> Tensor:
        """Return values of cells on the grid: (n, cells) to (n, glaciers, rows, columns)."""
        return _laid(values, self.cells, self.shape)

    def picked(self, rasters: Tensor) -> Tensor:
        """Return the values of the cells: (n, glaciers, rows, columns) to (n, cells)."""
        return rasters.flatten(1).index_select(1, self.cells)

    def on_grid(self, values: Tensor) -> Tensor:
        """Return values of elements between the cells of the grid, zero where there is no ice."""
        return _laid(values, self.elements, self.shape)[..., :-1, :-1]

    def between(self, grid: Tensor) -> Tensor:
        """Return the elements' values of a grid of those between cells; zero without ice."""
        return pad(grid, (0, 1, 0, 1)).flatten(1).index_select(1, self.elements)


def _laid(values: Tensor, places: Tensor, shape: tuple[int, int, int]) -> Tensor:
    flat = values.new_zeros(len(values), shape[0] * shape[1] * shape[2])
    return flat.index_copy_(1, places, values).view(-1, *shape)


def coarser(elements: Tensor) -> Tensor:
    """Return elements between the cells of `halved`: means of those that they cover."""
    if elements.shape[-2] % 2:
        elements = (elements[..., :-1, :] + elements[..., 1:, :]) * 0.5
    if elements.shape[-1] % 2:
        elements = (elements[..., :-1] + elements[..., 1:]) * 0.5
    rows = elements[..., ::2, :] + elements[..., 1::2, :]
    return (rows[..., ::2] + rows[..., 1::2]) * 0.25
