"""Which emulators are there, and which one suits a grid."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.registry import user_folder

AUTOMATIC = ("", "automatic")
PREFERENCE = ("f15_", "f14_", "f12_")
"""Families in the order of choice between equally close resolutions."""
WHEEL = "igm-model"
"""The distribution that carries published emulators."""
_IN_WHEEL = "igm/processes/iceflow/emulate/emulators"
_CURE = (
    "run 'Set up engine' with the extra 'IGM emulators', or give the folder of an emulator "
    "(with model.h5, fieldin.dat and fieldout.dat)."
)


def installed_emulators() -> dict[str, Path]:
    """Return emulator folders by name, such as ``f15_cfsflow_GJ_22_a/100``.

    They come from the folder ``iceflow/emulators`` in ``GLACIER_DATA``, the wheel `igm-model`
    (found without importing it) and the person's own folder; of equal names the last counts.
    """
    found: dict[str, Path] = {}
    for root in _roots():
        for weights in sorted(root.glob("*/*/model.h5")):
            folder = weights.parent
            if folder.name.isdecimal():
                found[f"{folder.parent.name}/{folder.name}"] = folder
    return found


def _roots() -> list[Path]:
    roots = []
    if data := os.environ.get("GLACIER_DATA"):
        roots.append(Path(data) / "iceflow" / "emulators")
    with contextlib.suppress(metadata.PackageNotFoundError):
        roots.append(Path(str(metadata.distribution(WHEEL).locate_file(_IN_WHEEL))))
    return [*roots, user_folder() / "emulators"]


def find_emulator(wanted: str, resolution: float, log: Callable[[str], None]) -> tuple[str, Path]:
    """Return the name and the path of the emulator to use.

    Args:
        wanted: a name or family from the catalogue, a path to an emulator or a family of them,
            or blank (or "automatic") for the one trained nearest to `resolution`.
        resolution: cell size of the grid, m.
        log: is told what was chosen, and why.

    Raises:
        EngineError: There is no such emulator, or none at all.
    """
    wanted = wanted.strip()
    emulators = installed_emulators()
    path = Path(wanted).expanduser()
    if wanted.lower() in AUTOMATIC:
        choices = emulators
    elif wanted in emulators:
        choices = {wanted: emulators[wanted]}
    elif path.is_file() or (path / "model.h5").is_file():
        folder = path if path.is_dir() else path.parent
        return f"{folder.parent.name}/{folder.name}", path
    elif path.is_dir():
        choices = {f"{path.name}/{w.parent.name}": w.parent for w in path.glob("*/model.h5")}
        choices = {name: folder for name, folder in choices.items() if folder.name.isdecimal()}
    else:
        choices = {name: at for name, at in emulators.items() if name.split("/")[0] == wanted}
    if not choices:
        raise EngineError(_missing(wanted, emulators))
    name = min(choices, key=lambda name: _unfitness(name, resolution))
    if wanted != name:
        log(
            f"Emulator {name}: of {len(choices)} it was trained on the cell size nearest to "
            f"{resolution:g} m."
        )
    return name, choices[name]


def _unfitness(name: str, resolution: float) -> tuple[float, int, str]:
    """Order by ratio of resolutions, then by family, then by name."""
    family, _, trained = name.rpartition("/")
    ratio = abs(math.log(float(trained) / resolution))
    ranks = [rank for rank, prefix in enumerate(PREFERENCE) if family.startswith(prefix)]
    return round(ratio, 6), ranks[0] if ranks else len(PREFERENCE), name


def _missing(wanted: str, emulators: dict[str, Path]) -> str:
    if wanted.lower() in AUTOMATIC:
        return f"EMULATOR: no ice-flow emulator is installed: {_CURE}"
    names = ", ".join(sorted(emulators)) or "none"
    return f"EMULATOR: there is no emulator {wanted!r} (installed: {names}): {_CURE}"
