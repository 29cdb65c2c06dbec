"""An `IcePyramid` behind the interface of emulators."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from copy import deepcopy

import torch
from torch import Tensor

from glacier_qgis.models.compute.workers import threads_an_operation
from glacier_qgis.models.iceflow.emulators.card import (
    MEAN_FLOW,
    OUTPUTS,
    Card,
    FlowCoefficient,
    FlowParameters,
)
from glacier_qgis.models.iceflow.emulators.pyramid.pyramid import (
    Motion,
    balanced,
    moves,
    predicted,
    shape_of,
    unit_speed,
)
from glacier_qgis.models.networks.ice_pyramid import IcePyramid
from glacier_qgis.models.networks.symmetric import expand

MOST_CELLS = 1024 * 1024
"""Cells of a rectangle around ice that are computed at once; bounds memory."""
PICARD = 1.0
"""Length of a step towards the balance of forces from the motion of another state."""
MEAN = slice(OUTPUTS.index(MEAN_FLOW[0]), OUTPUTS.index(MEAN_FLOW[1]) + 1)
WORTH_SHARING = 512 * 512
"""Cells of a rectangle from which on several threads share each operation."""
MARGIN = 128
"""Cells around a part of a larger rectangle; ice farther away hardly matters."""

Box = tuple[slice, slice]


class PyramidCore:
    """See `Core`; :meth:`moving` takes A and c of each glacier, too.

    Ice is computed in the smallest rectangle around it, so what it does depends neither on how
    the grid lies nor on how much of it has no ice.
    """

    def __init__(self, card: Card, network: IcePyramid, *, learning: bool = False) -> None:
        """Put `network` behind the interface.

        Args:
            card: what the emulator says of itself.
            network: as it is trained; kept as `shared`.
            learning: whether it is to be trained further. Otherwise predictions come from a copy
                with expanded weights, which is faster.
        """
        self.card = card
        self.shared = self.network = network
        if not learning:
            self.network = deepcopy(network).eval().requires_grad_(requires_grad=False)
            expand(self.network)

    def to(self, device: torch.device) -> PyramidCore:
        """See `Core`."""
        self.network.to(device)
        self.shared.to(device)
        return self

    def __call__(self, thickness: Tensor, surface: Tensor, parameters: FlowParameters) -> Tensor:
        """See `Core`."""
        return self.moving(thickness, surface, *parameters)

    def moving(
        self,
        thickness: Tensor,
        surface: Tensor,
        cell_size: float,
        rate_factor: FlowCoefficient,
        sliding: FlowCoefficient,
    ) -> Tensor:
        """Return velocities as `Core` does; A and c are numbers, (row, column), or one per glacier.

        Args:
            thickness: h in m, north-up, (glacier, row, column).
            surface: s in m.
            cell_size: Δ in m.
            rate_factor: A in MPa⁻³ a⁻¹.
            sliding: c in km MPa⁻³ a⁻¹.
        """
        glaciers, rows, columns = thickness.shape
        result = thickness.new_zeros(glaciers, len(OUTPUTS), rows, columns)
        softness, slip = (_field(value, thickness) for value in (rate_factor, sliding))
        for glacier in range(glaciers):
            for box, inner in boxes(moves(thickness[glacier], cell_size)):
                fields = (thickness, surface, softness, slip)
                h, s, a, c = (field[glacier][box][None] for field in fields)
                with threads_for(h):
                    found = self._in_box(h, s, cell_size, a, c)
                result[glacier][:, *inner] = found[:, *_inside(inner, box)]
        return result

    def _in_box(
        self, thickness: Tensor, surface: Tensor, cell_size: float, softness: Tensor, slip: Tensor
    ) -> Tensor:
        shape = shape_of(thickness, surface, cell_size, softness, slip)
        finest, moving, _ = predicted(self.network, shape)
        unit = finest.picked(unit_speed(cell_size, softness)[None])
        return finest.rasters(moving.flatten(0, 1) * unit)[:, 0]

    @property
    def carries(self) -> bool:
        """Whether a state may begin with the motion of another, see :meth:`carried`."""
        return self.network.sizes.steps > 0

    def carried(
        self,
        thickness: Tensor,
        surface: Tensor,
        parameters: FlowParameters,
        last: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the mean velocity of one glacier, and what the next state may begin with.

        Args:
            thickness: h in m, north-up, (row, column).
            surface: s in m.
            parameters: as of `Core`.
            last: what a slightly different state returned; one step towards the balance of forces
                then takes the place of a prediction. None for a prediction.

        Returns:
            Velocity in m a⁻¹, (2, row, column); both modes of it (m a⁻¹) and what makes ice
            stiffer, (6, row, column), None where the ice does not fit into one rectangle.
        """
        whole = [box for box, _ in boxes(moves(thickness, parameters.cell_size))]
        if len(whole) != 1 or min(thickness[whole[0]].shape) == 1:
            return self(thickness[None], surface[None], parameters)[0, MEAN], None
        (box,) = whole
        fields = (thickness, surface, *(_field(one, thickness) for one in parameters[1:]))
        h, s, a, c = (field[box][None] for field in fields)
        shape = shape_of(h, s, parameters.cell_size, a, c)
        unit = unit_speed(parameters.cell_size, a.contiguous().amax())
        with threads_for(h):
            if last is None:
                motion = predicted(self.network, shape).motion
            else:
                before = last[:, *box][:, None]
                levels = len(self.network.sizes.features)
                motion = balanced(shape, Motion(before[:4] / unit, before[4:]), levels, (PICARD,))
        result = thickness.new_zeros(8, *thickness.shape)
        if motion is not None:
            mean = torch.where(shape.thickness > 0, motion.mean * unit, 0.0)
            result[:, *box] = torch.cat([mean, motion.modes * unit, motion.stiffer])[:, 0]
        return result[:2], result[2:]


