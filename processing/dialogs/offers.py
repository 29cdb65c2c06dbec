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
from glacier_qgis.translation import tr

EMULATORS: Mapping[str, Mapping[str, Any]] = json.loads(
    (ZOO / "emulators.json").read_text(encoding="utf-8")
)
"""What 'Set up engine' installs; the engine's messages name the same."""
EMULATOR_FILES = ("model.h5", "model.keras", "weights.safetensors")
CARD = "card.json"
LARGEST_CARD = 1_000_000
"""Bytes; what is larger is no card."""
ERRORS = ("median_over_images_scene_m", "median_over_tiles_tile_m")
"""Under which names an evaluation tells the median distance of its fronts from the true ones."""
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile)


def offered(kind: str) -> list[str]:
    """Return the names to offer: those delivered, then those added.

    Args:
        kind: "model" for scenes, "layers" for echograms, or "emulator".
    """
    added = models_folder()
    if kind == "emulator":
        found = {
            path.parent.relative_to(added / "emulators").as_posix()
            for pattern in ("[!.]*", "[!.]*/[!.]*")
            for file in EMULATOR_FILES
            for path in added.glob(f"emulators/{pattern}/{file}")
        } | {path.stem for path in added.glob("emulators/[!.]*.keras")}
        return [*EMULATORS, *sorted(found - EMULATORS.keys())]
    room = "layers/" if kind == "layers" else ""
    own = sorted(path.parent.name for path in ZOO.glob(f"{room}*/{CARD}"))
    return own + sorted({path.parent.name for path in added.glob(f"[!.]*/{CARD}")} - {*own})


def meaning_of_nothing(kind: str, empty: str, default: str) -> str:
    """Return what usually happens where nothing is chosen.

    Args:
        kind: As for `offered`.
        empty: What the list calls it, "automatic" or "none"; blank where it means the default.
        default: Of the parameter.
    """
    if not empty:
        return tr("The default: {name}.").format(name=default)
    if empty == "none":
        return tr("Training starts from random weights.")
    if kind == "emulator":
        return tr("The one that fits resolution, sliding and rate factor best. The log says which.")
    cards = {path.parent.name: _card(path) for path in sorted(ZOO.glob(f"*/{CARD}"))}
    pairs = ", ".join(
        tr("{name} for {sensors} scenes").format(name=name, sensors=tr(" and ").join(c["sensors"]))
        for name, c in cards.items()
    )
    return tr(
        "Chosen by the scene's sensor and bands: {pairs}. The log says which, and why."
    ).format(pairs=pairs)


def facts(kind: str, value: str) -> str:
    """Return in a line what is known of a name or a path; what to do where there is no such."""
    return emulator_facts(value) if kind == "emulator" else model_facts(value)


def model_facts(value: str) -> str:
    """Return title, sensor, cell size and accuracy from the card of a model."""
    path = next(
        (
            folder
            for root in (ZOO, ZOO / "layers", models_folder())
            if (folder := root / value / CARD).is_file()
        ),
        Path(value).expanduser(),
    )
    try:
        if path.suffix.lower() == ".onnx" and path.is_file():
            return tr("ONNX model. Its metadata are read when it is run.")
        if not path.exists():
            return tr("There is no model '{value}'. Choose one from the list, or a file.").format(
                value=value
            )
        return " · ".join(filter(None, _from_card(_card(path))))
    except UNREADABLE:
        return tr("'{value}' has no card that can be read. Choose another model.").format(
            value=value
        )


def emulator_facts(value: str) -> str:
    """Return title, cell sizes and training of an emulator."""
    known = EMULATORS.get(value)
    if known:
        low, high = known["cell_sizes_m"]
        return tr("{title} · cells of {low:g} to {high:g} m · {training}").format(
            title=known["title"], low=low, high=high, training=known["training"]
        )
    if value in offered("emulator") or value in {name.split("/")[0] for name in EMULATORS}:
        return tr("Installed emulator. The log says which cells and ice it was trained for.")
    if value.strip() and Path(value).expanduser().exists():
        return tr("Emulator in a file. The log says which cells and ice it was trained for.")
    return tr(
        "There is no emulator '{value}'. Choose one from the list, or a file or folder."
    ).format(value=value)


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
    if card.get("input_values", {}).get("kind") == "echo":
        return [str(card["title"]), _f_score(card)]
    bands = int(card["bands"])
    sensors = tr(" and ").join(card.get("sensors", []))
    low, high = (float(size) for size in card["cell_size_range_m"])
    return [
        str(card["title"]),
        tr("for {sensors} scenes").format(sensors=sensors) if sensors else "",
        tr("1 band") if bands == 1 else tr("{count} bands").format(count=bands),
        tr("cells of {size:g} m ({low:g} to {high:g})").format(
            size=float(card["cell_size_m"]), low=low, high=high
        ),
        _accuracy(card),
    ]


def _f_score(card: Mapping[str, Any]) -> str:
    """Return the F-scores of layers on unseen echograms: from the lowest to the highest."""
    found = [
        float(evaluation["values"]["ods"])
        for evaluation in card.get("evaluations", [])
        if "ods" in evaluation["values"]
    ]
    if not found:
        return tr("accuracy on unseen echograms not known")
    return tr("F-score of layers {low:.2f} to {high:.2f} on unseen echograms").format(
        low=min(found), high=max(found)
    )


def _accuracy(card: Mapping[str, Any]) -> str:
    """Return the errors of fronts on unseen data: the median, and the range."""
    found = [
        float(evaluation["values"][name])
        for evaluation in card.get("evaluations", [])
        for name in ERRORS
        if name in evaluation["values"] and "weights were chosen" not in evaluation["data"]
    ]
    if not found:
        return tr("accuracy on unseen glaciers not known")
    middle = statistics.median(found)
    if len(found) == 1:
        return tr("median error {middle:.0f} m on data not used in training").format(middle=middle)
    return tr(
        "median error {middle:.0f} m ({min:.0f} to {max:.0f}) on {count} unseen glaciers"
    ).format(middle=middle, min=min(found), max=max(found), count=len(found))
