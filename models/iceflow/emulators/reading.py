"""Detection of an emulator's family from its files."""

from __future__ import annotations

from pathlib import Path

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.emulators.card import Card, Core
from glacier_qgis.models.iceflow.emulators.dahunet import dahunet_card, is_dahunet, read_dahunet
from glacier_qgis.models.iceflow.emulators.keras_backend import read_keras
from glacier_qgis.models.iceflow.emulators.listed import REMEDY, list_card, read_lists
from glacier_qgis.models.iceflow.emulators.own import own_card, read_own
from glacier_qgis.models.iceflow.emulators.own_file import PACKAGE, is_own
from glacier_qgis.models.iceflow.emulators.own_file import WEIGHTS as OWN_WEIGHTS
from glacier_qgis.models.iceflow.emulators.published import UnknownLayoutError, read_published

WEIGHTS = ("model.h5", "model.keras", OWN_WEIGHTS)
"""The file in an emulator's folder."""
SUFFIXES = (".h5", ".keras", ".safetensors", PACKAGE)


def weights_of(path: Path) -> Path | None:
    """Return the emulator's file for a file or folder `path`; None if there is none."""
    if path.is_dir():
        return next((path / name for name in WEIGHTS if (path / name).is_file()), None)
    return path if path.suffix in SUFFIXES else None


def name_of(weights: Path) -> str:
    """Return an emulator's name: family and cell size, or the name of its file."""
    if weights.name not in WEIGHTS:
        return weights.stem
    folder = weights.parent
    return f"{folder.parent.name}/{folder.name}" if folder.name.isdecimal() else folder.name


def read_core(path: Path, name: str = "") -> Core:
    """Read an emulator from its folder or file.

    Plain convolutions and the dahunet family run in torch, every other Keras model with field
    lists beside it in TensorFlow.

    Raises:
        EngineError: There is no emulator, or it is damaged, or TensorFlow is needed and missing.
    """
    weights = _existing(path)
    name = name or name_of(weights)
    if is_dahunet(weights):
        return read_dahunet(weights, name)
    if is_own(weights):
        return read_own(weights, name)
    lists = read_lists(weights)
    if weights.suffix == ".keras":
        return read_keras(weights, name, lists)
    try:
        return read_published(weights, name, lists)
    except UnknownLayoutError:
        return read_keras(weights, name, lists)


def read_card(path: Path, name: str = "") -> Card:
    """Read the card of an emulator, without its network.

    Raises:
        EngineError: There is no emulator, or its lists cannot be read.
    """
    weights = _existing(path)
    name = name or name_of(weights)
    if is_dahunet(weights):
        return dahunet_card(weights, name)
    if is_own(weights):
        return own_card(weights, name)
    return list_card(name, weights.parent, read_lists(weights), None)


def _existing(path: Path) -> Path:
    weights = weights_of(path)
    if weights is None or not weights.is_file():
        raise EngineError(f"EMULATOR: there is no emulator at {path}: {REMEDY}")
    return weights
