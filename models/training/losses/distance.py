"""A second head during training: the distance to the front.

Predicting the distance to the front requires more context than the texture under each cell. The
head is one more output channel; it is removed from the saved weights, so that models predict only
zones. ``benchmarks/front_variants.py`` measures its benefit. Training on zones and fronts together
follows Heidler et al. (2022), doi:10.1109/TGRS.2021.3064606.
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
    distance = torch.stack([distance_to_front(image) for image in labels])
    weight = (labels != UNLABELLED) * (1 + AT_FRONT * (distance < 1))
    error = smooth_l1_loss(logits[:, -1], distance, reduction="none", beta=0.2) * weight
    return zone_loss(logits[:, :-1], zones) + error.sum() / weight.sum().clamp(min=1)


def distance_to_front(zones: Tensor) -> Tensor:
    """Return the distance of each cell to the front in units of `FAR` cells, at most 1.

    Cells of the front are glacier or ocean cells next to the other class.

    Args:
        zones: (rows, columns) int64.
    """
    glacier, ocean = (zones == GLACIER).cpu().numpy(), (zones == OCEAN).cpu().numpy()
    front = (binary_dilation(glacier) & ocean) | (binary_dilation(ocean) & glacier)
    if not front.any():
        return torch.ones(zones.shape, device=zones.device)
    distance = distance_transform_edt(~front) / FAR
    return torch.from_numpy(distance).clamp(max=1).float().to(zones.device)
