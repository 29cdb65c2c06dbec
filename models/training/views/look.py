"""A square window on a labelled scene, resampled once to square cells."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from glacier_qgis.models.compute.arrays import Mask
from glacier_qgis.models.training.data.samples import UNLABELLED, Labelled

CPU = torch.device("cpu")


@dataclass(frozen=True)
class View:
    """A square window on a scene.

    Attributes:
        centre: Row and column of the centre in the scene.
        size: Rows and columns of the window.
        cell_size: Ground distance between the window's cells along a row and a column, m.
        angle: Rotation of the window, radians.
        mirrored: Whether columns are reversed.
    """

    centre: tuple[float, float]
    size: tuple[int, int]
    cell_size: tuple[float, float]
    angle: float = 0.0
    mirrored: bool = False


def look(scene: Labelled, view: View, device: torch.device = CPU) -> tuple[Tensor, Tensor]:
    """Resample a scene to a patch: values bilinearly, zones and mask by nearest neighbour.

    Args:
        scene: The scene.
        view: The patch.
        device: Where to compute.

    Returns:
        image: (bands + 1, rows, columns) float32: ranks of the values, mask of valid pixels.
        zones: (rows, columns) int64, 0 where unlabelled or invalid.
    """
    ranks, valid = (torch.from_numpy(values).to(device) for values in scene.equalised())
    zones = torch.from_numpy(scene.zones).to(device).float()
    grid = _grid(scene, view, device)
    image, labels = resampled(ranks[None], valid[None], zones[None], grid[None])
    return image[0], labels[0]


def resampled(ranks: Tensor, valid: Tensor, zones: Tensor, grid: Tensor) -> tuple[Tensor, Tensor]:
    """Resample scenes of one shape: values bilinearly, zones and mask by nearest neighbour.

    Args:
        ranks: (N, bands, H, W), 0 where invalid.
        valid: (N, H, W) float, 1 or 0.
        zones: (N, H, W) float, 0 where unlabelled.
        grid: Position of each cell of the patches, (N, rows, columns, 2) as x, y from -1 to 1.

    Returns:
        image: (N, bands + 1, rows, columns): ranks of the values, mask of valid pixels.
        zones: (N, rows, columns) int64, 0 where unlabelled or invalid.
    """
    valid = valid[:, None]
    weighted = grid_sample(torch.cat([ranks, valid], 1), grid, "bilinear", align_corners=False)
    labelled = torch.cat([zones[:, None], valid], 1)
    nearest = grid_sample(labelled, grid, "nearest", align_corners=False)
    share = weighted[:, -1:]
    inside = (nearest[:, 1:] > 0.5) & (share > 0.5)
    values = torch.where(inside, weighted[:, :-1] / share.clamp(min=0.5), 0.0)
    labels = torch.where(inside, nearest[:, :1], UNLABELLED).long()
    return torch.cat([values, inside.float()], 1), labels[:, 0]


def rock_under(scene: Labelled, view: View) -> Mask | None:
    """Return where rock is known in a patch, (rows, columns); None where nothing is known of it."""
    if (known := scene.known_rock) is None:
        return None
    rock = torch.from_numpy(known.astype(np.float32))[None, None]
    there = grid_sample(rock, _grid(scene, view, CPU)[None], "nearest", align_corners=False)
    return np.asarray(there[0, 0].numpy() > 0)


def _grid(scene: Labelled, view: View, device: torch.device) -> Tensor:
    """Position of each cell of a patch in the scene, (rows, columns, 2) as x, y from -1 to 1."""
    y, x = (
        (torch.arange(count, device=device) - (count - 1) / 2) * size
        for count, size in zip(view.size, reversed(view.cell_size), strict=True)
    )
    y, x = torch.meshgrid(y, -x if view.mirrored else x, indexing="ij")
    cosine, sine = math.cos(view.angle), math.sin(view.angle)
    column = (cosine * x - sine * y) / scene.cell_size[0] + view.centre[1]
    row = (sine * x + cosine * y) / scene.cell_size[1] + view.centre[0]
    rows, columns = scene.shape
    return torch.stack([(2 * column + 1) / columns - 1, (2 * row + 1) / rows - 1], dim=-1).float()
