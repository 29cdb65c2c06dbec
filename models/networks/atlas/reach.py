"""Which columns of the strips each layer needs.

Output is wanted in some cells. A 3 × 3 convolution reads one cell further than it writes, so the
last of n layers is needed in the wanted cells, the one before it one cell further, and the first
n − 1 cells further. One atlas serves a group of layers, so that the cost of packing is shared.
"""

from __future__ import annotations

from itertools import pairwise

from glacier_qgis.models.compute.arrays import Mask
from glacier_qgis.models.networks.atlas.strips import Strips

LAYERS_PER_GROUP = 4
"""Consecutive layers that share one atlas."""


def layer_groups(layers: int) -> list[range]:
    """Return the layers of each group, in order."""
    starts = range(0, layers, LAYERS_PER_GROUP)
    return [range(start, stop) for start, stop in pairwise([*starts, layers])]


def remembered_layers(layers: int) -> int:
    """Return for how many layers, from the first, it pays to remember the features.

    Beyond these, a changed input reaches at least as far as the wanted cells reach back.
    """
    worthwhile = (
        group.stop for group in layer_groups(layers) if group.start + group.stop < layers - 1
    )
    return max(worthwhile, default=0)


def needed_columns(strips: Strips, wanted: Mask, layers: int, changed: Mask | None) -> list[Mask]:
    """Return the columns that each group of layers needs: (strip, column) each.

    Args:
        strips: The grid, cut.
        wanted: Cells whose output is wanted, (row, column).
        layers: Number of convolutions.
        changed: Cells whose inputs may differ from those of the remembered features, (row,
            column); None without remembered features.
    """
    wanted_counts = strips.count_above(wanted)
    changed_counts = None if changed is None else strips.count_above(changed)
    found = []
    for group in layer_groups(layers):
        needed = strips.columns_within(wanted_counts, layers - 1 - group.start)
        if changed_counts is not None and group.stop <= remembered_layers(layers):
            needed &= strips.columns_within(changed_counts, group.stop)
            needed[0, 0] |= not needed.any()  # an atlas has at least one column
        found.append(needed)
    return found
