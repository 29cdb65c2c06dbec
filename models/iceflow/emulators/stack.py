"""Emulators whose network is a plain stack of convolutions, evaluated where it is asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.card import Setting
from glacier_qgis.models.iceflow.emulators.listed import FieldLists, ListedCore
from glacier_qgis.models.networks.igm import IgmCnn
from glacier_qgis.models.networks.strips import evaluate, make_plan


class StackCore(ListedCore):
    """See `ListedCore`; a `SelectiveCore` too."""

    network: IgmCnn

    def __init__(self, name: str, weights: Path, lists: FieldLists, network: IgmCnn) -> None:
        """Put `network` behind the interface; the rest as in `ListedCore`."""
        super().__init__(name, weights, lists, network, network.outputs, network.radius)

    def chosen(
        self,
        thickness: Tensor,
        surface: Tensor,
        setting: Setting,
        wanted: npt.NDArray[np.bool_],
    ) -> Tensor:
        """See `SelectiveCore`."""
        fields = self.scaled_fields(thickness[None], surface[None], setting)[0]
        plan = make_plan(wanted, self.network.radius)
        return torch.mm(self.mix, evaluate(self.network, fields, plan))
