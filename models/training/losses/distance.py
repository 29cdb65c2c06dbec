"""A second head for the time of learning: how far away the front is.

A network that must know the distance to the front from far off has to understand the scene, not
only the texture under each cell. The head is one more channel of the network's answer; it is cut
off the weights that are kept, so that models predict zones alone. What it is worth is measured by
``benchmarks/front_variants.py``. The idea to learn zones and front together is that of Heidler et
al. (2022), doi:10.1109/TGRS.2021.3064606.
"""

from __future__ import annotations

import torch
from scipy.ndimage import binary_dilation, distance_transform_edt
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.training.losses.zones import thinned, zone_loss
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

FAR = 15
"""Cells of the logits beyond which the distance to the front need not be known."""
AT_FRONT = 4.0
"""What a cell nearer than that counts for more than another."""


def two_heads_loss(logits: Tensor, zones: Tensor) -> Tensor:
    """Return the zone loss of all channels but the last, plus the error of the distance.

    Args:
        logits: (N, C + 1, h, w); the last channel is the distance to the front over `FAR` cells.
        zones: (N, H, W) int64, 0 where unlabelled; h and w divide H and W evenly.

    Returns:
        A scalar.
    """
    labels = thinned(zones, zones.shape[-1] // logits.shape[-1])
    distance = torch.stack([distance_to_front(image) for image in labels])
    weight = (labels != UNLABELLED) * (1 + AT_FRONT * (distance < 1))
    error = smooth_l1_loss(logits[:, -1], distance, reduction="none", beta=0.2) * weight
    return zone_loss(logits[:, :-1], zones) + error.sum() / weight.sum().clamp(min=1)


def distance_to_front(zones: Tensor) -> Tensor:
    """Return how far each cell is from the front, in `FAR` cells and at most 1.

    Cells of the front are those of glacier or ocean beside one of the other.

    Args:
        zones: (rows, columns) int64.
    """
    glacier, ocean = (zones == GLACIER).cpu().numpy(), (zones == OCEAN).cpu().numpy()
    front = (binary_dilation(glacier) & ocean) | (binary_dilation(ocean) & glacier)
    if not front.any():
        return torch.ones(zones.shape, device=zones.device)
    distance = distance_transform_edt(~front) / FAR
    return torch.from_numpy(distance).clamp(max=1).float().to(zones.device)
