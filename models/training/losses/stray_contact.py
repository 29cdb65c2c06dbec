"""What images with labelled fronts, and nothing else, say of the rest: there is no front.

Around a front that was drawn the zones are known, see `line_zones`; elsewhere they are not. But if
all fronts of an image were drawn, glacier and ocean meet nowhere else: a network that takes the
rock walls of a fjord for ice draws lines along them.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import max_pool2d

from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.training.losses.zones import thinned
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

WEIGHT = 10.0
"""What a share of cells with a front where there is none counts against the other losses."""
_REACH = 1
"""Cells over which glacier and ocean meet."""


def stray_contact(logits: Tensor, zones: Tensor) -> Tensor:
    """Return the share of the unlabelled cells in which glacier meets ocean.

    Args:
        logits: (N, C, h, w), channel c for zone c + 1.
        zones: (N, H, W) int64, 0 where unlabelled; h and w divide H and W evenly.

    Returns:
        A scalar, 0 to 1: the mean product of the highest probabilities around each cell.
    """
    unlabelled = thinned(zones, zones.shape[-1] // logits.shape[-1]) == UNLABELLED
    sides = logits.softmax(dim=1)[:, [GLACIER - 1, OCEAN - 1]]
    nearby = max_pool2d(sides, 2 * _REACH + 1, stride=1, padding=_REACH)
    contact = nearby.prod(dim=1) * unlabelled
    return contact.sum() / unlabelled.sum().clamp(min=1)
