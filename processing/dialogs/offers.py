"""What a person can choose from as a model or an emulator, and what the cards say of each."""

from __future__ import annotations

import json
import statistics
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glacier_qgis.resources import ZOO
from glacier_qgis.settings import models_folder

EMULATORS: Mapping[str, Mapping[str, Any]] = json.loads(
    (ZOO / "emulators.json").read_text(encoding="utf-8")
)
"""What 'Set up engine' installs; the engine's messages name the same."""
EMULATOR_FILES = ("model.h5", "model.keras")
CARD = "card.json"
LARGEST_CARD = 1_000_000
"""Bytes; what is larger is no card."""
ERRORS = ("median_over_images_scene_m", "median_over_tiles_tile_m")
"""Under which names an evaluation tells the median distance of its fronts from the true ones."""
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile)


def offered(kind: str) -> list[str]:
    """Return the names to offer for "model" or "emulator": those delivered, then those added."""
    added = models_folder()
    if kind == "emulator":
        found = {
            path.parent.relative_to(added / "emulators").as_posix()
            for pattern in ("[!.]*", "[!.]*/[!.]*")
            for file in EMULATOR_FILES
            for path in added.glob(f"emulators/{pattern}/{file}")
        } | {path.stem for path in added.glob("emulators/[!.]*.keras")}
        return [*EMULATORS, *sorted(found - EMULATORS.keys())]
    own = sorted(path.parent.name for path in ZOO.glob(f"*/{CARD}"))
    return own + sorted({path.parent.name for path in added.glob(f"[!.]*/{CARD}")} - {*own})


def meaning_of_nothing(kind: str, empty: str) -> str:
    """Return what happens where nothing is chosen, which the list calls `empty`."""
    if empty == "none":
        return "Training starts from random weights."
    if kind == "emulator":
        return "The one that fits resolution, sliding and rate factor best. The log says which."
    cards = {path.parent.name: _card(path) for path in sorted(ZOO.glob(f"*/{CARD}"))}
    pairs = ", ".join(
        f"{name} for {' and '.join(c['sensors'])} scenes" for name, c in cards.items()
    )
    return f"Chosen by the scene's sensor and bands: {pairs}. The log says which, and why."


def facts(kind: str, value: str) -> str:
    """Return in a line what is known of a name or a path; what to do where there is no such."""
    return emulator_facts(value) if kind == "emulator" else model_facts(value)


def model_facts(value: str) -> str:
    """Return title, sensor, cell size and accuracy from the card of a model."""
    path = next(
        (folder for root in (ZOO, models_folder()) if (folder := root / value / CARD).is_file()),
        Path(value).expanduser(),
    )
    try:
        if path.suffix.lower() == ".onnx" and path.is_file():
            return "ONNX model. Its metadata are read when it is run."
        if not path.exists():
            return f"There is no model '{value}'. Choose one from the list, or a file."
        return " · ".join(filter(None, _from_card(_card(path))))
    except UNREADABLE:
        return f"'{value}' has no card that can be read. Choose another model."


def emulator_facts(value: str) -> str:
    """Return title, cell sizes and training of an emulator."""
    known = EMULATORS.get(value)
    if known:
        low, high = known["cell_sizes_m"]
        return f"{known['title']} · cells of {low:g} to {high:g} m · {known['training']}"
    if value in offered("emulator") or value in {name.split("/")[0] for name in EMULATORS}:
        return "Installed emulator. The log says which cells and ice it was trained for."
    if value.strip() and Path(value).expanduser().exists():
        return "Emulator in a file. The log says which cells and ice it was trained for."
    return f"There is no emulator '{value}'. Choose one from the list, or a file or folder."


def _card(path: Path) -> dict[str, Any]:
    """Read the card of a package: a zip, a folder, or the card itself."""
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as package:
            name = min((n for n in package.namelist() if Path(n).name == CARD), key=len)
            with package.open(name) as file:
                text = file.read(LARGEST_CARD).decode("utf-8")
    else:
        with (path / CARD if path.is_dir() else path).open("rb") as file:
            text = file.read(LARGEST_CARD).decode("utf-8")
    card: dict[str, Any] = json.loads(text)
    return card


def _from_card(card: Mapping[str, Any]) -> list[str]:
    bands = int(card["bands"])
    sensors = " and ".join(card.get("sensors", []))
    low, high = (float(size) for size in card["cell_size_range_m"])
    return [
        str(card["title"]),
        f"for {sensors} scenes" if sensors else "",
        f"{bands} band" + "s" * (bands > 1),
        f"cells of {float(card['cell_size_m']):g} m ({low:g} to {high:g})",
        _accuracy(card),
    ]


def _accuracy(card: Mapping[str, Any]) -> str:
    """Return how far fronts are off on what the network has not seen: the median, and the range."""
    found = [
        float(evaluation["values"][name])
        for evaluation in card.get("evaluations", [])
        for name in ERRORS
        if name in evaluation["values"] and "weights were chosen" not in evaluation["data"]
    ]
    if not found:
        return "accuracy on unseen glaciers not known"
    middle = statistics.median(found)
    if len(found) == 1:
        return f"median error {middle:.0f} m on data not used in training"
    return (
        f"median error {middle:.0f} m ({min(found):.0f} to {max(found):.0f}) on "
        f"{len(found)} unseen glaciers"
    )
