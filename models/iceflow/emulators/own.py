"""Emulators of the plugin's own kinds, by what their card says."""

from __future__ import annotations

from pathlib import Path

from glacier_qgis.models.iceflow.emulators import plain_file
from glacier_qgis.models.iceflow.emulators.card import Card, Core
from glacier_qgis.models.iceflow.emulators.own_file import damaged, read_content
from glacier_qgis.models.iceflow.emulators.pyramid import file as pyramid_file


def read_own(weights: Path, name: str) -> Core:
    """Read an emulator.

    Raises:
        EngineError: It is damaged, or of no known kind.
    """
    kind = kind_of(weights)
    if kind == plain_file.KIND:
        return plain_file.read_plain(weights, name)
    return pyramid_file.read_pyramid(weights, name)


def own_card(weights: Path, name: str) -> Card:
    """Read what an emulator says of itself.

    Raises:
        EngineError: Its card is damaged, or of no known kind.
    """
    kind = kind_of(weights)
    if kind == plain_file.KIND:
        return plain_file.plain_card(weights, name)
    return pyramid_file.pyramid_card(weights, name)


def kind_of(weights: Path) -> str:
    """Return the kind of network of an emulator.

    Raises:
        EngineError: It is damaged, or of no known kind.
    """
    kind = str(read_content(weights)["kind"])
    if kind not in (plain_file.KIND, pyramid_file.KIND):
        raise damaged(weights, ValueError(f"of the kind '{kind}'"))
    return kind
