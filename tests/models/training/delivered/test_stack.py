"""Patches of scenes in the memory of a device: those that single scenes give, and capturable."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import torch
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.networks.unet import UNet
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.delivered.captured import train
from glacier_qgis.models.training.delivered.stack import (
    OnStack,
    OpticalOnStack,
    SeriesOnStack,
    Stack,
    stacked,
)
from glacier_qgis.models.training.fitting.fit import Fit, Schedule
from glacier_qgis.models.training.losses.distance import two_heads_loss
from glacier_qgis.models.training.losses.stray_contact import stray_contact
from glacier_qgis.models.training.views.chance import Chance
from glacier_qgis.models.training.views.look import View, look
from glacier_qgis.models.training.views.sampling import with_negatives
from glacier_qgis.models.training.views.series import SIGNED, SeriesScenes
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

CPU = torch.device("cpu")
READ_BACK = {"_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "lift_fresh"}
"""Operations for which a processor waits for a GPU: they cannot be captured."""


def scene(number: int, group: str, shape: tuple[int, int]) -> LabelledScene:
    random = np.random.default_rng(number)
    rows, columns = np.indices(shape)
    zones = np.where(columns + 8 * np.sin(rows / 9) > shape[1] / 2, OCEAN, GLACIER)
    image = np.where(zones == OCEAN, 70, 180) + random.normal(0, 30, shape)
    image[:, : 3 * (number % 3)] = 0
    date = (datetime.date(2010, 1, 1) + datetime.timedelta(days=61 * number)).isoformat()
    return LabelledScene(
        f"{group}{number}",
        group,
        date,
        image.clip(0, 255).astype(np.uint8),
        zones.astype(np.uint8),
        zones < 0,
        (80.0, 60.0),
    )


@pytest.fixture(scope="module")
def scenes() -> list[LabelledScene]:
    shapes = {"north": (90, 80), "south": (70, 96)}
    return [scene(number, group, shapes[group]) for group in shapes for number in (3, 0, 1, 4, 2)]


class OneWindow(OnStack):
    """Patches through one given window."""

    view: View

    def windows(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        many = self._chance.batch
        return (
            torch.full((many,), self.view.angle),
            torch.tensor([self.view.cell_size] * many),
            torch.tensor([self.view.mirrored] * many),
        )

    def _centres(self, scenes: torch.Tensor) -> torch.Tensor:
        return torch.tensor([self.view.centre] * len(scenes))

    def _augmented(
        self, images: torch.Tensor, zones: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return images, zones


@pytest.mark.parametrize(("angle", "mirrored"), [(0.0, False), (0.7, True), (3.9, False)])
def test_a_window_shows_what_it_shows_of_a_single_scene(
    scenes: Sequence[LabelledScene], angle: float, mirrored: bool
) -> None:
    OneWindow.view = View((31.5, 42.25), (48, 48), (71.0, 55.0), angle, mirrored)
    chance = Chance(len(scenes), 48, torch.Generator())
    images, zones = OneWindow(Stack.of(scenes, CPU), chance, 60.0).patches(
        torch.arange(len(scenes))
    )
    for image, zone, each in zip(images, zones, scenes, strict=True):
        expected, expected_zones = look(each, OneWindow.view)
        same = zone == expected_zones
        assert same.float().mean() > 0.995  # a cell half-way between two pixels may take either
        torch.testing.assert_close(image[:, same], expected[:, same], atol=2e-3, rtol=0)


class Remembering(SeriesOnStack):
    """Keeps which companions it drew."""

    drawn: torch.Tensor

    def _companions(self, scenes: torch.Tensor) -> torch.Tensor:
        self.drawn = super()._companions(scenes)
        return self.drawn


def test_companions_are_of_the_place_and_their_channels_those_of_a_series(
    scenes: Sequence[LabelledScene],
) -> None:
    stack = Stack.of(scenes, CPU)
    places = {
        group: SeriesScenes([scene for scene in scenes if scene.group == group])
        for group in ("north", "south")
    }
    numbers = set()
    for seed in range(40):
        chance = Chance(len(scenes), 48, torch.Generator().manual_seed(seed))
        series = Remembering(stack, chance, 60.0)
        bands = series._bands(torch.arange(len(scenes)))
        for index, each in enumerate(scenes):
            place = places[each.group]
            names = [member.name for member in place.scenes]
            company = [scenes[other].name for other in series.drawn[index].nonzero()[:, 0].tolist()]
            assert each.name not in company
            numbers.add(len(company))
            expected = place.companions(
                names.index(each.name), sorted(names.index(name) for name in company)
            )
            own = bands[index, 1:, : each.shape[0], : each.shape[1]]
            np.testing.assert_allclose(own, expected, atol=2e-3)
    assert numbers == {0, 1, 2, 3, 4}


class NothingReadBack(TorchDispatchMode):
    """Fails where a result is read back, or a number is copied to the device."""

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: object,
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        assert func.__name__.partition(".")[0] not in READ_BACK
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(("kind", "bands"), [(OnStack, 2), (SeriesOnStack, 5), (OpticalOnStack, 2)])
def test_a_batch_and_its_loss_can_be_captured(
    scenes: Sequence[LabelledScene], kind: type[OnStack], bands: int
) -> None:
    pools = [[*range(5)], [*range(5, 10)]]
    batches = with_negatives(stacked(Stack.of(scenes, CPU), pools, 4, 64, 60.0, kind), SIGNED)
    network = UNet(bands, 5, width=4, levels=2, dilations=[1, 2], stem=2)
    generator = torch.Generator().manual_seed(1)
    batches(generator)  # tables that are made once
    with NothingReadBack():
        images, zones = batches(generator)
        (logits,) = network.supervised(images)
        loss = two_heads_loss(logits, zones) + stray_contact(logits[:, :-1], zones)
        loss.backward()  # type: ignore[no-untyped-call]
    assert images.shape == (4, bands, 64, 64)
    assert torch.isfinite(loss)


def test_what_is_not_captured_takes_the_steps_of_a_fit() -> None:
    image = torch.rand(2, 2, 32, 32, generator=torch.Generator().manual_seed(2))
    zones = torch.randint(2, 5, (2, 32, 32), generator=torch.Generator().manual_seed(3))

    def network() -> UNet:
        torch.manual_seed(4)
        return UNet(2, 4, width=4, levels=2, dilations=[1, 2])

    def loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(logits, labels - 1)

    schedule = Schedule(steps=12, rate=3e-3, save_every=4)
    plain = train(network(), loss, lambda _: (image, zones), schedule, CPU, Silent())
    fitted = Fit(network(), schedule, None, 1, CPU, loss).run(lambda _: (image, zones), Silent())
    for name, value in fitted.items():
        torch.testing.assert_close(plain[name], value, atol=2e-4, rtol=2e-3)
