"""Loss for images whose only labels are fronts: there is no front elsewhere.

Around a digitised front the zones are known, see `line_zones`; elsewhere they are not. But if all
fronts of an image are digitised, glacier and ocean do not touch elsewhere. Without this loss, a
network that classifies the walls of a fjord as ice predicts fronts along them.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import max_pool2d

from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.training.losses.zones import thinned
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

WEIGHT = 10.0
"""Weight of the share of cells with a false front, relative to the other losses."""
_REACH = 1
"""Distance in cells within which glacier and ocean count as touching."""


def stray_contact(logits: Tensor, zones: Tensor) -> Tensor:
    """Return the share of unlabelled cells in which glacier touches ocean.

    Args:
        logits: (N, C, h, w), channel c for zone c + 1.
        zones: (N, H, W) int64, 0 where unlabelled; h and w divide H and W evenly.

    Returns:
        A scalar, 0 to 1: the mean product of the highest probabilities around each cell.
    """
    unlabelled = thinned(zones, zones.shape[-1] // logits.shape[-1]) == UNLABELLED
    probabilities = logits.softmax(dim=1)
    glacier, ocean = (
        max_pool2d(probabilities[:, code - 1], 2 * _REACH + 1, stride=1, padding=_REACH)
        for code in (GLACIER, OCEAN)
    )
    contact = glacier * ocean * unlabelled
    return contact.sum() / unlabelled.sum().clamp(min=1)
