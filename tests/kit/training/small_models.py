"""Packages with a network so small that it learns and answers in a moment."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch

from glacier_qgis.models.networks.unet import UNet
from glacier_qgis.models.package.card import Architecture, TrainingData
from glacier_qgis.models.package.folder import save_package
from glacier_qgis.models.training.delivered.describe import describe

SMALL = {"bands": 2, "classes": 4, "width": 4, "levels": 2, "dilations": [1, 2]}


def trained_on(groups: Iterable[str]) -> TrainingData:
    """What a card says of training that never was."""
    return TrainingData(
        dataset="none",
        credit="",
        licence="",
        doi="",
        groups=list(groups),
        images=1,
        first_date="2000-01-01",
        last_date="2000-01-01",
    )


def package(folder: Path, groups: Iterable[str] = ("elsewhere",), bands: int = 1) -> Path:
    torch.manual_seed(4)
    parameters = {**SMALL, "bands": bands + 1}
    card = describe(
        folder.name, Architecture(name="unet", parameters=parameters), [trained_on(groups)], "none"
    ).model_copy(
        update={"bands": bands, "channels": [*(f"band {n}" for n in range(bands)), "mask"]}
    )
    save_package(folder, card, UNet(**parameters).state_dict())
    return folder
