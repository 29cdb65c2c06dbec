"""A package with an `IcePyramid`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from glacier_qgis.models.iceflow.emulators.card import OUTPUTS, Card
from glacier_qgis.models.iceflow.emulators.own_file import (
    DAMAGE,
    About,
    bounds,
    damaged,
    read_content,
    read_state,
    write_own,
)
from glacier_qgis.models.iceflow.emulators.pyramid.core import PyramidCore
from glacier_qgis.models.iceflow.emulators.pyramid.levels import SCALARS, VECTORS
from glacier_qgis.models.networks.ice_pyramid import IcePyramid, Sizes

KIND = "ice pyramid"
INPUTS = ("thk", "usurf", "arrhenius", "slidingco", "dX")
MOST_LEVELS, MOST_FEATURES, MOST_BLOCKS, MOST_KERNEL, MOST_WIDER = 12, 128, 64, 31, 16
MOST_STEPS = 100


def write_pyramid(path: Path, network: IcePyramid, about: About) -> None:
    """Write an emulator into a folder, which is made, or a zip."""
    write_own(path, KIND, about, network.state_dict(), {"sizes": asdict(network.sizes)})


def read_pyramid(weights: Path, name: str) -> PyramidCore:
    """Read an emulator.

    Raises:
        EngineError: It is damaged.
    """
    return PyramidCore(pyramid_card(weights, name), read_pyramid_network(weights))


def read_pyramid_network(weights: Path) -> IcePyramid:
    """Read the network of an emulator, as it is trained.

    Raises:
        EngineError: It is damaged.
    """
    content, state = read_content(weights), read_state(weights)
    try:
        network = IcePyramid(_sizes(content["sizes"]))
        network.load_state_dict(state)
    except DAMAGE as error:
        raise damaged(weights, error) from error
    return network


def pyramid_card(weights: Path, name: str) -> Card:
    """Read what an emulator says of itself.

    Raises:
        EngineError: Its card is damaged.
    """
    content = read_content(weights)
    try:
        return Card(name, INPUTS, OUTPUTS, *bounds(content))
    except DAMAGE as error:
        raise damaged(weights, error) from error


def _sizes(content: Mapping[str, Any]) -> Sizes:
    sizes = Sizes.of(content)
    fit = (
        (sizes.scalars, sizes.vectors) == (SCALARS, VECTORS)
        and 0 < len(sizes.features) == len(sizes.blocks) <= MOST_LEVELS
        and all(0 < features <= MOST_FEATURES for features in sizes.features)
        and all(0 <= blocks <= MOST_BLOCKS for blocks in sizes.blocks)
        and 0 < sizes.kernel <= MOST_KERNEL
        and sizes.kernel % 2 == 1
        and 0 < sizes.wider <= MOST_WIDER
        and 0 <= sizes.steps <= MOST_STEPS
    )
    if not fit:
        raise ValueError(f"a network of {sizes}")
    return sizes
