"""All scenes of a training in the memory of a device."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from glacier_qgis.models.engine.units import DAYS_A_YEAR
from glacier_qgis.models.training.data.samples import UNLABELLED, LabelledScene


@dataclass(frozen=True)
class Stack:
    """Scenes on a device, padded to one shape; S of them.

    Attributes:
        ranks: (S, rows, columns) float32, -1 to 1, 0 where invalid; see `LabelledScene.equalised`.
        valid: (S, rows, columns) float32, 1 or 0.
        zones: (S, rows, columns) float32, 0 where unlabelled.
        shape: Rows and columns without the padding, (S, 2).
        cell_size: Ground distance between pixels along a row and along a column, m, (S, 2).
        front: Row and column of pixels at the front, (S, F, 2); the first `fronts` of each count.
        fronts: (S,).
        place: Number of its place, (S,).
        order: Index among the scenes of its place, in order of time, (S,).
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

    @property
    def device(self) -> torch.device:
        """Where the scenes are."""
        return self.ranks.device

    @classmethod
    def of(cls, scenes: Sequence[LabelledScene], device: torch.device) -> Stack:
        """Put scenes on a device; those of one group show one place."""
        rows = max(scene.shape[0] for scene in scenes)
        columns = max(scene.shape[1] for scene in scenes)
        most = max(1, *(len(scene.front) for scene in scenes))
        ranks, valid, zones = (
            np.zeros((len(scenes), rows, columns), np.float32) for _ in range(3)
        )
        front = np.zeros((len(scenes), most, 2), np.float32)
        for index, scene in enumerate(scenes):
            here = (index, slice(scene.shape[0]), slice(scene.shape[1]))
            (ranks[here],), valid[here] = scene.equalised()
            zones[here] = scene.zones
            front[index, : len(scene.front)] = scene.front
        groups = sorted({scene.group for scene in scenes})
        order = np.zeros(len(scenes), np.int64)
        for group in groups:
            own = [index for index, scene in enumerate(scenes) if scene.group == group]
            order[sorted(own, key=lambda index: scenes[index].date)] = np.arange(len(own))
        tensors = (
            ranks,
            valid,
            zones,
            np.array([scene.shape for scene in scenes], np.float32),
            np.array([scene.cell_size for scene in scenes], np.float32),
            front,
            np.array([len(scene.front) for scene in scenes], np.int64),
            np.array([groups.index(scene.group) for scene in scenes], np.int64),
            order,
            np.array([_year(scene.date) for scene in scenes], np.float32),
        )
        return cls(*(torch.from_numpy(values).to(device) for values in tensors))

    def look(
        self, scenes: Tensor, channels: Tensor, grid: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Resample scenes to patches: values bilinearly, zones and mask by nearest neighbour.

        Args:
            scenes: Indices, (N,).
            channels: Their values on the padded grid, (N, C, rows, columns).
            grid: Row and column of each cell of the patches, (N, P, P, 2).

        Returns:
            values: (N, C, P, P), 0 where invalid.
            valid: (N, P, P), 1 or 0.
            zones: (N, P, P) int64, 0 where unlabelled or invalid.
        """
        rows, columns = self.ranks.shape[1:]
        row, column = (2 * grid + 1).unbind(-1)
        places = torch.stack([column / columns - 1, row / rows - 1], dim=-1)
        valid, zones = self.valid[scenes][:, None], self.zones[scenes][:, None]
        weighted = grid_sample(
            torch.cat([channels, valid], 1), places, "bilinear", align_corners=False
        )
        nearest = grid_sample(torch.cat([zones, valid], 1), places, "nearest", align_corners=False)
        share = weighted[:, -1:]
        inside = (nearest[:, 1:] > 0.5) & (share > 0.5)
        values = torch.where(inside, weighted[:, :-1] / share.clamp(min=0.5), 0.0)
        labels = torch.where(inside, nearest[:, :1], UNLABELLED).long()
        return values, inside[:, 0].float(), labels[:, 0]


def _year(date: str) -> float:
    return datetime.date.fromisoformat(date).toordinal() / DAYS_A_YEAR if date else math.nan
