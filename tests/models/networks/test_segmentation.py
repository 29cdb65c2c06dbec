"""What the networks can see, and that tiles of a scene get what the whole scene gets."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from glacier_qgis.models.networks.hed import HED
from glacier_qgis.models.networks.hrnet import HRNet
from glacier_qgis.models.networks.unet import UNet

NETWORKS = {
    "unet, 1 level": lambda: UNet(width=4, levels=1, dilations=(1,)),
    "unet, 2 levels": lambda: UNet(width=4, levels=2, dilations=(1, 3)),
    "unet, 3 levels": lambda: UNet(width=4, levels=3, dilations=(1, 2)),
    "unet, wide pyramid": lambda: UNet(width=4, levels=2, dilations=(6,)),
    "unet with a stem": lambda: UNet(width=4, levels=2, dilations=(1, 2), stem=2),
    "hrnet": lambda: HRNet(width=4, levels=2),
    "hed": lambda: HED(width=4, levels=3),
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> nn.Module:
    """Random weights in double precision, with running statistics that are not the default."""
    torch.manual_seed(2)
    built = NETWORKS[request.param]().double()
    for module in built.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return built.eval()


def test_no_input_beyond_the_receptive_radius_changes_an_output(network: nn.Module) -> None:
    for parameter in network.parameters():
        parameter.data.abs_()  # nothing cancels, no rectifier closes
    radius = network.receptive_radius
    size = -(-(2 * radius + 4 * network.stride) // network.stride) * network.stride
    reached = 0
    for shift in range(network.stride):
        image = torch.rand(1, 2, size, size, dtype=torch.double, requires_grad=True)
        centre = size // 2 + shift
        network(image)[0, :, centre, centre].sum().backward()
        changing = torch.nonzero(image.grad.abs().sum((0, 1)))
        reached = max(reached, int((changing - centre).abs().max()))
    assert reached <= radius
    assert reached > 0.6 * radius, "a bound that is far too wide makes tiles needlessly slow"


def test_a_tile_at_a_multiple_of_the_stride_gets_what_the_scene_gets(network: nn.Module) -> None:
    stride = network.stride
    radius = -(-network.receptive_radius // stride) * stride
    top, left, size = 3 * stride, 2 * stride, 2 * radius + 4 * stride
    scene = torch.rand(1, 2, size + 5 * stride, size + 4 * stride, dtype=torch.double)
    with torch.inference_mode():
        whole = network(scene)[..., top : top + size, left : left + size]
        tile = network(scene[..., top : top + size, left : left + size])
    inner = slice(radius, -radius)
    torch.testing.assert_close(tile[..., inner, inner], whole[..., inner, inner])


def test_shifting_a_scene_by_the_stride_shifts_the_answer(network: nn.Module) -> None:
    stride = network.stride
    radius = -(-network.receptive_radius // stride) * stride
    size = 2 * radius + 6 * stride
    scene = torch.rand(1, 2, size, size, dtype=torch.double)
    inner = slice(radius, radius + 4 * stride)
    with torch.inference_mode():
        answer = network(scene)
        shifted = network(scene.roll(stride, dims=3))
    torch.testing.assert_close(
        shifted[..., inner, radius + stride : radius + 5 * stride], answer[..., inner, inner]
    )


@pytest.mark.parametrize("built", [UNet(), UNet(stem=2), HRNet()], ids=["unet", "stem", "hrnet"])
def test_it_maps_any_multiple_of_the_stride_to_logits_of_the_same_size(built: nn.Module) -> None:
    rows, columns = 2 * built.stride, 3 * built.stride
    with torch.inference_mode():
        assert built.eval()(torch.zeros(2, 2, rows, columns)).shape == (2, 4, rows, columns)


def test_hed_starts_from_the_mean_of_its_levels_and_all_of_them_learn() -> None:
    torch.manual_seed(1)
    hed = HED(width=4, levels=2)
    fused, *sides = hed.supervised(torch.rand(2, 2, 16, 24))
    assert [side.shape for side in sides] == [(2, 4, 16, 24)] * 3
    torch.testing.assert_close(fused, torch.stack(sides).mean(dim=0))
    torch.stack([fused, *sides]).square().sum().backward()
    assert all(parameter.grad is not None for parameter in hed.parameters())
