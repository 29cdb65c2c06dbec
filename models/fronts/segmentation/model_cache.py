"""Cache of loaded models: one per package and process."""

from __future__ import annotations

import threading
from pathlib import Path

import torch

from glacier_qgis.models.fronts.segmentation.predictor import make_ready
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import Model, load_described

_LOCK = threading.Lock()
_KEPT: dict[tuple[object, ...], Model] = {}


def load_once(folder: Path, card: ModelCard, device: torch.device) -> Model:
    """Return the model of a package with a card, ready to predict on a device.

    It is loaded again only if a file of the package has changed, and may be used by several
    threads.

    Raises:
        EngineError: See `load_described`.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    state = tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files)
    with _LOCK:
        if (folder, device, state) not in _KEPT:
            _KEPT.clear()
            _KEPT[folder, device, state] = _load(folder, card, device)
        return _KEPT[folder, device, state]


def _load(folder: Path, card: ModelCard, device: torch.device) -> Model:
    model = load_described(folder, card)
    make_ready(model.network, device)
    if model.series is not None:
        make_ready(model.series, device)
    return model
