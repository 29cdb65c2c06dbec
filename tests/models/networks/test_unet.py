"""What the network can see, and that tiles of a scene get what the whole scene gets."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from glacier_qgis.models.networks.unet import UNet


def network(levels: int, dilations: tuple[int, ...]) -> UNet:
    """Random weights in double precision, with running statistics that are not the default."""
    torch.manual_seed(levels)
    built = UNet(width=4, levels=levels, dilations=dilations).double()
    for module in built.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return built.eval()


@pytest.mark.parametrize(("levels", "dilations"), [(1, (1,)), (2, (1, 3)), (3, (1, 2)), (2, (6,))])
def test_no_input_beyond_the_receptive_radius_changes_an_output(
    levels: int, dilations: tuple[int, ...]
) -> None:
    unet = network(levels, dilations)
    for parameter in unet.parameters():
        parameter.data.abs_()  # nothing cancels, no rectifier closes
    radius = unet.receptive_radius
    size = -(-(2 * radius + 4 * unet.stride) // unet.stride) * unet.stride
    reached = 0
    for shift in range(unet.stride):
        image = torch.rand(1, 2, size, size, dtype=torch.double, requires_grad=True)
        centre = size // 2 + shift
        unet(image)[0, :, centre, centre].sum().backward()
        changing = torch.nonzero(image.grad.abs().sum((0, 1)))
        reached = max(reached, int((changing - centre).abs().max()))
    assert reached <= radius
    assert reached > 0.6 * radius, "a bound that is far too wide makes tiles needlessly slow"


def test_a_tile_at_a_multiple_of_the_stride_gets_what_the_scene_gets() -> None:
    unet = network(2, (1, 2))
    scene = torch.rand(1, 2, 256, 256, dtype=torch.double)
    radius = -(-unet.receptive_radius // unet.stride) * unet.stride
    top, left, size = 8 * unet.stride, 5 * unet.stride, 2 * radius + 8 * unet.stride
    with torch.inference_mode():
        whole = unet(scene)[..., top : top + size, left : left + size]
        tile = unet(scene[..., top : top + size, left : left + size])
    inner = slice(radius, -radius)
    torch.testing.assert_close(tile[..., inner, inner], whole[..., inner, inner])


def test_shifting_a_scene_by_the_stride_shifts_the_answer() -> None:
    unet = network(2, (1, 2))
    scene = torch.rand(1, 2, 256, 256, dtype=torch.double)
    inner = slice(100, 156)
    with torch.inference_mode():
        answer = unet(scene)
        shifted = unet(scene.roll(unet.stride, dims=3))
    torch.testing.assert_close(shifted[..., inner, 104:156], answer[..., inner, 100:152])


def test_it_maps_any_multiple_of_the_stride_to_logits_of_the_same_size() -> None:
    unet = UNet().eval()
    with torch.inference_mode():
        assert unet(torch.zeros(2, 2, 32, 48)).shape == (2, 4, 32, 48)
