"""Patches of a labelled scene: one resampling to square cells, then radiometric augmentation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample, interpolate

from glacier_qgis.models.compute.arrays import Mask
from glacier_qgis.models.training.data.samples import UNLABELLED, Labelled
from glacier_qgis.models.zones.codes import OCEAN, ROCK

CPU = torch.device("cpu")
OCTAVES = (-0.6, 0.7)
"""Range of the ratio of a patch's cell size to the model's, as powers of two."""


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
    grid = _grid(scene, view, device)[None]
    ranks, valid = (torch.from_numpy(values).to(device) for values in scene.equalised())
    ranks, valid = ranks[None], valid[None, None]
    zones = torch.from_numpy(scene.zones).to(device)[None, None].float()
    weighted = grid_sample(torch.cat([ranks, valid], 1), grid, "bilinear", align_corners=False)[0]
    nearest = grid_sample(torch.cat([zones, valid], 1), grid, "nearest", align_corners=False)[0]
    inside = (nearest[1] > 0.5) & (weighted[-1] > 0.5)
    values = torch.where(inside, weighted[:-1] / weighted[-1].clamp(min=0.5), 0.0)
    labels = torch.where(inside, nearest[0], UNLABELLED).long()
    return torch.cat([values, inside.float()[None]]), labels


def rock_under(scene: Labelled, view: View) -> Mask | None:
    """Return where rock is known in a patch, (rows, columns); None where nothing is known of it."""
    if (known := scene.known_rock) is None:
        return None
    rock = torch.from_numpy(known.astype(np.float32))[None, None]
    there = grid_sample(rock, _grid(scene, view, CPU)[None], "nearest", align_corners=False)
    return np.asarray(there[0, 0].numpy() > 0)


def compose(
    view: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Paste zones of one patch into another, which creates new boundaries and neighbours.

    In half of the cases whole zones are pasted, otherwise only the texture of a zone that both
    patches have (ClassMix; Olsson et al. 2021, doi:10.1109/WACV48630.2021.00141, with true labels).

    Args:
        view: Image (bands + 1, rows, columns) and zones (rows, columns).
        other: Likewise, of the same size.
        generator: Random number generator.
    """
    (image, zones), (pasted, pasted_zones) = view, other
    first, second = torch.randint(ROCK, OCEAN + 1, (2,), generator=generator)
    over = pasted_zones == first
    if torch.rand((), generator=generator) < 0.5:
        over |= pasted_zones == second
    else:
        over &= zones == first
    return torch.where(over, pasted, image), torch.where(over, pasted_zones, zones)


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


