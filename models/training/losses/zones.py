"""Loss of predicted zones."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, max_pool2d

from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

FRONT_WEIGHT = 2.0
"""Additional weight of pixels near a front."""

_FRONT_WINDOW = 13


def zone_loss(logits: Tensor, zones: Tensor) -> Tensor:
    """Weighted cross-entropy plus Dice loss over the labelled pixels.

    Args:
        logits: (N, C, h, w), channel c for zone c + 1; h and w divide H and W evenly.
        zones: (N, H, W) int64, 0 where unlabelled.

    Returns:
        A scalar.
    """
    zones = thinned(zones, zones.shape[-1] // logits.shape[-1])
    labelled = zones != UNLABELLED
    weight = labelled * (1 + FRONT_WEIGHT * near_front(zones))
    entropy = cross_entropy(logits, zones - 1, ignore_index=-1, reduction="none")
    mean = (entropy * weight).sum() / weight.sum().clamp(min=1)
    return mean + dice_loss(logits.softmax(dim=1), zones)


def thinned(zones: Tensor, factor: int) -> Tensor:
    """Take one label of every block of `factor` × `factor` cells, (N, H, W) to (N, h, w).

    For each image of a batch, the label is taken from another place along the block's diagonal, so
    that boundaries are not shifted on average.
    """
    places = [index % factor for index in range(len(zones))]
    return torch.stack(
        [image[at::factor, at::factor] for image, at in zip(zones, places, strict=True)]
    )


def dice_loss(probabilities: Tensor, zones: Tensor) -> Tensor:
    """One minus the Dice coefficient, averaged over the classes in the batch.

    Milletari et al. (2016), doi:10.1109/3DV.2016.79, with the sum of probabilities.
    """
    labelled = (zones != UNLABELLED)[:, None]
    codes = torch.arange(1, probabilities.shape[1] + 1, device=zones.device)
    truth = zones[:, None] == codes[:, None, None]
    predicted = probabilities * labelled
    axes = (0, 2, 3)
    common = (predicted * truth).sum(axes)
    total = predicted.sum(axes) + truth.sum(axes)
    present = truth.sum(axes) > 0
    lacking = present * (1 - 2 * common / total.clamp(min=1))
    return lacking.sum() / present.sum().clamp(min=1)


def near_front(zones: Tensor) -> Tensor:
    """Mark (1, 0) the pixels with both glacier and ocean in a window around them."""
    sides = torch.stack([zones == GLACIER, zones == OCEAN], dim=1).float()
    reach = _FRONT_WINDOW // 2
    rows = max_pool2d(sides, (_FRONT_WINDOW, 1), stride=1, padding=(reach, 0))
    return max_pool2d(rows, (1, _FRONT_WINDOW), stride=1, padding=(0, reach)).amin(dim=1)
