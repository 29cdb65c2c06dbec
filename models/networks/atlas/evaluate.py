"""Evaluation of a stack of convolutions along a plan, on a processor.

A layer is one convolution of the atlas, after which the halo cells are copied from the cells that
they repeat. Between groups of layers the atlas is packed again, smaller. Values equal those of the
whole grid.

Threads compute one part of the atlas each, no cell twice, and wait for each other once per layer.

Where most inputs are the same from one evaluation to the next, as those of bare ground are, the
features of the first layers are remembered: there, only what a changed input reaches is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import cast

import torch
from torch import Tensor, nn

from glacier_qgis.models.compute.workers import Wait, work_together
from glacier_qgis.models.networks.atlas.plan import Plan
from glacier_qgis.models.networks.atlas.reach import remembered_layers
from glacier_qgis.models.networks.igm import LEAK, IgmCnn

Features = Sequence[Tensor]
"""Outputs of the first layers on a grid: (row × column, filter) each."""


@torch.inference_mode()
def features(network: IgmCnn, fields: Tensor) -> Features:
    """Return the features worth remembering of the network on `fields` (inputs, rows, columns)."""
    found = []
    fields = fields[None].contiguous(memory_format=torch.channels_last)
    for index in range(remembered_layers(network.radius)):
        output = network.hidden[index](fields)
        fields = torch.nn.functional.leaky_relu(output, LEAK, inplace=True)
        found.append(fields.permute(0, 2, 3, 1).flatten(0, 2))
    return found


@torch.inference_mode()
def evaluate(network: IgmCnn, fields: Tensor, plan: Plan, remembered: Features = ()) -> Tensor:
    """Return the network's output in the wanted cells: (outputs, cells), row by row.

    Args:
        network: The stack.
        fields: Its inputs on the grid that the plan was made for: (inputs, rows, columns).
        plan: Made for this network's number of layers.
        remembered: Features of inputs that differ only in the cells that the plan calls changed;
            none for a plan without changed cells.
    """
    cells = torch.nn.functional.pad(fields.flatten(1).mT, (0, 0, 0, 1))
    parts = len(plan.groups[0].parts)
    most = max(parts * (plan.height + 2) * group.width for group in plan.groups) + 1
    buffers = [cells.new_empty(most, network.head.in_channels) for _ in range(2)]

    def compute(part: int, wait: Wait) -> Tensor:
        return _compute_part(network, cells, plan, remembered, buffers, part, wait)

    wanted = work_together(compute, parts)[0].index_select(0, plan.wanted)
    head = torch.nn.functional.linear(wanted, network.head.weight.flatten(1), network.head.bias)
    return head.mT


@torch.inference_mode()
def _compute_part(
    network: IgmCnn,
    cells: Tensor,
    plan: Plan,
    remembered: Features,
    buffers: Sequence[Tensor],
    part: int,
    wait: Wait,
) -> Tensor:
    """Compute one part of every atlas while other threads compute theirs; return the last atlas.

    Layers alternate between two buffers: while some threads still copy halo cells in one, others
    already write the next layer to the other. The last cell of each is zero, see `Lookup.absent`.

    Args:
        network: The stack.
        cells: Its inputs, (row × column + 1, input), zero in the last.
        plan: As in `evaluate`.
        remembered: As in `evaluate`.
        buffers: Two, (cells of the largest atlas + 1, filter).
        part: Number of the part.
        wait: Returns when all threads have called it.
    """
    rows, alternate = plan.height + 2, cycle(buffers)
    for group in plan.groups:
        indices, size = group.parts[part], rows * group.width
        own = cells.index_select(0, indices.source)
        if 0 < group.layers.start <= len(remembered):
            features_before = remembered[group.layers.start - 1]
            own.index_copy_(
                0, indices.remembered, features_before.index_select(0, indices.remembered_in_grid)
            )
        for layer in group.layers:
            convolution = cast(nn.Conv2d, network.hidden[layer])
            image = own.view(1, rows, group.width, -1).permute(0, 3, 1, 2)
            output = torch.conv2d(image, convolution.weight, convolution.bias)
            cells = next(alternate)[: len(group.parts) * size + 1]
            own = cells[part * size : (part + 1) * size]
            inner = own.view(1, rows, group.width, -1)[:, 1:-1, 1:-1]
            torch.ops.aten.leaky_relu.out(output, LEAK, out=inner.permute(0, 3, 1, 2))
            if part == 0:
                cells[-1] = 0
            wait()
            if layer == group.layers[-1]:
                break
            own.index_copy_(0, indices.halo, cells.index_select(0, indices.halo_source))
            if layer < len(remembered):
                own.index_copy_(
                    0,
                    indices.halo_remembered,
                    remembered[layer].index_select(0, indices.halo_remembered_in_grid),
                )
    return cells