class Augmentation:
    """Random patches of scenes, with all random numbers from one generator.

    Args:
        size: Rows and columns of a patch.
        cell_size: The model's cell size, m.
        generator: Random number generator, on the CPU; its state makes a run resumable.
        device: Where to make the patches.
    """

    def __init__(
        self,
        size: int,
        cell_size: float,
        generator: torch.Generator,
        device: torch.device = CPU,
    ) -> None:
        self._size = size
        self._cell_size = cell_size
        self._generator = generator
        self._device = device
        self._noise = generator
        if device != CPU:
            seed = int(torch.randint(2**62, (), generator=generator))
            self._noise = torch.Generator(device).manual_seed(seed)

    def __call__(self, scene: Labelled) -> tuple[Tensor, Tensor]:
        """Return an image (bands + 1, size, size) and zones (size, size)."""
        image, zones = look(scene, self._view(scene), self._device)
        *bands, valid = image
        zones = self._edge_of_scene(zones, valid)
        bands = [torch.where(valid > 0, band, 0.0) for band in self._changed(bands, zones)]
        return torch.stack([*bands, valid]), zones

    def _changed(self, bands: list[Tensor], zones: Tensor) -> list[Tensor]:
        """Change the radiometry of every band."""
        return [self._radiometry(band, zones) for band in bands]

    def _view(self, scene: Labelled) -> View:
        scale = self._cell_size * 2 ** self._uniform(*OCTAVES)
        stretch = 2 ** self._uniform(-0.15, 0.15)
        return View(
            centre=self._centre(scene),
            size=(self._size, self._size),
            cell_size=(scale * stretch, scale / stretch),
            angle=self._uniform(0, 2 * math.pi),
            mirrored=self._chance(0.5),
        )

    def _centre(self, scene: Labelled) -> tuple[float, float]:
        rows, columns = scene.shape
        row, column = self._uniform(0.1, 0.9) * rows, self._uniform(0.1, 0.9) * columns
        if len(scene.front) and self._chance(0.6):
            row, column = scene.front[int(self._uniform(0, len(scene.front)))]
            row += self._uniform(-0.3, 0.3) * self._size
            column += self._uniform(-0.3, 0.3) * self._size
        return float(row), float(column)

    def _edge_of_scene(self, zones: Tensor, valid: Tensor) -> Tensor:
        """Sometimes cut the patch by a straight edge, beyond which it is not valid."""
        if self._chance(0.8):
            return zones
        angle = self._uniform(0, 2 * math.pi)
        offset = torch.linspace(-1, 1, self._size, device=self._device)
        across = math.cos(angle) * offset[:, None] + math.sin(angle) * offset
        outside = (across > self._uniform(0.3, 1.0)) & (valid > 0)
        valid.masked_fill_(outside, 0.0)
        return torch.where(outside, UNLABELLED, zones)

    def _radiometry(self, value: Tensor, zones: Tensor) -> Tensor:
        """Change what ranks do not normalise: shares of zones in a scene, illumination, noise."""
        dark = value <= -0.98
        value = self._open_water(value, zones)
        if self._chance(0.2):
            zone = ROCK + int(self._uniform(0, OCEAN - ROCK + 1))
            value = value + self._normal(0.25) * (zones == zone)
        value = self._lit(value)
        if self._chance(0.15):
            value = avg_pool2d(value[None], 3, stride=1, padding=1, count_include_pad=False)[0]
        if self._chance(0.6):  # ranks amplify the speckle of a scene with little contrast
            value = value + self._field(self._size) * self._uniform(0, 0.6) ** 1.5
        return torch.where(dark, -1.0, self._contrast(value))

    def _lit(self, value: Tensor) -> Tensor:
        """Sometimes change the illumination."""
        if not self._chance(0.3):
            return value
        return value + self._field(2 + int(self._uniform(0, 4))) * self._uniform(0, 0.3)

    def _contrast(self, value: Tensor) -> Tensor:
        """Darken or brighten medium values."""
        power = math.exp(self._normal(0.3))
        return 2 * ((value.clamp(-1, 1) + 1) / 2) ** power - 1

    def _open_water(self, value: Tensor, zones: Tensor) -> Tensor:
        """Sometimes replace a part of the ocean by water or young ice: any grey, little texture."""
        if self._chance(0.75):
            return value
        part = (zones == OCEAN) & (self._field(3) > self._normal(1.0))
        swell = self._uniform(0, 0.3) * self._field(4)
        speckle = self._uniform(0, 0.3) * self._field(self._size)
        return torch.where(part, self._uniform(-1, 1) + swell + speckle, value)

    def _field(self, cells: int) -> Tensor:
        """Smooth noise with unit variance at the nodes, with `cells` nodes per side."""
        nodes = torch.randn(1, 1, cells, cells, generator=self._noise, device=self._device)
        size = (self._size, self._size)
        return interpolate(nodes, size, mode="bilinear", align_corners=False)[0, 0]

    def _uniform(self, low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=self._generator))

    def _normal(self, deviation: float) -> float:
        return deviation * float(torch.randn((), generator=self._generator))

    def _chance(self, probability: float) -> bool:
        return self._uniform(0, 1) < probability
