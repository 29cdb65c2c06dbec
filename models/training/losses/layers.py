"""Loss of layers in echograms: class-balanced, and silent where nobody labelled.

After the loss of HED (Xie & Tu 2015, doi:10.1109/ICCV.2015.164): lines cover few pixels, so each
class is weighted by how rare it is in the batch.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from glacier_qgis.models.radar.layers.codes import UNLABELLED

LARGEST_WEIGHT = 30.0
"""Of a class in a batch with hardly any of its pixels."""


def layer_loss(logits: Tensor, codes: Tensor) -> Tensor:
    """Class-balanced cross-entropy over the labelled pixels.

    Args:
        logits: (N, C, H, W), channel c for code c + 1.
        codes: (N, H, W) int64, 0 where unlabelled.

    Returns:
        A scalar.
    """
    labelled = codes != UNLABELLED
    count = torch.bincount(codes[labelled], minlength=logits.shape[1] + 1)[1:].to(logits.dtype)
    weights = (count.sum() / (len(count) * count.clamp(min=1))).clamp(max=LARGEST_WEIGHT)
    entropy = cross_entropy(
        logits, codes - 1, weights, ignore_index=UNLABELLED - 1, reduction="none"
    )
    return entropy.sum() / weights[codes[labelled] - 1].sum().clamp(min=1)
