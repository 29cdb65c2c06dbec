"""A second head during training: the distance to the front.

Predicting the distance to the front requires more context than the texture under each cell. The
head is one more output channel; it is removed from the saved weights, so that models predict only
zones. ``benchmarks/front_variants.py`` measures its benefit. Training on zones and fronts together
follows Heidler et al. (2022), doi:10.1109/TGRS.2021.3064606.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, pad, smooth_l1_loss

from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.training.losses.zones import thinned, zone_loss
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

FAR = 15
"""Distance to the front at which it is clipped, in cells of the logits."""
AT_FRONT = 4.0
"""Additional weight of cells nearer than that."""


def two_heads_loss(logits: Tensor, zones: Tensor) -> Tensor:
    """Return the zone loss of all channels except the last, plus the error of the distance.

    Args:
        logits: (N, C + 1, h, w); the last channel is the distance to the front over `FAR` cells.
        zones: (N, H, W) int64, 0 where unlabelled; h and w divide H and W evenly.

    Returns:
        A scalar.
    """
    labels = thinned(zones, zones.shape[-1] // logits.shape[-1])
    distance = distance_to_front(labels)
    weight = (labels != UNLABELLED) * (1 + AT_FRONT * (distance < 1))
    error = smooth_l1_loss(logits[:, -1], distance, reduction="none", beta=0.2) * weight
    return zone_loss(logits[:, :-1], zones) + error.sum() / weight.sum().clamp(min=1)


def distance_to_front(zones: Tensor) -> Tensor:
    """Return the distance of each cell to the front in units of `FAR` cells, at most 1.

    Cells of the front are glacier or ocean cells next to the other class. The squared distance is
    the least of those along the rows plus the square of the way along the columns (Felzenszwalb &
    Huttenlocher 2012, doi:10.4086/toc.2012.v008a019), so two passes over `FAR` cells are exact.

    Args:
        zones: (N, rows, columns) int64.
    """
    glacier, ocean = zones == GLACIER, zones == OCEAN
    front = (_beside(glacier) & ocean) | (_beside(ocean) & glacier)
    squares = torch.where(front, 0.0, float(FAR**2))
    for axis in (-1, -2):
        squares = _nearest_along(squares, axis)
    return squares.sqrt().div(FAR).clamp(max=1)


def _beside(zone: Tensor) -> Tensor:
    """Mark a zone and the cells that share an edge with it, (N, rows, columns)."""
    inside = zone.float()
    columns = max_pool2d(inside, (1, 3), stride=1, padding=(0, 1))
    return torch.maximum(columns, max_pool2d(inside, (3, 1), stride=1, padding=(1, 0))) > 0


def _nearest_along(squares: Tensor, axis: int) -> Tensor:
    """Return the least of squared distance plus squared way along an axis of (N, rows, columns)."""
    way = torch.arange(-FAR, FAR + 1, device=squares.device, dtype=squares.dtype)
    margin = (FAR, FAR) if axis == -1 else (0, 0, FAR, FAR)
    around = pad(squares, margin, value=float(FAR**2)).unfold(axis, len(way), 1)
    return (around + way**2).amin(-1)
