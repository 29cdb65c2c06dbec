"""Evaluation of an emulator only where there is ice, with the values of the whole grid.

Inputs farther away than the emulator's radius do not change a velocity. So the ice is cut into
windows, and each is evaluated with a margin of the radius. Their size limits the memory. On a CPU,
each core evaluates one window at a time; a single window is shared by all cores.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.compute.arrays import Mask
from glacier_qgis.models.compute.precision import full_float32
from glacier_qgis.models.compute.workers import (
    thread_count,
    threads_an_operation,
    work_on,
)
from glacier_qgis.models.iceflow.emulators.card import Core, FlowParameters, SelectiveCore

MOST_CELLS = 768 * 768
"""Cells that are evaluated at once; limits memory, does not change the result."""
WORTH_SHARING = 1024
"""Least number of cells with ice per core."""
GRAIN = 8
"""Windows begin and end at multiples of this number of cells, so that few shapes occur in a run."""


class Window(NamedTuple):
    """A rectangle of a grid."""

    rows: slice
    columns: slice

    def grown(self, margin: int, shape: tuple[int, ...]) -> Window:
        """Return the window with a margin, clipped to a grid of that shape."""
        return Window(
            *(
                slice(max(part.start - margin, 0), min(part.stop + margin, size))
                for part, size in zip(self, shape, strict=True)
            )
        )

    def inside(self, outer: Window) -> Window:
        """Return its place in another window that contains it."""
        return Window(
            *(
                slice(part.start - around.start, part.stop - around.start)
                for part, around in zip(self, outer, strict=True)
            )
        )


def velocity_where_ice(
    core: Core,
    thickness: Tensor,
    surface: Tensor,
    parameters: FlowParameters,
    channels: list[int],
    ground: Tensor | None = None,
) -> Tensor:
    """Return velocities in m a⁻¹, 0 where there is no ice: (channel, glacier, row, column).

    Args:
        core: The emulator.
        thickness: h in m, north-up, (glacier, row, column).
        surface: s in m.
        parameters: What it takes beside these.
        channels: Indices of the outputs to return.
        ground: Surface without ice, (row, column), if it is the same in every call; saves time.
    """
    result = thickness.new_zeros((len(channels), *thickness.shape))
    if thickness.device.type == "cpu" and isinstance(core, SelectiveCore):
        _fill_selectively(result, core, thickness, surface, parameters, channels, ground)
        return result
    with full_float32(), threads_an_operation():
        for window in _shared_windows(core, thickness):
            outer = window.grown(core.card.radius or 0, thickness.shape[1:])
            answer = core(thickness[:, *outer], surface[:, *outer], parameters.within(*outer))
            moving, ice = answer[:, :, *window.inside(outer)], thickness[:, *window] > 0
            for found, channel in zip(result, channels, strict=True):
                found[:, *window] = torch.where(ice, moving[:, channel], 0.0)
    return result


def _shared_windows(core: Core, thickness: Tensor) -> Iterator[Window]:
    """Yield windows that cover the ice of all glaciers, or the whole grid if every cell matters."""
    ice = (thickness > 0).any(dim=0).cpu().numpy()
    if core.card.radius is not None:
        yield from windows(ice, max(MOST_CELLS // len(thickness), 1))
    elif ice.any():
        yield Window(*(slice(0, size) for size in ice.shape))


def _fill_selectively(
    result: Tensor,
    core: SelectiveCore,
    thickness: Tensor,
    surface: Tensor,
    parameters: FlowParameters,
    channels: list[int],
    ground: Tensor | None,
) -> None:
    """Evaluate every window of every glacier, several at the same time."""
    ice = (thickness > 0).numpy()
    jobs = [
        (glacier, window)
        for glacier, mask in enumerate(ice)
        for window in windows(mask, MOST_CELLS)
    ]
    threads = 1
    if len(jobs) == 1:
        threads = max(min(thread_count(), int(ice.sum()) // WORTH_SHARING), 1)

    @torch.inference_mode()
    def fill(job: tuple[int, Window]) -> None:
        glacier, window = job
        outer = window.grown(core.card.radius or 0, ice.shape[1:])
        inner = window.inside(outer)
        wanted = np.zeros_like(ice[glacier, *outer])
        wanted[inner] = ice[glacier, *window]
        answer = core.chosen(
            thickness[glacier, *outer],
            surface[glacier, *outer],
            parameters.within(*outer),
            wanted,
            None if ground is None else ground[outer],
            threads,
        )
        result[:, glacier, *window][:, torch.from_numpy(wanted[inner])] = answer[channels]

    work_on(fill, jobs)


def windows(ice: Mask, most: int) -> list[Window]:
    """Cover the ice with windows that do not overlap and contain about the same amount of ice.

    Args:
        ice: True where there is ice, (row, column).
        most: Largest number of cells of a window, rounded to whole grains.
    """
    if not ice.any():
        return []
    box = Window(*(_span(np.asarray(ice.any(axis=axis))) for axis in (1, 0)))
    sizes = [part.stop - part.start for part in box]
    axis = int(sizes[1] > sizes[0])
    if sizes[0] * sizes[1] <= most or sizes[axis] <= GRAIN:
        return [box]
    counts = ice[box].sum(axis=1 - axis).cumsum()
    grains = counts[GRAIN - 1 : -1 : GRAIN]
    cut = (int(np.abs(2 * grains - counts[-1]).argmin()) + 1) * GRAIN + box[axis].start
    found = []
    for half in (slice(0, cut), slice(cut, None)):
        part = np.zeros_like(ice)
        place = (half, slice(None)) if axis == 0 else (slice(None), half)
        part[place] = ice[place]
        found += windows(part, most)
    return found


def _span(occupied: Mask) -> slice:
    """Return the shortest slice, in whole grains, that contains every True."""
    places = occupied.nonzero()[0]
    first, last = int(places[0]), int(places[-1])
    return slice(first // GRAIN * GRAIN, min((last // GRAIN + 1) * GRAIN, len(occupied)))
