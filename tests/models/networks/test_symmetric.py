"""Layers turn and mirror with their input, and so do grids that are halved and doubled."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from glacier_qgis.models.networks.halving import doubled, halved
from glacier_qgis.models.networks.symmetric import (
    ORDER,
    Expanded,
    Lift,
    Mix,
    Read,
    Spread,
    expand,
    matrices,
    moved,
    moved_vectors,
    quotients,
)

FEATURES = 2


def moved_features(features: Tensor, symmetry: int) -> Tensor:
    """Move rasters of features (1, 8 features, rows, columns): channels are permuted as well."""
    eight = features.unflatten(1, (-1, ORDER))
    order = quotients()[symmetry]
    return moved(eight[:, :, order], symmetry).flatten(1, 2)


def test_the_symmetries_are_a_group() -> None:
    every = matrices()
    assert len(torch.unique(every.flatten(1), dim=0)) == ORDER
    for one in range(ORDER):
        for other in range(ORDER):
            product = every[one] @ every[quotients()[one, other]]
            torch.testing.assert_close(product, every[other])


@pytest.mark.parametrize("symmetry", range(ORDER))
def test_a_vector_field_that_is_moved_is_that_of_the_moved_raster(symmetry: int) -> None:
    """The gradient of a moved raster is the moved gradient."""
    place = torch.arange(7.0)
    raster = place[None] ** 2 + 3 * place[:, None] + place[:, None] * place[None]

    def gradient(field: Tensor) -> Tensor:
        south, east = torch.gradient(field)
        return torch.stack([east, -south])

    torch.testing.assert_close(
        gradient(moved(raster, symmetry)), moved_vectors(gradient(raster), symmetry)
    )


@pytest.mark.parametrize("symmetry", range(ORDER))
def test_every_layer_moves_with_its_input(symmetry: int) -> None:
    torch.manual_seed(symmetry)
    scalars, vectors = torch.randn(1, 3, 6, 5), torch.randn(1, 2, 2, 6, 5)
    lift, spread, mix, read = Lift(3, 2, FEATURES), Spread(FEATURES, 5), Mix(2, 3), Read(3, 2, 1)
    for weight in read.parameters():
        torch.nn.init.normal_(weight)

    def run(scalars: Tensor, vectors: Tensor) -> tuple[Tensor, ...]:
        fields = torch.cat([scalars, vectors.flatten(1, 2)], 1)
        lifted = torch.einsum("oc,ncyx->noyx", lift()[0], fields)
        around = conv2d(lifted, spread(), padding=2, groups=lifted.shape[1])
        mixed = torch.einsum("oc,ncyx->noyx", mix()[0], around) + mix()[1][:, None, None]
        found = torch.einsum("oc,ncyx->noyx", read()[0], mixed) + read()[1][:, None, None]
        return lifted, around, mixed, found[:, :2], found[:, 2:]

    straight = run(scalars, vectors)
    other = run(moved(scalars, symmetry), moved_vectors(vectors, symmetry))
    for one, two in zip(straight[:3], other[:3], strict=True):
        torch.testing.assert_close(two, moved_features(one, symmetry), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(other[3], moved(straight[3], symmetry), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(other[4], moved_vectors(straight[4], symmetry), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("shape", [(8, 6), (7, 6), (8, 5), (7, 5), (1, 3)])
@pytest.mark.parametrize("symmetry", range(ORDER))
def test_halving_and_doubling_have_no_preferred_side(shape: tuple[int, int], symmetry: int) -> None:
    field = torch.randn(1, 1, *shape)
    turned = moved(field, symmetry)
    coarse = halved(field)
    torch.testing.assert_close(halved(turned), moved(coarse, symmetry))
    torch.testing.assert_close(
        doubled(halved(turned), (turned.shape[2], turned.shape[3])),
        moved(doubled(coarse, shape), symmetry),
    )


def test_halving_keeps_what_a_grid_holds() -> None:
    for shape in ((8, 6), (7, 5)):
        field = torch.rand(1, 1, *shape)
        torch.testing.assert_close(4 * halved(field).sum(), field.sum())


def test_expanded_layers_give_the_same_weights() -> None:
    network = torch.nn.ModuleDict({"mix": Mix(2, 3), "list": torch.nn.ModuleList([Spread(2, 3)])})
    weight, spread = network["mix"]()[0].clone(), network["list"][0]().clone()
    expand(network)
    assert isinstance(network["mix"], Expanded)
    torch.testing.assert_close(network["mix"]()[0], weight)
    torch.testing.assert_close(network["list"][0](), spread)
    assert not list(network.parameters())
