import numpy as np
import torch

from glacier_qgis.models.radar.layers.codes import NO_LAYER, UNLABELLED
from glacier_qgis.models.radar.layers.labels import labels_of
from glacier_qgis.models.training.losses.layers import layer_loss


def test_the_loss_ignores_what_is_unlabelled() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 4, 16, 16, requires_grad=True)
    codes = torch.randint(0, 5, (2, 16, 16))
    layer_loss(logits, codes).backward()
    assert logits.grad is not None
    gradient = logits.grad.abs().sum(dim=1)
    assert (gradient[codes == UNLABELLED] == 0).all()
    assert (gradient[codes != UNLABELLED] > 0).all()
    nothing = torch.zeros_like(codes)
    assert layer_loss(logits, nothing).item() == 0


def test_a_layer_that_was_not_drawn_costs_nothing() -> None:
    layers = [np.full(16, row) for row in (20.0, 40.0)]
    none = np.full(16, np.nan)
    partial = labels_of(layers[:1], none, none, 64, complete=False)
    sees_both = np.full((4, 64, 16), -6.0, np.float32)
    sees_both[NO_LAYER - 1] = 6
    sees_both[:, [20, 40]] = sees_both[[1, 0, 2, 3]][:, [20, 40]]
    logits = torch.from_numpy(sees_both)[None]

    def loss(codes: np.ndarray) -> float:
        return float(layer_loss(logits, torch.from_numpy(codes.astype(np.int64))[None]))

    assert loss(partial) < 1e-3
    assert loss(labels_of(layers[:1], none, none, 64)) > 0.05
