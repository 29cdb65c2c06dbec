"""Scenes of one place with their companions, for a network for series."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.engine.units import DAYS_A_YEAR
from glacier_qgis.models.fronts.scene.companions import (
    CHANNELS,
    Sums,
    companion_channels,
    near_in_time,
    rank_levels,
)
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.training.data.samples import Labelled
from glacier_qgis.models.training.views.augment import Augmentation
from glacier_qgis.models.training.views.look import View

ALONE = 0.2
"""Share of the patches without companions."""
IN_ORDER = 0.5
"""Share of the others with consecutive companions."""
SIGNED = 3
"""Number of leading channels whose sign a negative changes, since a deviation has no sign."""


class SeriesScenes:
    """Scenes with one band that show one place on one grid, in order of time.

    Args:
        scenes: All with dates and of one shape.
    """

    def __init__(self, scenes: Sequence[Labelled]) -> None:
        self.scenes = sorted(scenes, key=lambda scene: scene.date)
        seen = [scene.equalised() for scene in self.scenes]
        valid = np.stack([valid > 0 for _, valid in seen])
        levels = np.where(valid, np.stack([rank_levels(ranks[0]) for ranks, _ in seen]), 0)
        self._summands = valid, levels.astype(np.int16), (levels**2).astype(np.int32)
        self._years = [
            datetime.date.fromisoformat(scene.date).toordinal() / DAYS_A_YEAR
            for scene in self.scenes
        ]

    def members(self) -> list[SceneBeside]:
        """Return every scene beside all others."""
        return [SceneBeside(scene, self, index) for index, scene in enumerate(self.scenes)]

    def companions(self, scene: int, among: Sequence[int]) -> Float32Array:
        """Return the channels of companions, (3, rows, columns); see `companion_channels`."""
        others = [index for index in among if index != scene]
        together = sorted([scene, *others])
        near = near_in_time([self._years[index] for index in together], together.index(scene))
        return companion_channels(
            self._sums([together[index] for index in near]), self._sums(others)
        )

    def _sums(self, scenes: Sequence[int]) -> Sums:
        chosen = list(scenes)
        return Sums(*(each[chosen].sum(axis=0, dtype=np.int32) for each in self._summands))


@dataclass(frozen=True)
class SceneBeside:
    """A scene with the channels of its companions; a `Labelled`.

    Attributes:
        scene: The scene.
        place: The scenes of the same place.
        index: Index of the scene there.
        among: Its companions; None for all others.
    """

    scene: Labelled
    place: SeriesScenes
    index: int
    among: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """See `Labelled`."""
        return self.scene.name

    @property
    def group(self) -> str:
        """See `Labelled`."""
        return self.scene.group

    @property
    def date(self) -> str:
        """See `Labelled`."""
        return self.scene.date

    @property
    def shape(self) -> tuple[int, int]:
        """See `Labelled`."""
        return self.scene.shape

    @property
    def cell_size(self) -> tuple[float, float]:
        """See `Labelled`."""
        return self.scene.cell_size

    @property
    def grid(self) -> Grid | None:
        """See `Labelled`."""
        return self.scene.grid

    @property
    def zones(self) -> npt.NDArray[np.uint8]:
        """See `Labelled`."""
        return self.scene.zones

    @property
    def traced(self) -> npt.NDArray[np.bool_]:
        """See `Labelled`."""
        return self.scene.traced

    @property
    def front(self) -> npt.NDArray[np.signedinteger]:
        """See `Labelled`."""
        return self.scene.front

    @property
    def known_rock(self) -> Mask | None:
        """See `Labelled`."""
        return self.scene.known_rock

    def equalised(self) -> tuple[Float32Array, Float32Array]:
        """Return ranks, the companions' channels, what else the scene has, and the mask."""
        among = range(len(self.place.scenes)) if self.among is None else self.among
        ranks, valid = self.scene.equalised()
        beside = self.place.companions(self.index, among)
        return np.concatenate([ranks[:1], beside, ranks[1:]]), valid


class SeriesAugmentation(Augmentation):
    """Random patches of scenes with random companions; a single scene has none."""

    def _look(self, scene: Labelled, view: View) -> tuple[Tensor, Tensor]:
        if isinstance(scene, SceneBeside):
            among = self._company(len(scene.place.scenes), scene.index)
            return super()._look(replace(scene, among=among), view)
        image, zones = super()._look(scene, view)
        none = image.new_zeros(len(CHANNELS), *zones.shape)
        return torch.cat([image[:1], none, image[1:]]), zones

    def _company(self, scenes: int, own: int) -> tuple[int, ...]:
        """Draw companions; their number is uniformly distributed."""
        alone, in_order, most, first, seed = self._chance.single(5)
        if alone < ALONE:
            return ()
        number = min(scenes, round(2 * math.exp(most * math.log(max(1, scenes / 2)))))
        if in_order < IN_ORDER:
            start = max(0, min(scenes - number, own - int(first * number)))
            return tuple(range(start, start + number))
        order = np.random.default_rng(int(seed * 2**24)).permutation(scenes)[:number]
        return tuple(sorted(order.tolist()))

    def _changed(self, values: Tensor, zones: Tensor) -> Tensor:
        value, near, mean, deviation = values.unbind(1)
        changed = [
            self._radiometry(value, zones),
            self._mean_radiometry(near),
            self._mean_radiometry(mean),
            deviation * self._chance.uniform(0.6, 1.6),
        ]
        return torch.stack(changed, 1)

    def _mean_radiometry(self, value: Tensor) -> Tensor:
        """Change the mean of scenes where it is defined: illumination, noise, contrast."""
        chance = self._chance
        none = value == 0
        value = self._lit(value)
        noise = chance.field(chance.size) * chance.uniform(0, 0.4) ** 1.5
        value = torch.where(chance.happens(0.4), value + noise, value)
        return torch.where(none, 0.0, self._contrast(value))