def threads_for(box: Tensor) -> AbstractContextManager[None]:
    """Compute on one thread unless the box is large: waiting for others would take longer."""
    return threads_an_operation(None if box.numel() >= WORTH_SHARING else 1)


def _field(value: FlowCoefficient, like: Tensor) -> Tensor:
    return torch.as_tensor(value, dtype=like.dtype, device=like.device).expand(like.shape)


def boxes(ice: Tensor) -> Iterator[tuple[Box, Box]]:
    """Yield rectangles to compute, and the part of each to keep; together they hold all ice.

    Args:
        ice: where there is any, (row, column).

    A rectangle has one cell around its ice, whose surface tells the slope at the margin.
    """
    spans = [ice.any(dim=1 - axis).nonzero().flatten() for axis in (0, 1)]
    if not len(spans[0]):
        return
    rows, columns = (slice(int(span[0]), int(span[-1]) + 1) for span in spans)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    if height * width <= MOST_CELLS:
        yield _grown((rows, columns), 1, ice), (rows, columns)
        return
    if height >= width:
        middle = rows.start + height // 2
        halves = ((slice(rows.start, middle), columns), (slice(middle, rows.stop), columns))
    else:
        middle = columns.start + width // 2
        halves = ((rows, slice(columns.start, middle)), (rows, slice(middle, columns.stop)))
    for half in halves:
        part = torch.zeros_like(ice)
        part[half] = ice[half]
        for box, inner in boxes(part):
            yield _grown(box, MARGIN, ice), inner


def _grown(box: Box, margin: int, ice: Tensor) -> Box:
    rows, columns = (
        slice(max(part.start - margin, 0), min(part.stop + margin, size))
        for part, size in zip(box, ice.shape, strict=True)
    )
    return rows, columns


def _inside(inner: Box, outer: Box) -> Box:
    rows, columns = (
        slice(part.start - around.start, part.stop - around.start)
        for part, around in zip(inner, outer, strict=True)
    )
    return rows, columns
