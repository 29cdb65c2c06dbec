"""Random patches of a whole batch at once: `views.augment`, with a decision per patch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.training.delivered.batched.stack import Stack
from glacier_qgis.models.training.views.augment import OCTAVES
from glacier_qgis.models.training.views.sampling import COMPOSED, Batch
from glacier_qgis.models.zones.codes import OCEAN, ROCK


class Patches:
    """Batches of random patches; what is drawn, and how often, is as in `Augmentation`.

    All shapes are fixed and nothing is read back, so that a batch can be part of a captured graph.
    Random numbers come from the device's own generator.

    Args:
        stack: The scenes.
        pools: Indices of scenes; each pool is drawn equally often, whatever its size.
        batch: Patches per batch.
        size: Rows and columns of a patch.
        cell_size: The model's cell size, m.
        composed: Share of the patches with pasted zones of another patch.
        signed: Number of leading channels whose sign is changed in half of the patches; see
            `with_negatives`.
    """

    def __init__(
        self,
        stack: Stack,
        pools: Sequence[Sequence[int]],
        batch: int,
        size: int,
        cell_size: float,
        composed: float = COMPOSED,
        signed: int = 1,
    ) -> None:
        self._stack = stack
        self._batch = batch
        self._size = size
        self._cell_size = cell_size
        self._composed = composed
        self._signed = signed
        most = max(map(len, pools))
        filled = [[*pool, *[0] * (most - len(pool))] for pool in pools]
        self._pools = torch.tensor(filled, device=stack.device)
        self._counts = torch.tensor([*map(len, pools)], device=stack.device)

    def __call__(self) -> Batch:
        """Return images (N, channels + 1, P, P), the mask last, and zones (N, P, P) int64."""
        pool = torch.randint(len(self._counts), (self._batch,), device=self._stack.device)
        scenes = self._pools[pool, self._integer(self._counts[pool])]
        values, valid, zones = self._stack.look(scenes, self._channels(scenes), self._grid(scenes))
        valid, zones = self._edge_of_scene(valid, zones)
        values = self._changed(values, zones) * valid[:, None]
        image, zones = self._pasted(torch.cat([values, valid[:, None]], 1), zones)
        return self._finished(image), zones

    def _channels(self, scenes: Tensor) -> Tensor:
        """Return what is seen of scenes, (N, channels, rows, columns)."""
        return self._stack.ranks[scenes][:, None]

    def _changed(self, values: Tensor, zones: Tensor) -> Tensor:
        """Change the radiometry of every channel."""
        return self._radiometry(values[:, 0], zones)[:, None]

    def _grid(self, scenes: Tensor) -> Tensor:
        """Draw views; return row and column of their cells in the scenes, (N, P, P, 2)."""
        scale = self._cell_size * 2 ** self._uniform(*OCTAVES)
        stretch = 2 ** self._uniform(-0.15, 0.15)
        angle = self._uniform(0, 2 * math.pi)
        mirrored = torch.where(self._chance(0.5), -1.0, 1.0)
        places = torch.arange(self._size, device=self._stack.device) - (self._size - 1) / 2
        x = places * scale * stretch * mirrored
        y = places[:, None] * scale / stretch
        cosine, sine = angle.cos(), angle.sin()
        centre = self._centre(scenes)
        along_row, along_column = self._stack.cell_size[scenes].T[..., None, None]
        column = (cosine * x - sine * y) / along_row + centre[:, 1, None, None]
        row = (sine * x + cosine * y) / along_column + centre[:, 0, None, None]
        return torch.stack([row, column], dim=-1)

    def _centre(self, scenes: Tensor) -> Tensor:
        """Return row and column of the centres of the views, (N, 2)."""
        anywhere = self._uniform(0.1, 0.9, 2) * self._stack.shape[scenes]
        fronts = self._stack.fronts[scenes]
        pixel = self._stack.front[scenes, self._integer(fronts.clamp(min=1))]
        near = pixel + self._uniform(-0.3, 0.3, 2) * self._size
        at_front = self._chance(0.6)[:, 0] & (fronts[:, None] > 0)
        return torch.where(at_front, near, anywhere)

    def _edge_of_scene(self, valid: Tensor, zones: Tensor) -> tuple[Tensor, Tensor]:
        """Sometimes cut a patch by a straight edge, beyond which it is not valid."""
        angle = self._uniform(0, 2 * math.pi)
        offset = torch.linspace(-1, 1, self._size, device=self._stack.device)
        across = angle.cos() * offset[:, None] + angle.sin() * offset
        outside = self._chance(0.2) & (across > self._uniform(0.3, 1.0))
        return torch.where(outside, 0.0, valid), torch.where(outside, UNLABELLED, zones)

    def _radiometry(self, value: Tensor, zones: Tensor) -> Tensor:
        """Change what ranks do not normalise; (N, P, P)."""
        dark = value <= -0.98
        value = self._open_water(value, zones)
        value = self._one_zone(value, zones, 0.2, 0.25)
        value = self._lit(value)
        value = torch.where(self._chance(0.15), blurred(value), value)
        noise = self._field(self._size) * self._uniform(0, 0.6) ** 1.5
        value = torch.where(self._chance(0.6), value + noise, value)
        return torch.where(dark, -1.0, self._contrast(value))

    def _one_zone(self, value: Tensor, zones: Tensor, share: float, deviation: float) -> Tensor:
        """Sometimes darken or brighten one zone."""
        zone = torch.randint(ROCK, OCEAN + 1, (self._batch, 1, 1), device=self._stack.device)
        changed = value + self._normal(deviation) * (zones == zone)
        return torch.where(self._chance(share), changed, value)

    def _lit(self, value: Tensor) -> Tensor:
        """Sometimes change the illumination."""
        light = self._field_of(2, 6) * self._uniform(0, 0.3)
        return torch.where(self._chance(0.3), value + light, value)

    def _contrast(self, value: Tensor) -> Tensor:
        """Darken or brighten medium values."""
        return 2 * ((value.clamp(-1, 1) + 1) / 2) ** self._normal(0.3).exp() - 1

    def _open_water(self, value: Tensor, zones: Tensor) -> Tensor:
        """Sometimes replace a part of the ocean by water or young ice: any grey, little texture."""
        part = (zones == OCEAN) & (self._field(3) > self._normal(1.0)) & self._chance(0.25)
        swell = self._uniform(0, 0.3) * self._field(4)
        speckle = self._uniform(0, 0.3) * self._field(self._size)
        return torch.where(part, self._uniform(-1, 1) + swell + speckle, value)

    def _pasted(self, image: Tensor, zones: Tensor) -> Batch:
        """Paste zones of the patch before into some patches; see `compose`."""
        pasted, pasted_zones = image.roll(1, 0), zones.roll(1, 0)
        two = torch.randint(ROCK, OCEAN + 1, (2, self._batch, 1, 1), device=image.device)
        over, whole = pasted_zones == two[0], self._chance(0.5)
        over = torch.where(whole, over | (pasted_zones == two[1]), over & (zones == two[0]))
        over &= self._chance(self._composed)
        return (
            torch.where(over[:, None], pasted, image),
            torch.where(over, pasted_zones, zones),
        )

    def _finished(self, image: Tensor) -> Tensor:
        """Change the sign of the leading channels in half of the patches."""
        sign = torch.where(self._chance(0.5), -1.0, 1.0)[:, None]
        return torch.cat([image[:, : self._signed] * sign, image[:, self._signed :]], dim=1)

    def _field(self, cells: int) -> Tensor:
        """Smooth noise with `cells` nodes per side, (N, P, P), unit variance at the nodes."""
        nodes = torch.randn(self._batch, 1, cells, cells, device=self._stack.device)
        if cells == self._size:
            return nodes[:, 0]
        size = (self._size, self._size)
        return interpolate(nodes, size, mode="bilinear", align_corners=False)[:, 0]

    def _field_of(self, fewest: int, end: int) -> Tensor:
        """Smooth noise whose nodes per side are drawn from `fewest` up to, not with, `end`."""
        nodes = torch.randn(self._batch, end - 1, end - 1, device=self._stack.device)
        weights = _weights(fewest, end, self._size, self._stack.device)
        own = weights[torch.randint(len(weights), (self._batch,), device=self._stack.device)]
        return own @ nodes @ own.mT

    def _uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """One number per patch, (N, 1, 1), or (N, *shape)."""
        numbers = torch.rand(self._batch, *(shape or (1, 1)), device=self._stack.device)
        return low + (high - low) * numbers

    def _integer(self, end: Tensor) -> Tensor:
        """One integer per patch below its `end`, (N,)."""
        drawn = (torch.rand(self._batch, device=self._stack.device) * end).long()
        return torch.minimum(drawn, end - 1)

    def _normal(self, deviation: float) -> Tensor:
        return deviation * torch.randn(self._batch, 1, 1, device=self._stack.device)

    def _chance(self, probability: float) -> Tensor:
        return self._uniform(0, 1) < probability


def blurred(value: Tensor) -> Tensor:
    return avg_pool2d(value[:, None], 3, stride=1, padding=1, count_include_pad=False)[:, 0]


_KEPT: dict[tuple[int, int, int, torch.device], Tensor] = {}


def _weights(fewest: int, end: int, size: int, device: torch.device) -> Tensor:
    """Weights of bilinear interpolation from 'fewest' to `end` - 1 nodes, (counts, size, nodes)."""
    key = (fewest, end, size, device)
    if key not in _KEPT:
        weights = torch.zeros(end - fewest, size, end - 1)
        for count in range(fewest, end):
            unit = torch.eye(count)[None]
            weights[count - fewest, :, :count] = interpolate(
                unit, size, mode="linear", align_corners=False
            )[0].T
        _KEPT[key] = weights.to(device)
    return _KEPT[key]
