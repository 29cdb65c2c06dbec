"""All scenes of a training in the memory of a device, and random patches of them.

Views, companions and radiometry of a whole batch are computed there, and nothing is read back, so
that a step of a training can be captured with its patches.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.engine.units import DAYS_A_YEAR
from glacier_qgis.models.fronts.scene.companions import FEWEST, NEAR_EACH_WAY, NEAR_YEARS
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.delivered.optical_views import OpticalAugmentation
from glacier_qgis.models.training.views.augment import Augmentation, Patches, pasted
from glacier_qgis.models.training.views.chance import Chance
from glacier_qgis.models.training.views.look import resampled
from glacier_qgis.models.training.views.sampling import COMPOSED, Batch, Batches, on
from glacier_qgis.models.training.views.series import ALONE, IN_ORDER, SeriesAugmentation


@dataclass(frozen=True)
class Stack:
    """S scenes on a device, padded to one shape.

    Attributes:
        ranks: (S, rows, columns), -1 to 1, 0 where invalid; see `LabelledScene.equalised`.
        valid: (S, rows, columns), 1 or 0.
        zones: (S, rows, columns), 0 where unlabelled.
        shape: Rows and columns without the padding, (S, 2).
        cell_size: Ground distance between pixels along a row and along a column, m, (S, 2).
        front: Row and column of pixels at the front, (S, F, 2), of which the first `fronts` count.
        fronts: Their numbers, (S,).
        place: Number of the place, (S,).
        order: Index among the scenes of the place, in order of time, (S,).
        years: Date in years, (S,); NaN if not known.
    """

    ranks: Tensor
    valid: Tensor
    zones: Tensor
    shape: Tensor
    cell_size: Tensor
    front: Tensor
    fronts: Tensor
    place: Tensor
    order: Tensor
    years: Tensor

    @classmethod
    def of(cls, scenes: Sequence[LabelledScene], device: torch.device) -> Stack:
        """Put scenes on a device; those of one group show one place."""
        size = (len(scenes), *np.max([scene.shape for scene in scenes], axis=0))
        most = max(1, *(len(scene.front) for scene in scenes))
        groups = sorted({scene.group for scene in scenes})
        stack = cls(
            ranks=torch.zeros(size),
            valid=torch.zeros(size),
            zones=torch.zeros(size),
            shape=torch.tensor([scene.shape for scene in scenes]),
            cell_size=torch.tensor([scene.cell_size for scene in scenes]),
            front=torch.zeros(len(scenes), most, 2),
            fronts=torch.tensor([len(scene.front) for scene in scenes]),
            place=torch.tensor([groups.index(scene.group) for scene in scenes]),
            order=torch.zeros(len(scenes), dtype=torch.long),
            years=torch.tensor([_year(scene.date) for scene in scenes]),
        )
        for index, scene in enumerate(scenes):
            here = (index, slice(scene.shape[0]), slice(scene.shape[1]))
            (ranks,), valid = scene.equalised()
            for whole, own in (
                (stack.ranks, ranks),
                (stack.valid, valid),
                (stack.zones, scene.zones),
            ):
                whole[here] = torch.from_numpy(own).float()
            stack.front[index, : len(scene.front)] = torch.from_numpy(scene.front).float()
        for group in groups:
            own = [index for index, scene in enumerate(scenes) if scene.group == group]
            own.sort(key=lambda index: scenes[index].date)
            stack.order[own] = torch.arange(len(own))
        return cls(*(getattr(stack, field.name).to(device) for field in fields(cls)))

    @cached_property
    def members(self) -> Tensor:
        """Number of the scenes of each scene's place, (S,)."""
        return self.place.bincount()[self.place]

    @cached_property
    def squares(self) -> Tensor:
        """Squared ranks, (S, rows, columns)."""
        return self.ranks**2

    def mean(self, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean rank, standard deviation and number of chosen scenes in each cell.

        Args:
            chosen: Which scenes, (N, S) bool.

        Returns:
            Three times (N, rows, columns); mean and deviation are 0 where no scene is valid.
        """
        weights = chosen.float()
        total, squares, count = (
            (weights @ values.flatten(1)).view(len(chosen), *self.ranks.shape[1:])
            for values in (self.ranks, self.squares, self.valid)
        )
        number = count.clamp(min=1)
        mean = total / number
        return mean, (squares / number - mean**2).clamp(min=0).sqrt(), count


class OnStack(Augmentation):
    """Random patches of scenes of a stack; what is drawn, and how often, is as without one."""

    def __init__(self, stack: Stack, chance: Chance, cell_size: float) -> None:
        super().__init__(chance, cell_size)
        self._stack = stack

    def patches(self, scenes: Tensor) -> Patches:
        """Return one patch of each scene; scenes are indices, (N,)."""
        valid, zones = self._stack.valid[scenes], self._stack.zones[scenes]
        seen = resampled(self._bands(scenes), valid, zones, self._grid(scenes))
        return self._augmented(*seen)

    def _bands(self, scenes: Tensor) -> Tensor:
        """Return what is seen of scenes, (N, bands, rows, columns)."""
        return self._stack.ranks[scenes][:, None]

    def _grid(self, scenes: Tensor) -> Tensor:
        """Draw windows; return the positions of their cells, see `resampled`."""
        chance, stack = self._chance, self._stack
        angle, cells, mirrored = self.windows()
        places = torch.arange(chance.size, device=chance.device) - (chance.size - 1) / 2
        along, across = cells.T[..., None, None]
        x = places * along * torch.where(mirrored, -1.0, 1.0)[:, None, None]
        y = places[:, None] * across
        cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
        width, height = stack.cell_size[scenes].T[..., None, None]
        row, column = self._centres(scenes).T[..., None, None]
        column = (cosine * x - sine * y) / width + column
        row = (sine * x + cosine * y) / height + row
        rows, columns = stack.ranks.shape[1:]
        return torch.stack([(2 * column + 1) / columns - 1, (2 * row + 1) / rows - 1], dim=-1)

    def _centres(self, scenes: Tensor) -> Tensor:
        """Draw row and column of the centres of windows, most of them at a front, (N, 2)."""
        chance, stack = self._chance, self._stack
        anywhere = chance.uniform(0.1, 0.9, 2) * stack.shape[scenes]
        fronts = stack.fronts[scenes]
        pixel = stack.front[scenes, chance.below(fronts)]
        beside = pixel + chance.uniform(-0.3, 0.3, 2) * chance.size
        at_front = chance.happens(0.6)[:, 0] & (fronts > 0)[:, None]
        return torch.where(at_front, beside, anywhere)


class SeriesOnStack(OnStack, SeriesAugmentation):
    """Random patches of scenes of a stack with random companions."""

    def _bands(self, scenes: Tensor) -> Tensor:
        company = self._companions(scenes)
        near, _, _ = self._stack.mean(self._near(scenes, company))
        mean, deviation, count = self._stack.mean(company)
        enough = count >= FEWEST
        beside = [torch.where(enough, channel, 0.0) for channel in (mean, deviation)]
        return torch.stack([self._stack.ranks[scenes], near, *beside], 1)

    def _companions(self, scenes: Tensor) -> Tensor:
        """Draw companions, (N, S) bool; their number is uniformly distributed."""
        chance, stack = self._chance, self._stack
        members, own = stack.members[scenes][:, None], stack.order[scenes][:, None]
        most = (members / 2).clamp(min=1)
        number = (2 * most ** chance.uniform(0, 1, 1)).round()
        number = torch.minimum(number, members)
        first = own - (chance.uniform(0, 1, 1) * number).floor()
        first = torch.minimum(first.clamp(min=0), members - number)
        in_order = (stack.order >= first) & (stack.order < first + number)
        here = stack.place == stack.place[scenes][:, None]
        keys = torch.where(here, chance.uniform(0, 1, len(stack.place)), math.inf)
        last = keys.sort(1).values.gather(1, number.long() - 1)
        chosen = torch.where(chance.happens(IN_ORDER)[:, 0], in_order, keys <= last)
        itself = torch.arange(len(stack.place), device=chance.device) == scenes[:, None]
        return chosen & here & ~itself & ~chance.happens(ALONE)[:, 0]

    def _near(self, scenes: Tensor, company: Tensor) -> Tensor:
        """Return the companions nearest in time, before and after, (N, S) bool."""
        gaps = self._stack.years - self._stack.years[scenes][:, None]
        eligible = company & (gaps.abs() <= NEAR_YEARS)
        return _nearest(gaps, eligible & (gaps <= 0)) | _nearest(gaps, eligible & (gaps > 0))


class OpticalOnStack(OnStack, OpticalAugmentation):
    """Random patches of optical scenes of a stack."""


def stacked(
    stack: Stack,
    pools: Sequence[Sequence[int]],
    batch: int,
    size: int,
    cell_size: float,
    kind: type[OnStack] = OnStack,
    composed: float = COMPOSED,
) -> Batches:
    """Return what draws batches of a stack; see `sampler`.

    Args:
        stack: The scenes.
        pools: Their indices; each pool is drawn equally often, whatever its size.
        batch: Patches per batch.
        size: Rows and columns of a patch.
        cell_size: The model's cell size, m.
        kind: Makes patches of scenes.
        composed: Share of the patches with pasted zones of another patch.
    """
    most = max(map(len, pools))
    filled = torch.tensor([[*pool, *[0] * (most - len(pool))] for pool in pools])
    members, counts = filled.to(stack.place), torch.tensor([*map(len, pools)]).to(stack.place)

    def draw(generator: torch.Generator) -> Batch:
        chance = Chance(batch, size, on(stack.ranks.device, generator))
        pool = chance.below(len(counts))
        scenes = members[pool, chance.below(counts[pool])]
        return pasted(kind(stack, chance, cell_size).patches(scenes), chance, composed)

    return draw


def _nearest(gaps: Tensor, among: Tensor) -> Tensor:
    """Mark up to `NEAR_EACH_WAY` scenes with the smallest gaps, (N, S) bool."""
    away = torch.where(among, gaps.abs(), math.inf)
    smallest = away.topk(NEAR_EACH_WAY, dim=1, largest=False)
    return torch.zeros_like(among).scatter(1, smallest.indices, smallest.values.isfinite())


def _year(date: str) -> float:
    return datetime.date.fromisoformat(date).toordinal() / DAYS_A_YEAR if date else math.nan
