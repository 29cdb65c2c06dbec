"""What holds the knowledge of a model where the data that it was trained on are not at hand.

Distillation: what no correction tells is labelled by the model before (learning without forgetting;
Li & Hoiem 2016, doi:10.1007/978-3-319-46493-0_37). It predicts the very patches that are trained
on, and only its certain zones count. And weights half-way between those before and after the
training (Wortsman et al. 2022, doi:10.1109/CVPR52688.2022.00780): such networks keep most of what
the training brought, and forget far less.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from glacier_qgis.models.review.retraining.labels import SURE
from glacier_qgis.models.training.data.samples import OPEN
from glacier_qgis.models.training.views.sampling import Batch, Batches


def with_teacher(batches: Batches, teacher: nn.Module) -> Batches:
    """Label the `OPEN` cells of patches by the zones of which a network is certain.

    Args:
        batches: Draws images, (N, channels, rows, columns) with the mask last, and their zones.
        teacher: Predicts zones, from images to logits (N, classes, h, w), on the images' device;
            h and w divide rows and columns evenly.
    """
    teacher = teacher.eval()

    def draw(generator: torch.Generator) -> Batch:
        images, zones = batches(generator)
        with torch.inference_mode():
            probability, place = teacher(images).softmax(dim=1).max(dim=1)
            certain = torch.where(probability >= SURE, place + 1, OPEN)
        factor = zones.shape[-1] // certain.shape[-1]
        certain = certain.repeat_interleave(factor, -1).repeat_interleave(factor, -2)
        return images, torch.where(zones == OPEN, certain, zones)

    return draw


def half_way(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the means of two states of one network; counts of batches are those after."""
    return {
        name: value.lerp(before[name], 0.5) if value.is_floating_point() else value
        for name, value in after.items()
    }
