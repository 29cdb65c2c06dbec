"""The model that tells layers, surface and bed from the rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glacier_qgis.models.compute.device import DeviceName, choose_device
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.folders import DELIVERED
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import load_described, read_card
from glacier_qgis.models.package.registry import AUTOMATIC, find_model, installed_models
from glacier_qgis.models.radar.layers.peaks import Array
from glacier_qgis.models.radar.layers.predict import LayerNetwork

DEFAULT = "radar_layers"
"""The model that comes with the plugin."""


def find_layer_model(name: str) -> Path:
    """Return the folder of a model by its name or path; blank for the delivered one.

    Raises:
        EngineError: There is no such model.
    """
    own = name.strip().lower() in (*AUTOMATIC, DEFAULT)
    return DELIVERED / "layers" / DEFAULT if own else find_model(name)


def installed_layer_models() -> dict[str, Path]:
    """Return the folder of each model for echograms by name, the delivered one first."""
    added = {name: folder for name, folder in installed_models().items() if _for_echograms(folder)}
    return {DEFAULT: find_layer_model(DEFAULT), **added}


def _for_echograms(folder: Path) -> bool:
    try:
        return read_card(folder).input_values.kind == "echo"
    except (OSError, EngineError):
        return False


@dataclass(frozen=True)
class LayerModel:
    """A network and its card."""

    card: ModelCard
    network: LayerNetwork

    @classmethod
    def load(cls, name: str, device: DeviceName) -> LayerModel:
        """Load a model by its name or path; blank for the delivered one.

        Raises:
            EngineError: There is no such model, or it is none for echograms.
        """
        folder = find_layer_model(name)
        card = read_card(folder)
        if card.input_values.kind != "echo":
            raise EngineError(
                f"MODEL: {card.name} is for {card.task}, not for layers in echograms. Choose "
                f"'{DEFAULT}', or a model that was trained on echograms."
            )
        model, where = load_described(folder, card), choose_device(device)
        return cls(card, LayerNetwork(model.network.to(where), model.stride, where))

    def uncertainty(self, widths: Array) -> Array:
        """Return the standard deviation of the error of points, samples, from their widths.

        The card's calibration is in samples: a cell of an echogram is one sample.
        """
        if self.card.calibration is None:
            return widths
        knots = self.card.calibration
        return np.interp(widths, knots.widths_m, knots.uncertainties_m)
