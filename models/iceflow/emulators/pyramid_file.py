"""A folder with an emulator of the plugin's own kind: a card and its weights."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.card import OUTPUTS, Card, Range
from glacier_qgis.models.iceflow.emulators.levels import SCALARS, VECTORS
from glacier_qgis.models.iceflow.emulators.pyramid_core import PyramidCore
from glacier_qgis.models.networks.ice_pyramid import IcePyramid, Sizes

CARD, WEIGHTS = "card.json", "weights.safetensors"
KIND = "ice pyramid"
FORMAT = 1
INPUTS = ("thk", "usurf", "arrhenius", "slidingco", "dX")
MOST_LEVELS, MOST_FEATURES, MOST_BLOCKS, MOST_KERNEL, MOST_WIDER = 12, 128, 64, 31, 16


class About(NamedTuple):
    """What the card says beside the sizes of the network.

    Attributes:
        title: in a few words.
        version: of the weights.
        licence: of the weights.
        cell_sizes: of the training data, m.
        hull: bounds of A and c, by name of the input.
        training: instructor and training data.
        fidelity: metrics, by name.
    """

    title: str
    version: str
    licence: str
    cell_sizes: Range
    hull: dict[str, Range]
    training: dict[str, Any]
    fidelity: dict[str, Any]


def is_pyramid(weights: Path) -> bool:
    """Return whether a file is the weights of such an emulator, with its card beside it."""
    return weights.name == WEIGHTS and weights.with_name(CARD).is_file()


def write_pyramid(folder: Path, network: IcePyramid, about: About) -> None:
    """Write an emulator into a folder, which is made; weights in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: weight.half().contiguous() for name, weight in network.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    card = {"format": FORMAT, "kind": KIND, **about._asdict(), "sizes": asdict(network.sizes)}
    text = json.dumps(card, indent=2, ensure_ascii=False)
    (folder / CARD).write_text(text + "\n", encoding="utf-8")


def read_pyramid(weights: Path, name: str) -> PyramidCore:
    """Read an emulator.

    Raises:
        EngineError: It is damaged or of another kind.
    """
    content = _content(weights)
    try:
        network = IcePyramid(_sizes(content["sizes"]))
        state = {name: weight.float() for name, weight in load_file(weights).items()}
        network.load_state_dict(state)
        if not all(bool(torch.isfinite(weight).all()) for weight in state.values()):
            raise ValueError("weights that are not finite")
    except (KeyError, TypeError, ValueError, RuntimeError, OSError, SafetensorError) as error:
        raise _damaged(weights, error) from error
    return PyramidCore(pyramid_card(weights, name), network)


def pyramid_card(weights: Path, name: str) -> Card:
    """Read what an emulator says of itself.

    Raises:
        EngineError: Its card is damaged or of another kind.
    """
    content = _content(weights)
    try:
        hull = {key: _range(value) for key, value in content["hull"].items()}
        return Card(name, INPUTS, OUTPUTS, _range(content["cell_sizes"]), hull)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(weights, error) from error


def _content(weights: Path) -> dict[str, Any]:
    try:
        content = json.loads(weights.with_name(CARD).read_text(encoding="utf-8"))
        if content["kind"] != KIND or content["format"] != FORMAT:
            raise ValueError(f"{content['kind']}, format {content['format']}")
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise _damaged(weights, error) from error
    return dict(content)


def _sizes(content: dict[str, Any]) -> Sizes:
    sizes = Sizes.of(content)
    fit = (
        (sizes.scalars, sizes.vectors) == (SCALARS, VECTORS)
        and 0 < len(sizes.features) == len(sizes.blocks) <= MOST_LEVELS
        and all(0 < features <= MOST_FEATURES for features in sizes.features)
        and all(0 <= blocks <= MOST_BLOCKS for blocks in sizes.blocks)
        and 0 < sizes.kernel <= MOST_KERNEL
        and sizes.kernel % 2 == 1
        and 0 < sizes.wider <= MOST_WIDER
    )
    if not fit:
        raise ValueError(f"a network of {sizes}")
    return sizes


def _range(value: Any) -> Range:  # noqa: ANN401
    low, high = (float(bound) for bound in value)
    return low, high


def _damaged(weights: Path, error: Exception) -> EngineError:
    return EngineError(
        f"EMULATOR: {weights.parent} does not hold an emulator of the kind '{KIND}' ({error}): "
        "get it again, or choose another emulator."
    )
