"""A network that was trained without a mask is called like one that was trained with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from glacier_qgis.models.networks.unet import UNet
from glacier_qgis.models.package.card import Architecture, ModelCard
from glacier_qgis.models.package.folder import load_package, save_package


def test_the_mask_does_not_reach_it(
    tmp_path: Path, card: Callable[..., ModelCard], parameters: dict[str, object]
) -> None:
    parameters = parameters | {"bands": 1}
    network = UNet(**parameters).eval()  # type: ignore[arg-type]
    architecture = Architecture(name="unet", parameters=parameters)
    described = card(architecture=architecture, channels=["rank"])
    save_package(tmp_path / "small", described, network.state_dict())
    model = load_package(tmp_path / "small")
    assert model.stride == network.stride
    image = torch.rand(1, 2, 16, 16)
    with torch.inference_mode():
        torch.testing.assert_close(model.network(image), network(image[:, :1]))
