"""An emulator of the plugin's own kinds as a package: card and weights, in a folder or a zip."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.card import Range
from glacier_qgis.models.iceflow.emulators.stored import MOST_BYTES, MOST_TEXT, member

CARD, WEIGHTS = "card.json", "weights.safetensors"
PACKAGE = ".zip"
FORMAT = 1
DAMAGE = (
    *(KeyError, TypeError, ValueError, AttributeError, RuntimeError, OSError),
    *(SafetensorError, zipfile.BadZipFile),
)
"""What reading makes of a package that is damaged or not one."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Date of every member, so that equal emulators are equal files."""


class About(NamedTuple):
    """What the card says beside the sizes of the network.

    Attributes:
        title: in a few words.
        version: of the weights.
        licence: of the weights.
        cell_sizes: of the training data, m.
        hull: bounds of the training data, by name of the input or output.
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


def is_own(weights: Path) -> bool:
    """Return whether a file is such a package, or its weights with the card beside them."""
    if weights.suffix == PACKAGE:
        return True
    return weights.name == WEIGHTS and weights.with_name(CARD).is_file()


def write_own(
    path: Path, kind: str, about: About, state: Mapping[str, Tensor], sizes: Mapping[str, Any]
) -> None:
    """Write a package, as a zip if the path ends so and as a folder otherwise.

    Args:
        path: where to write; a folder is made.
        kind: of the network.
        about: what the card says.
        state: weights by name; written in half precision.
        sizes: of the network, and what else belongs to it.
    """
    halves = {
        name: weight.detach().cpu().half().contiguous().clone() for name, weight in state.items()
    }
    card = {"format": FORMAT, "kind": kind, **about._asdict(), **sizes}
    parts = {
        CARD: (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode(),
        WEIGHTS: save(halves),
    }
    if path.suffix == PACKAGE:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)
        return
    path.mkdir(parents=True, exist_ok=True)
    for name, content in parts.items():
        (path / name).write_bytes(content)


def read_content(weights: Path) -> dict[str, Any]:
    """Read the card of a package.

    Raises:
        EngineError: It is damaged, or of another format.
    """
    try:
        content = json.loads(_part(weights, CARD, MOST_TEXT))
        if not isinstance(content["kind"], str) or content["format"] != FORMAT:
            raise ValueError(f"{content['kind']}, format {content['format']}")
    except (*DAMAGE, RecursionError) as error:
        raise damaged(weights, error) from error
    return dict(content)


def read_state(weights: Path) -> dict[str, Tensor]:
    """Read the weights of a package, in single precision.

    Raises:
        EngineError: They are damaged, or not finite.
    """
    try:
        state = {
            name: weight.float()
            for name, weight in load(_part(weights, WEIGHTS, MOST_BYTES)).items()
        }
        if not all(bool(torch.isfinite(weight).all()) for weight in state.values()):
            raise ValueError("weights that are not finite")
    except DAMAGE as error:
        raise damaged(weights, error) from error
    return state


def holds_emulator(path: Path) -> bool:
    """Return whether a zip or a folder is such a package, and no model of another kind."""
    weights = path / WEIGHTS if path.is_dir() else path
    if path.suffix != PACKAGE and not path.is_dir():
        return False
    try:
        return {"hull", "cell_sizes"} <= read_content(weights).keys()
    except EngineError:
        return False


def copy_own(weights: Path, folder: Path) -> None:
    """Copy a package into a new folder.

    Raises:
        EngineError: It is damaged.
    """
    try:
        parts = {
            CARD: _part(weights, CARD, MOST_TEXT),
            WEIGHTS: _part(weights, WEIGHTS, MOST_BYTES),
        }
    except DAMAGE as error:
        raise damaged(weights, error) from error
    folder.mkdir()
    for name, content in parts.items():
        (folder / name).write_bytes(content)


def bounds(content: Mapping[str, Any]) -> tuple[Range, dict[str, Range]]:
    """Return the cell sizes (m) and the hull that a card states."""
    hull = {key: _range(value) for key, value in content["hull"].items()}
    return _range(content["cell_sizes"]), hull


def damaged(weights: Path, error: Exception) -> EngineError:
    """Return the refusal of a package."""
    place = weights if weights.suffix == PACKAGE else weights.parent
    reason = str(error) or type(error).__name__
    return EngineError(
        f"EMULATOR: {place} does not hold an emulator of the plugin ({reason}): get it again, or "
        "choose another emulator."
    )


def _part(weights: Path, name: str, most: int) -> bytes:
    if weights.suffix == PACKAGE:
        with zipfile.ZipFile(weights) as archive:
            return member(archive, name, most)
    path = weights.with_name(name)
    if path.stat().st_size > most:
        raise ValueError(f"{name} of {path.stat().st_size / 2**20:.0f} MiB")
    return path.read_bytes()


def _range(value: Any) -> Range:  # noqa: ANN401
    low, high = (float(bound) for bound in value)
    return low, high
