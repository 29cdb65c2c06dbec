"""A small model to retrain."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from glacier_qgis.models.fronts.scene.companions import CHANNELS
from glacier_qgis.models.networks.unet import UNet, with_more_bands
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.package.folder import save_package
from glacier_qgis.models.review.jobs import retrain as job
from glacier_qgis.models.training.delivered.describe import describe, describe_series
from kit.review.corrected import CELL
from kit.training.small_models import SMALL, trained_on


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of two networks with random weights, for cells of 60 m."""
    torch.manual_seed(3)
    network = UNet(**SMALL)
    lone = Architecture(name="unet", parameters=SMALL)
    series = Architecture(name="unet", parameters={**SMALL, "bands": 2 + len(CHANNELS)})
    card = describe("small", lone, [trained_on(["elsewhere"])], "none").model_copy(
        update={"cell_size_m": CELL, "series": describe_series(series)}
    )
    folder = tmp_path_factory.mktemp("models") / "small"
    weights = network.state_dict()
    save_package(folder, card, weights, with_more_bands(weights, len(CHANNELS), 1))
    return folder


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings of few steps."""
    monkeypatch.setattr(job, "steps_to_adapt", lambda fronts: 4)
    monkeypatch.setattr(job, "FURTHER_STEPS", 4)
