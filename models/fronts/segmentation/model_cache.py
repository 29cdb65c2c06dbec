"""The network of a package, loaded once for all scenes of a process."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path

import torch

from glacier_qgis.models.fronts.segmentation.predictor import make_ready
from glacier_qgis.models.package.folder import Model, load_package

_LOCK = threading.Lock()


def load_once(folder: Path, device: torch.device) -> Model:
    """Return the model of a package, ready to predict on a device.

    It is loaded again only where a file of the package was changed, and may be used by several
    threads.

    Raises:
        EngineError: See `load_package`.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    state = tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files)
    with _LOCK:
        return _load(folder, device, state)


@lru_cache(maxsize=1)
def _load(folder: Path, device: torch.device, state: tuple[object, ...]) -> Model:
    """Load a package whose files have a state, which only tells two calls apart."""
    model = load_package(folder)
    make_ready(model.network, device)
    if model.series is not None:
        make_ready(model.series, device)
    return model
