"""Which models are at hand: those delivered with the software and those a person added."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.package import CARD

DEFAULT_MODEL = "caffe_unet"
DELIVERED = Path(__file__).resolve().parent.parent / "zoo"


def user_folder() -> Path:
    """Return the folder for models that a person adds, where the system keeps such data."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "glacier_qgis" / "models"


def installed_models() -> dict[str, Path]:
    """Return the folder of each model by name; a delivered one cannot be hidden by another."""
    return {
        card.parent.name: card.parent
        for folder in (user_folder(), DELIVERED)
        for card in sorted(folder.glob(f"[!.]*/{CARD}"))
    }


def find_model(name_or_path: str) -> Path:
    """Return the folder of a model.

    Args:
        name_or_path: A name, or the path of a package; blank for the default model.

    Raises:
        EngineError: There is no such model.
    """
    wanted = name_or_path.strip() or DEFAULT_MODEL
    models = installed_models()
    if wanted in models:
        return models[wanted]
    path = Path(wanted).expanduser()
    if (path / CARD).is_file():
        return path
    if path.name == CARD and path.is_file():
        return path.parent
    names = ", ".join(sorted(models)) or "none"
    raise EngineError(
        f"There is no model {wanted!r}. Installed: {names}. Choose one of them, or the folder of a "
        f"model package (the one with {CARD} in it)."
    )
