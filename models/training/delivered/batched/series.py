"""Patches of scenes beside random companions, a whole batch at once: `views.series`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from glacier_qgis.models.fronts.scene.companions import FEWEST, NEAR_EACH_WAY, NEAR_YEARS
from glacier_qgis.models.training.delivered.batched.patches import Patches
from glacier_qgis.models.training.delivered.batched.stack import Stack
from glacier_qgis.models.training.views.series import ALONE, IN_ORDER, SIGNED


class SeriesPatches(Patches):
    """Batches of random patches of scenes with random companions; see `SeriesAugmentation`."""

    def __init__(
        self,
        stack: Stack,
        pools: Sequence[Sequence[int]],
        batch: int,
        size: int,
        cell_size: float,
    ) -> None:
        super().__init__(stack, pools, batch, size, cell_size, signed=SIGNED)
        self._members = torch.bincount(stack.place)[stack.place]
        self._ranks = stack.ranks.flatten(1)
        self._valid = stack.valid.flatten(1)
        self._squares = self._ranks**2

    def _channels(self, scenes: Tensor) -> Tensor:
        """Return ranks, companions near in time, mean and deviation of all companions."""
        company = self._company(scenes)
        near, _, _ = self._sums(self._near(scenes, company))
        mean, squares, count = self._sums(company)
        deviation = (squares - mean**2).clamp(min=0).sqrt()
        enough = count >= FEWEST
        channels = [
            self._ranks[scenes],
            near,
            torch.where(enough, mean, 0.0),
            torch.where(enough, deviation, 0.0),
        ]
        return torch.stack(channels, 1).unflatten(-1, self._stack.ranks.shape[1:])

    def _company(self, scenes: Tensor) -> Tensor:
        """Draw companions, (N, S) bool; their number is uniformly distributed."""
        stack, members = self._stack, self._members[scenes][:, None].float()
        share = torch.rand(self._batch, 1, device=stack.device)
        number = (2 * (share * (members / 2).clamp(min=1).log()).exp()).round()
        number = torch.minimum(number, members)
        own = stack.order[scenes][:, None]
        first = own - (torch.rand_like(share) * number).floor()
        first = torch.minimum(first.clamp(min=0), members - number)
        consecutive = (stack.order >= first) & (stack.order < first + number)
        here = stack.place == stack.place[scenes][:, None]
        keys = torch.rand(self._batch, len(stack.place), device=stack.device)
        keys = torch.where(here, keys, math.inf)
        last = keys.sort(1).values.gather(1, number.long() - 1)
        in_order = torch.rand_like(share) < IN_ORDER
        chosen = torch.where(in_order, consecutive, keys <= last) & here
        beside = torch.rand_like(share) >= ALONE
        self_alone = torch.arange(len(stack.place), device=stack.device) == scenes[:, None]
        return chosen & beside & ~self_alone

    def _near(self, scenes: Tensor, company: Tensor) -> Tensor:
        """Return the companions nearest in time, before and after, (N, S) bool."""
        gaps = self._stack.years - self._stack.years[scenes][:, None]
        eligible = company & (gaps.abs() <= NEAR_YEARS)
        return _nearest(gaps, eligible & (gaps <= 0)) | _nearest(gaps, eligible & (gaps > 0))

    def _sums(self, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean rank, mean square and number of chosen scenes, (N, pixels)."""
        weights = chosen.float()
        count = weights @ self._valid
        number = count.clamp(min=1)
        return weights @ self._ranks / number, weights @ self._squares / number, count

    def _changed(self, values: Tensor, zones: Tensor) -> Tensor:
        value, near, mean, deviation = values.unbind(1)
        changed = [
            self._radiometry(value, zones),
            self._mean_radiometry(near),
            self._mean_radiometry(mean),
            deviation * self._uniform(0.6, 1.6),
        ]
        return torch.stack(changed, 1)

    def _mean_radiometry(self, value: Tensor) -> Tensor:
        """Change the mean of scenes where it is defined: illumination, noise, contrast."""
        none = value == 0
        value = self._lit(value)
        noise = self._field(self._size) * self._uniform(0, 0.4) ** 1.5
        value = torch.where(self._chance(0.4), value + noise, value)
        return torch.where(none, 0.0, self._contrast(value))


def _nearest(gaps: Tensor, among: Tensor) -> Tensor:
    """Mark up to `NEAR_EACH_WAY` scenes with the smallest gaps, (N, S) bool."""
    away = torch.where(among, gaps.abs(), math.inf)
    smallest = away.topk(NEAR_EACH_WAY, dim=1, largest=False)
    return torch.zeros_like(among).scatter(1, smallest.indices, smallest.values.isfinite())
