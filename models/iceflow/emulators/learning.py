"""Copies of emulators that can be trained; the files on disk are never changed."""

from __future__ import annotations

from copy import deepcopy

from torch import nn

from glacier_qgis.models.iceflow.emulators.card import OUTPUTS, Core
from glacier_qgis.models.iceflow.emulators.dahunet import DahunetCore
from glacier_qgis.models.iceflow.emulators.listed import ListedCore
from glacier_qgis.models.iceflow.emulators.pyramid.core import PyramidCore
from glacier_qgis.models.networks.igm import IgmCnn

Learning = PyramidCore | DahunetCore | ListedCore
"""What can be trained: its `network` holds the weights."""


def can_learn(core: Core) -> str:
    """Return why an emulator cannot be trained on the energy; blank if it can."""
    if not set(OUTPUTS) <= set(core.card.outputs):
        missing = [name for name in OUTPUTS if name not in core.card.outputs]
        return f"it does not predict {' and '.join(missing)}, which the energy needs"
    if isinstance(core, ListedCore) and not isinstance(core.network, IgmCnn):
        return "it runs in TensorFlow"
    return "" if isinstance(core, Learning) else "its network is of another kind"


def learning(core: Core) -> Learning:
    """Return a copy whose predictions have gradients to the weights of its network.

    Raises:
        TypeError: It cannot be trained; see :func:`can_learn`.
    """
    if not isinstance(core, Learning):
        raise TypeError(f"{core.card.name} cannot be trained: {can_learn(core)}")
    if isinstance(core, PyramidCore):
        network = deepcopy(core.shared).requires_grad_(requires_grad=True)
        return PyramidCore(core.card, network, learning=True)
    copy = deepcopy(core)
    weights(copy).requires_grad_(requires_grad=True)
    return copy


def fixed(core: Learning) -> Learning:
    """Return a copy with the weights of now, which predicts fast."""
    if isinstance(core, PyramidCore):
        return PyramidCore(core.card, deepcopy(core.shared))
    copy = deepcopy(core)
    weights(copy).requires_grad_(requires_grad=False)
    return copy


def weights(core: Learning) -> nn.Module:
    """Return the network that holds the weights."""
    if isinstance(core.network, nn.Module):
        return core.network
    raise TypeError(f"{core.card.name} has no weights in this process")
