"""Emulators whose network is a plain stack of convolutions, evaluated only in the wanted cells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from glacier_qgis.models.compute.arrays import Mask
from glacier_qgis.models.iceflow.emulators.card import FlowCoefficient, FlowParameters
from glacier_qgis.models.iceflow.emulators.listed import FieldLists, ListedCore
from glacier_qgis.models.networks.atlas.evaluate import Features, evaluate, features
from glacier_qgis.models.networks.atlas.plan import Plan, make_plan
from glacier_qgis.models.networks.atlas.reach import remembered_layers
from glacier_qgis.models.networks.igm import IgmCnn

MOST_REMEMBERED = 512 << 20
"""Largest size of cached features, bytes."""
PATIENCE = 256
"""Number of calls after which unused features may be removed."""


@dataclass
class Bare:
    """Cached features of ground without ice.

    Attributes:
        ground: Elevation, m; kept so that its memory address stays in use.
        parameters: Kept for the same reason.
        fields: The network's inputs.
        features: Features of the first layers.
        size: Of the features, bytes.
        used: Number of the last call that used it.
        plan: Plan of the last call.
    """

    ground: Tensor
    parameters: FlowParameters
    fields: Tensor
    features: Features
    size: int
    used: int = 0
    plan: Plan | None = None


class StackCore(ListedCore):
    """See `ListedCore`; a `SelectiveCore` too."""

    network: IgmCnn

    def __init__(self, name: str, weights: Path, lists: FieldLists, network: IgmCnn) -> None:
        """Wrap `network`; other arguments as in `ListedCore`."""
        super().__init__(name, weights, lists, network, network.outputs, network.radius)
        self._bare: dict[tuple[object, ...], Bare] = {}
        self._calls = 0

    def chosen(
        self,
        thickness: Tensor,
        surface: Tensor,
        parameters: FlowParameters,
        wanted: Mask,
        ground: Tensor | None = None,
        threads: int = 1,
    ) -> Tensor:
        """See `SelectiveCore`."""
        fields = self.scaled_fields(thickness[None], surface[None], parameters)[0]
        layers = self.network.radius
        bare = None if ground is None else self._remember(ground, parameters)
        if bare is None:
            answer = evaluate(self.network, fields, make_plan(wanted, layers, parts=threads))
        else:
            changed = (fields != bare.fields).any(dim=0).numpy()
            plan = bare.plan = make_plan(wanted, layers, changed, threads, bare.plan)
            answer = evaluate(self.network, fields, plan, bare.features)
        return torch.mm(self.mix, answer)

    def _remember(self, ground: Tensor, parameters: FlowParameters) -> Bare | None:
        """Return the features of ground without ice; None if they do not fit."""
        key = tuple(_identity(value) for value in (ground, *parameters))
        self._calls += 1
        bare = self._bare.get(key)
        if bare is None:
            width = self.network.head.in_channels * ground.element_size()
            size = ground.numel() * width * remembered_layers(self.network.radius)
            self._forget()
            taken = sum(bare.size for bare in list(self._bare.values()))
            if not 0 < size <= MOST_REMEMBERED - taken:
                return None
            fields = self.scaled_fields(torch.zeros_like(ground)[None], ground[None], parameters)[0]
            bare = Bare(ground, parameters, fields, features(self.network, fields), size)
            self._bare[key] = bare
        bare.used = self._calls
        return bare

    def _forget(self) -> None:
        """Remove features that were not used for long, since windows move with the ice."""
        for key, bare in list(self._bare.items()):
            if self._calls - bare.used > PATIENCE:
                self._bare.pop(key, None)


def _identity(value: FlowCoefficient) -> object:
    """Return what tells a field from another without reading it."""
    if isinstance(value, Tensor):
        return value.data_ptr(), value.shape, value.stride()
    return value
