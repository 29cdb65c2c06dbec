"""Index lists along which a stack of convolutions is evaluated.

They depend only on which cells are wanted and changed, so a plan serves many evaluations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.compute.arrays import Mask
from glacier_qgis.models.networks.atlas.layout import pack
from glacier_qgis.models.networks.atlas.lookup import Lookup
from glacier_qgis.models.networks.atlas.reach import layer_groups, needed_columns
from glacier_qgis.models.networks.atlas.strips import Integers, Strips


class PartIndices(NamedTuple):
    """What one thread copies, as lists of indices.

    "Own" indices count the cells of this part from its first. "Remembered" cells are those that
    the previous atlas, or for the halo this one, lacks; their features come from the remembered
    ones, which cover the grid.

    Attributes:
        source: Where each own cell is in the previous atlas; for the first group, in the grid.
        remembered: Own cells that the previous atlas lacks.
        remembered_in_grid: Where these are in the grid.
        halo: Own halo cells.
        halo_source: Where each of these is in the whole atlas.
        halo_remembered: Own halo cells within the grid that this atlas lacks.
        halo_remembered_in_grid: Where these are in the grid.
    """

    source: Tensor
    remembered: Tensor
    remembered_in_grid: Tensor
    halo: Tensor
    halo_source: Tensor
    halo_remembered: Tensor
    halo_remembered_in_grid: Tensor


@dataclass(frozen=True)
class LayerGroup:
    """Consecutive layers that share an atlas.

    Attributes:
        layers: Their numbers.
        width: Columns of each part of the atlas.
        parts: What each thread copies.
    """

    layers: range
    width: int
    parts: tuple[PartIndices, ...]


@dataclass(frozen=True)
class Plan:
    """How to evaluate a stack of convolutions in some cells of a grid.

    Attributes:
        key: What the groups follow from; two plans of one key have the same groups.
        height: Rows of a strip.
        groups: In order.
        last: Lookup of the last atlas.
        wanted: Where the wanted cells, row by row, are in the last atlas.
    """

    key: tuple[object, ...]
    height: int
    groups: tuple[LayerGroup, ...]
    last: Lookup
    wanted: Tensor


def make_plan(
    wanted: Mask,
    layers: int,
    changed: Mask | None = None,
    parts: int = 1,
    earlier: Plan | None = None,
) -> Plan:
    """Return how to evaluate `layers` convolutions in the cells where `wanted` is True.

    Args:
        wanted: Cells whose output is wanted, (row, column).
        layers: Number of convolutions.
        changed: Cells whose inputs may differ from those of the remembered features, (row,
            column); None without remembered features.
        parts: Threads that share the work.
        earlier: Another plan, whose groups are used again if they would be the same: ice that
            advances or retreats by a few cells rarely changes them.

    Raises:
        ValueError: No cell is wanted.
    """
    if not wanted.any():
        raise ValueError("no cell is wanted")
    strips = Strips(*wanted.shape)
    needed = needed_columns(strips, wanted, layers, changed)
    key = (wanted.shape, layers, parts, *(columns.tobytes() for columns in needed))
    if earlier is None or earlier.key != key:
        lookups = [Lookup(strips, pack(columns, parts)) for columns in needed]
        groups = tuple(
            _group(group, before, here)
            for group, before, here in zip(
                layer_groups(layers), [None, *lookups[:-1]], lookups, strict=True
            )
        )
        earlier = Plan(key, strips.height, groups, lookups[-1], torch.empty(0))
    return replace(earlier, wanted=torch.from_numpy(earlier.last.find(*wanted.nonzero())))


def _group(layers: range, before: Lookup | None, here: Lookup) -> LayerGroup:
    """Return the group of `layers` in the atlas `here` that follows the atlas `before`, if any."""
    strips, layout = here.strips, here.layout
    grid = layout.in_grid(strips)
    inside = grid < strips.outside
    own = here.find_layout(layout)
    halo = np.ones(grid.shape, dtype=bool)
    halo[1:-1] = ~layout.inner
    if before is None:
        source, remembered = grid, np.zeros_like(inside)
    else:
        source = before.find_layout(layout)
        remembered = inside & (source == before.absent)
    halo_remembered = halo & inside & (own == here.absent)
    fields = (grid, own, source, halo, remembered, halo_remembered)
    parts = zip(*(np.split(field, layout.parts, axis=1) for field in fields), strict=True)
    return LayerGroup(layers, layout.width, tuple(_indices(*part) for part in parts))


def _indices(
    grid: Integers, own: Integers, source: Integers, halo: Mask, remembered: Mask, outer: Mask
) -> PartIndices:
    """Return the lists of one part from fields over its cells, (height + 2, width) each."""
    arrays = (
        source.ravel(),
        np.flatnonzero(remembered),
        grid[remembered],
        np.flatnonzero(halo),
        own[halo],
        np.flatnonzero(outer),
        grid[outer],
    )
    return PartIndices(*map(torch.from_numpy, arrays))
