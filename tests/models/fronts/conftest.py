"""A model that is small and means nothing, for what must not depend on the model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from glacier_qgis.models.fronts.scene.companions import CHANNELS
from glacier_qgis.models.networks.unet import UNet, with_more_bands
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.package.folder import load_package, save_package
from glacier_qgis.models.training.delivered.describe import describe, describe_series
from kit.training.small_models import trained_on


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the package of a network with weights drawn at random, cells of 60 m."""
    parameters = {"bands": 2, "classes": 4, "width": 8, "levels": 2, "dilations": [1, 2]}
    torch.manual_seed(4)
    network = UNet(**parameters)
    with torch.no_grad():
        network.head.weight *= 6
        network.head.weight[3] = -network.head.weight[2]
        network.head.bias[:] = torch.tensor([-2.0, -2.0, 0.0, 0.0])
    architecture = Architecture(name="unet", parameters=parameters)
    card = describe(
        "tiny", architecture, [trained_on(["A"])], "none", "Weights drawn at random."
    ).model_copy(update={"cell_size_m": 60.0})
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_package(folder, card, network.state_dict())
    return folder


@pytest.fixture(scope="session")
def tiny_series_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same with a network for series that answers by scene and companions alike."""
    lone = load_package(tiny_model)
    parameters = lone.card.architecture.parameters | {"bands": 2 + len(CHANNELS)}
    weights = with_more_bands(lone.network.state_dict(), len(CHANNELS), 1)
    torch.manual_seed(5)
    first = weights["encoder.0.0.weight"]
    first[:, 1:-1] = 3 * torch.randn_like(first[:, 1:-1])
    series = describe_series(Architecture(name="unet", parameters=parameters))
    folder = tmp_path_factory.mktemp("models") / "tiny_series"
    card = lone.card.model_copy(update={"name": "tiny_series", "series": series})
    save_package(folder, card, lone.network.state_dict(), weights)
    return folder
