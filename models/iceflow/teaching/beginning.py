"""The network that a training begins with: random weights, or those of another emulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import nn

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.emulators import plain_file
from glacier_qgis.models.iceflow.emulators.card import (
    MEAN_FLOW,
    OUTPUTS,
    Card,
    FlowParameters,
)
from glacier_qgis.models.iceflow.emulators.listed import FieldLists
from glacier_qgis.models.iceflow.emulators.own import kind_of
from glacier_qgis.models.iceflow.emulators.own_file import is_own
from glacier_qgis.models.iceflow.emulators.plain_file import INPUTS, PlainSizes, plain_network
from glacier_qgis.models.iceflow.emulators.pyramid import file as pyramid_file
from glacier_qgis.models.iceflow.emulators.reading import read_card, weights_of
from glacier_qgis.models.iceflow.teaching.pupils import (
    DELIVERED,
    PlainPupil,
    Pupil,
    PyramidPupil,
)
from glacier_qgis.models.iceflow.teaching.states.glaciers import Topography
from glacier_qgis.models.iceflow.teaching.states.hull import greatest, typical_speed
from glacier_qgis.models.iceflow.velocity.catalogue import find_emulator
from glacier_qgis.models.networks.ice_pyramid import Sizes
from glacier_qgis.models.networks.igm import IgmCnn

NetworkKind = Literal["pyramid", "plain convolutions"]


@dataclass(frozen=True)
class Beginning:
    """What was asked for.

    Attributes:
        network: "pyramid" or "plain convolutions".
        layers: of plain convolutions.
        filters: of each.
        kernel: cells along each side.
        start_from: name or path of an emulator; blank for random weights.
        seed: of random weights.
    """

    network: NetworkKind
    layers: int
    filters: int
    kernel: int
    start_from: str
    seed: int


@dataclass(frozen=True)
class Start:
    """A network before its training.

    Attributes:
        pupil: the network.
        kind: of it.
        words: what it is, for people.
        origin: the emulator that the weights are of; blank for random ones.
        card: of that emulator.
    """

    pupil: Pupil
    kind: NetworkKind
    words: str
    origin: str = ""
    card: Card | None = None


def begin(asked: Beginning, topographies: Sequence[Topography], reporter: Reporter) -> Start:
    """Return the network to train.

    Args:
        asked: what was asked for.
        topographies: to train on; their values scale the fields of plain convolutions.
        reporter: told where the weights are from.

    Raises:
        EngineError: The emulator to start from is none that can be trained.
    """
    torch.manual_seed(asked.seed)
    if asked.start_from.strip():
        return _trained(asked, topographies, reporter)
    if asked.network == "pyramid":
        pupil = PyramidPupil.new(_pyramid_sizes(topographies))
        return Start(pupil, "pyramid", _pyramid_words(pupil))
    sizes = PlainSizes(asked.layers, asked.filters, asked.kernel)
    states = [state for one in topographies for state in one.states]
    known = all(bool(torch.isfinite(state.velocity).all()) for state in states)
    outputs = OUTPUTS if known or not any(state.solved for state in states) else MEAN_FLOW
    speed = typical_speed(states)
    lists = FieldLists(
        dict(zip(INPUTS, greatest(states), strict=True)), dict.fromkeys(outputs, speed)
    )
    plain = PlainPupil(_at_rest(plain_network(sizes, len(outputs))), lists)
    return Start(plain, "plain convolutions", _plain_words(plain))


def _pyramid_sizes(topographies: Sequence[Topography]) -> Sizes:
    """Return those of the delivered emulator, whose steps hold for its own instructor alone."""
    if all("Blatter-Pattyn" in one.instructor for one in topographies):
        return DELIVERED
    return replace(DELIVERED, steps=0)


def _at_rest(network: IgmCnn) -> IgmCnn:
    """Return a network that begins by saying that nothing moves."""
    nn.init.zeros_(network.head.weight)
    if network.head.bias is not None:
        nn.init.zeros_(network.head.bias)
    return network


def _trained(asked: Beginning, topographies: Sequence[Topography], reporter: Reporter) -> Start:
    size = topographies[0].states[0].cell_size
    choice = find_emulator(asked.start_from, FlowParameters(size, 78.0, 0.0), reporter.log)
    weights = weights_of(choice.path)
    if weights is None or not is_own(weights):
        raise EngineError(
            f"START_FROM: {choice.name} is an emulator of IGM, whose training cannot be continued "
            "here. Choose 'blatter_pattyn' or one that 'Train emulator' wrote."
        )
    kind = kind_of(weights)
    card = read_card(choice.path, choice.name)
    reporter.log(f"The training begins with the weights of {choice.name}.")
    pupil: Pupil
    if kind == pyramid_file.KIND:
        pupil = PyramidPupil(pyramid_file.read_pyramid_network(weights))
        words, name = _pyramid_words(pupil), "pyramid"
    else:
        pupil = PlainPupil(*plain_file.read_plain_network(weights))
        words, name = _plain_words(pupil), "plain convolutions"
    if name != asked.network:
        reporter.warning(
            f"NETWORK '{asked.network}' was asked for, but {choice.name}, which the training "
            f"starts from, is of the kind '{name}': that is trained."
        )
    return Start(
        pupil, "pyramid" if name == "pyramid" else "plain convolutions", words, choice.name, card
    )


def _pyramid_words(pupil: Pupil) -> str:
    return f"Pyramid with {_weights(pupil)} weights"


def _plain_words(pupil: Pupil) -> str:
    sizes = pupil.sizes
    network = f"{sizes['layers']} × {sizes['filters']} × {sizes['kernel']}"
    return (
        f"Plain convolutions {network} (layers × filters × kernel) with {_weights(pupil)} weights"
    )


def _weights(pupil: Pupil) -> str:
    return f"{sum(weight.numel() for weight in pupil.network.parameters()):,}"
