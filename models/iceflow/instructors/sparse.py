"""Sparse symmetric systems on the nodes of a grid, solved directly.

Nodes are eliminated in the order of nested dissection (George 1973, SIAM J. Numer. Anal. 10,
345-363), which fills the factors of n nodes with O(n log n) blocks.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import bsr_matrix
from scipy.sparse.linalg import splu
from torch import Tensor

Indices = npt.NDArray[np.intp]

UNDIVIDED = 4
"""Blocks of the grid with at most this side are not dissected further."""


class Couplings:
    """Which nodes share an element: the pattern of the matrix.

    Attributes:
        count: pairs of nodes that share one, each with itself included.

    Args:
        nodes: index in the flattened grid of each corner of each element, (4, elements).
        shape: rows and columns of the grid.
    """

    def __init__(self, nodes: Tensor, shape: tuple[int, int]) -> None:
        corners = nodes.cpu().numpy()
        present = np.zeros(shape[0] * shape[1], dtype=bool)
        present[corners] = True
        order = dissection(*shape)
        self._order = order[present[order]]
        total = len(self._order)
        rank = np.empty(len(present), dtype=np.intp)
        rank[self._order] = np.arange(total)
        ranked = rank[corners]
        pairs = np.stack([one * total + other for one, other in itertools.product(ranked, ranked)])
        keys, slots = np.unique(pairs, return_inverse=True)
        self.count = len(keys)
        self._columns = keys % total
        self._starts = np.searchsorted(keys, np.arange(total + 1) * total)
        self._slots = torch.from_numpy(slots.reshape(pairs.shape)).to(nodes.device)

    def add(self, blocks: Tensor, local: Tensor, part: slice) -> None:
        """Add the matrices of some elements to the blocks of their couplings.

        Args:
            blocks: (couplings, components, components).
            local: (elements, 4 corners, components, 4 corners, components).
            part: which elements.
        """
        pairs = itertools.product(range(local.shape[1]), repeat=2)
        for slots, (one, other) in zip(self._slots[:, part], pairs, strict=True):
            blocks.index_add_(0, slots, local[:, one, :, other])

    def solve(self, blocks: Tensor, right: Tensor, unknown: Tensor) -> Tensor:
        """Return x of Ax = b, zero where it is not unknown.

        Args:
            blocks: of A, which is symmetric and positive definite, (couplings, components,
                components).
            right: b, (components, rows, columns).
            unknown: which components of which nodes are, (components, rows, columns).
        """
        size = right.shape[0]
        free = np.flatnonzero(self._listed(unknown))
        blocked = bsr_matrix((blocks.cpu().numpy(), self._columns, self._starts))
        factors = splu(
            blocked.tocsr()[free][:, free].T,  # symmetric, and splu needs columns
            permc_spec="NATURAL",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        solution = np.zeros(len(self._order) * size)
        solution[free] = factors.solve(self._listed(right)[free])
        grid = np.zeros((size, right[0].numel()))
        grid[:, self._order] = solution.reshape(-1, size).T
        return torch.from_numpy(grid).to(right).reshape(right.shape)

    def _listed(self, field: Tensor) -> npt.NDArray[np.generic]:
        """Return a field's values node by node in the order of elimination."""
        listed: npt.NDArray[np.generic] = field.flatten(1).cpu().numpy()[:, self._order].T.ravel()
        return listed


def dissection(rows: int, columns: int) -> Indices:
    """Return the nodes of a grid, halves before the line that separates them, and so on.

    The first row and the first column come last, so that a grid may be periodic.
    """
    grid = np.arange(rows * columns).reshape(rows, columns)
    return np.concatenate([*_dissected(grid[1:, 1:]), grid[0, 1:], grid[:, 0]])


def _dissected(grid: Indices) -> list[Indices]:
    if max(grid.shape) <= UNDIVIDED or min(grid.shape) == 0:
        return [grid.ravel()]
    if grid.shape[0] < grid.shape[1]:
        return _dissected(grid.T)
    middle = len(grid) // 2
    return [*_dissected(grid[:middle]), *_dissected(grid[middle + 1 :]), grid[middle]]
