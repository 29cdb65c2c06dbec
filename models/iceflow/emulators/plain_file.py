"""A package with a stack of convolutions, as Jouvet et al. (2022) train it.

Its inputs are thickness, slopes, A and c in their units, divided by scales, and its outputs are
velocities divided by a scale (doi 10.1017/jog.2021.120, Section 2.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glacier_qgis.models.iceflow.emulators.card import MEAN_FLOW, OUTPUTS, Card
from glacier_qgis.models.iceflow.emulators.listed import FieldLists, ListedCore
from glacier_qgis.models.iceflow.emulators.own_file import (
    DAMAGE,
    About,
    bounds,
    damaged,
    read_content,
    read_state,
    write_own,
)
from glacier_qgis.models.iceflow.emulators.stack import StackCore
from glacier_qgis.models.networks.igm import IgmCnn

KIND = "plain convolutions"
INPUTS = ("thk", "slopsurfx", "slopsurfy", "arrhenius", "slidingco")
MOST_LAYERS, MOST_FILTERS, MOST_KERNEL = 128, 1024, 15
PUBLISHED_KERNEL = 3
"""The kernel for which cells are computed selectively (:class:`StackCore`)."""


@dataclass(frozen=True)
class PlainSizes:
    """How large such a network is.

    Attributes:
        layers: hidden convolutions.
        filters: of each.
        kernel: cells along each side.
    """

    layers: int
    filters: int
    kernel: int


def plain_network(sizes: PlainSizes, outputs: int) -> IgmCnn:
    """Return a network with random weights, for 2 or 6 velocities."""
    return IgmCnn(len(INPUTS), outputs, sizes.layers, sizes.filters, sizes.kernel)


def write_plain(path: Path, network: IgmCnn, lists: FieldLists, about: About) -> None:
    """Write an emulator into a folder, which is made, or a zip."""
    sizes = {
        "layers": len(network.hidden),
        "filters": network.head.in_channels,
        "kernel": network.kernel,
    }
    fields = {"inputs": dict(lists.inputs), "outputs": dict(lists.outputs)}
    write_own(path, KIND, about, network.state_dict(), {"sizes": sizes, **fields})


def read_plain(weights: Path, name: str) -> ListedCore:
    """Read an emulator.

    Raises:
        EngineError: It is damaged.
    """
    network, lists = read_plain_network(weights)
    core = (
        StackCore(name, weights, lists, network)
        if network.kernel == PUBLISHED_KERNEL
        else ListedCore(name, weights, lists, network, network.outputs, network.radius)
    )
    core.card = plain_card(weights, name)
    return core


def read_plain_network(weights: Path) -> tuple[IgmCnn, FieldLists]:
    """Read the network of an emulator, and names and scales of its fields.

    Raises:
        EngineError: It is damaged.
    """
    content, state = read_content(weights), read_state(weights)
    try:
        sizes, lists = _sizes(content["sizes"]), _lists(content)
        network = plain_network(sizes, len(lists.outputs))
        network.load_state_dict(state)
    except DAMAGE as error:
        raise damaged(weights, error) from error
    return network, lists


def plain_card(weights: Path, name: str) -> Card:
    """Read what an emulator says of itself.

    Raises:
        EngineError: Its card is damaged.
    """
    content = read_content(weights)
    try:
        sizes, lists = _sizes(content["sizes"]), _lists(content)
        radius = sizes.layers * (sizes.kernel // 2) + 1
        return Card(name, INPUTS, tuple(lists.outputs), *bounds(content), radius=radius)
    except DAMAGE as error:
        raise damaged(weights, error) from error


def _sizes(content: Mapping[str, Any]) -> PlainSizes:
    sizes = PlainSizes(**content)
    fit = (
        0 < sizes.layers <= MOST_LAYERS
        and 0 < sizes.filters <= MOST_FILTERS
        and 0 < sizes.kernel <= MOST_KERNEL
        and sizes.kernel % 2 == 1
    )
    if not fit:
        raise ValueError(f"a network of {sizes}")
    return sizes


def _lists(content: Mapping[str, Any]) -> FieldLists:
    inputs, outputs = (
        {str(name): float(scale) for name, scale in content[part].items()}
        for part in ("inputs", "outputs")
    )
    known = tuple(inputs) == INPUTS and tuple(outputs) in {MEAN_FLOW, OUTPUTS}
    if not known or not all(
        0 < scale < float("inf") for scale in (*inputs.values(), *outputs.values())
    ):
        raise ValueError(f"fields {', '.join((*inputs, *outputs))}")
    return FieldLists(inputs, outputs)
