"""What ice looks like at several resolutions: `levels.levels` as loops."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.iceflow.emulators.pyramid import levels as tensors
from glacier_qgis.models.iceflow.emulators.pyramid.loops.compiling import (
    BLOCK,
    ROW,
    compiled,
    inverse_cube_root,
    logarithm,
)
from glacier_qgis.models.iceflow.emulators.pyramid.loops.sheets import (
    KERNEL,
    REACH,
    Sheet,
    choose,
    coarser,
    double,
    halve,
    sheet_of,
    spread,
)
from glacier_qgis.models.networks.ice_pyramid import Level

COVER, H, SLIP, GRIP, BEND, SLOPE_X, SLOPE_Y, STRESS_X, STRESS_Y, FLOW_X, FLOW_Y = range(11)
"""What is averaged, of cells with ice."""
PARTS = FLOW_Y + 1
FIELDS = tensors.SCALARS + 2 * tensors.VECTORS
SIZE = PARTS + FIELDS + 4
"""Rows of a block: parts, then fields, what shallow ice does, and how far to trust it."""

f32 = np.float32
TINY, CALM, ZERO, ONE = f32(tensors.TINY), f32(tensors.CALM), f32(0), f32(1)
THIN, SLIPPERY = f32(tensors.THIN), f32(tensors.SLIPPERY)
SHARPNESS, LOCAL = f32(tensors.SHARPNESS), f32(math.log(tensors.LOCAL))


@dataclass(frozen=True)
class ListedLevel(Level):
    """A level whose features get to others in loops.

    Attributes:
        sheet: its cells.
    """

    sheet: Sheet

    def spread(self, features: Tensor, weight: Tensor) -> Tensor:
        """See `Level`."""
        if weight.shape[-1] != KERNEL:
            return super().spread(features, weight)
        # Tensors begin where a cache line does, which arrays do not.
        found, weights = torch.empty_like(features), weight.flatten(1).T.flatten()
        size = (self.sheet.rows + 2 * REACH) * (self.sheet.columns + 2 * REACH)
        grid = features.new_zeros(size * features.shape[1])
        spread(features.numpy(), self.sheet, weights.numpy(), grid.numpy(), found.numpy())
        return found

    def halved(self, features: Tensor, coarse: Level) -> Tensor:
        """See `Level`."""
        there = cast(ListedLevel, coarse).sheet
        return torch.from_numpy(halve(features.numpy(), self.sheet, there))

    def doubled(self, features: Tensor, fine: Level) -> Tensor:
        """See `Level`."""
        there = cast(ListedLevel, fine).sheet
        return torch.from_numpy(double(features.numpy(), self.sheet, there))

    def chosen(self, read: Tensor, flow: Tensor, coarse: Level) -> Tensor:
        """See `Level`."""
        gate, shallow, there = (
            (self.trust + read[0]).sigmoid_(),
            self.shallow.numpy(),
            cast(ListedLevel, coarse).sheet,
        )
        found = np.empty_like(shallow)
        choose(found, flow.numpy(), there, self.sheet, shallow, gate.numpy(), read.numpy())
        return torch.from_numpy(found)


def levels(
    thickness: Tensor, slopes: Tensor, bend: Tensor, slip: Tensor, count: int
) -> list[Level]:
    """Return the ice of one glacier on several levels; see `levels.levels`."""
    sheets = [sheet_of((thickness[0] > 0).numpy())]
    while len(sheets) < count:
        sheets.append(coarser(sheets[-1]))
    rasters = torch.cat([thickness, slip, bend, slopes[0]]).flatten(1)
    parts = [_observed(rasters.numpy(), sheets[0])]
    for pair in pairwise(sheets):
        parts.append(halve(parts[-1], *pair))
    return [_level(*one) for one in zip(range(count), sheets, parts, strict=True)]


def _level(level: int, sheet: Sheet, parts: Float32Array) -> ListedLevel:
    found = torch.from_numpy(_known(parts, level))
    return ListedLevel(
        (1, sheet.rows, sheet.columns),
        torch.from_numpy(sheet.places),
        found[:FIELDS].T,
        found[FIELDS:-1],
        found[-1],
        sheet,
    )


@compiled
def _observed(rasters: Float32Array, sheet: Sheet) -> Float32Array:
    """Return what is averaged, (cells, 11), from h, slip, bend and slopes, (5, cells of a grid)."""
    found = np.empty((sheet.places.size, PARTS), np.float32)
    for cell in range(sheet.places.size):
        place = sheet.places[cell]
        h, slip = rasters[0, place], rasters[1, place]
        east, north = rasters[3, place], rasters[4, place]
        push = h * h * (east * east + north * north)
        speed = (f32(0.4) * h + slip) * push
        own = found[cell]
        own[COVER], own[H], own[SLIP] = ONE, h, slip
        own[GRIP], own[BEND] = inverse_cube_root(slip + SLIPPERY), rasters[2, place]
        own[SLOPE_X], own[SLOPE_Y] = east, north
        own[STRESS_X], own[STRESS_Y] = -h * east, -h * north
        own[FLOW_X], own[FLOW_Y] = -speed * h * east, -speed * h * north
    return found


@compiled
def _known(parts: Float32Array, level: int) -> Float32Array:
    """Return fields, what shallow ice does and how far to trust it, (fields + 4, cells)."""
    cells = len(parts)
    found = np.empty((FIELDS + 4, cells), np.float32)
    block = np.zeros(SIZE * ROW, np.float32)
    for first in range(0, cells, BLOCK):
        count = min(BLOCK, cells - first)
        for index in range(PARTS):
            for k in range(count):
                block[index * ROW + k] = parts[first + k, index]
        _work_out(block, count, level)
        for index in range(FIELDS + 4):
            own, known = found[index, first:], block[(PARTS + index) * ROW :]
            for k in range(count):
                own[k] = known[k]
    return found


@compiled
def _work_out(block: Float32Array, count: int, level: int) -> None:
    """Work out the rows of a block after those of parts, see `levels.levels`."""
    shrunk, larger = f32(0.5**level), f32(16.0**level)
    slower = f32(level * 4 * math.log(2))
    for k in range(count):
        cover = block[COVER * ROW + k]
        weight = ONE / cover
        inner = weight * shrunk
        h, slip = block[H * ROW + k] * inner, block[SLIP * ROW + k] * inner
        grip, bend = block[GRIP * ROW + k] * weight, block[BEND * ROW + k] * weight
        sx, sy = block[SLOPE_X * ROW + k] * weight, block[SLOPE_Y * ROW + k] * weight
        tx, ty = block[STRESS_X * ROW + k] * inner, block[STRESS_Y * ROW + k] * inner
        fx, fy = block[FLOW_X * ROW + k] * weight, block[FLOW_Y * ROW + k] * weight
        steep, push = sx * sx + sy * sy, tx * tx + ty * ty + TINY
        stuck = max(ONE / (grip * grip * grip) - SLIPPERY, ZERO) * shrunk
        inside = f32(0.4) * h + stuck + TINY
        log_push, log_h = f32(0.5) * logarithm(push), logarithm(h + THIN)
        speed = logarithm(inside) + f32(3) * log_push + slower
        force = np.sqrt(push)
        flow = np.sqrt(fx * fx + fy * fy) + CALM * inside * push * force * larger
        dx, dy, flowing = tx / force, ty / force, ONE / flow
        rough = min(max(logarithm(flow) - speed, f32(-4)), f32(4))
        gentle = ONE / (f32(0.1) + np.sqrt(steep))
        weak = ONE / (f32(0.1) + np.sqrt(push - TINY))
        place = PARTS * ROW + k
        block[place] = cover
        block[place + ROW] = f32(0.5) * log_h
        block[place + 2 * ROW] = np.sqrt(h) - ONE
        block[place + 3 * ROW] = f32(0.5) * log_push + ONE
        block[place + 4 * ROW] = f32(0.25) * logarithm(steep + f32(1e-4)) + ONE
        block[place + 5 * ROW] = f32(0.25) * logarithm(slip + SLIPPERY)
        block[place + 6 * ROW] = f32(0.25) * logarithm(stuck + SLIPPERY)
        block[place + 7 * ROW] = stuck / inside
        block[place + 8 * ROW] = rough * f32(0.5)
        block[place + 9 * ROW] = min(max(bend * f32(10), f32(-2)), f32(2))
        block[place + 10 * ROW], block[place + 11 * ROW] = sx * gentle, sy * gentle
        block[place + 12 * ROW], block[place + 13 * ROW] = dx, dy
        block[place + 14 * ROW], block[place + 15 * ROW] = fx * flowing, fy * flowing
        block[place + 16 * ROW], block[place + 17 * ROW] = tx * weak, ty * weak
        block[place + 18 * ROW], block[place + 19 * ROW], block[place + 20 * ROW] = speed, dx, dy
        block[place + 21 * ROW] = SHARPNESS * (LOCAL - log_h)
