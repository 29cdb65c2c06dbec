"""A stack of convolutions that is computed only where its answer can depend on it.

An answer is wanted in some cells of a grid. The last of n layers is then needed there alone, the
one before it a cell further, and the first n − 1 cells further. The grid is cut into strips of a
few rows; of each strip only the needed runs of columns are kept, and the runs of all strips lie
side by side in one wide image, an atlas, with a border of one cell around each. A layer is one
convolution of the atlas, after which the borders between strips are copied anew. Every few layers
the atlas is packed again, as less of the grid is needed. Values are those of the whole grid.

Threads share an atlas: it consists of parts of equal size, a thread each, so that no cell is
computed twice; they wait for each other once a layer.

Where most inputs stay as they are from one evaluation to the next, the features of the first
layers are remembered; then layer n is computed at most n cells around the inputs that changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import cast

import torch
from torch import Tensor, nn

from glacier_qgis.models.engine.workers import Wait, work_together
from glacier_qgis.models.networks.atlas import Plan, remembered_layers
from glacier_qgis.models.networks.igm import LEAK, IgmCnn

Features = Sequence[Tensor]
"""What the first layers give for some inputs: (row × column, filter) each."""


@torch.inference_mode()
def features(network: IgmCnn, fields: Tensor) -> Features:
    """Return what there is to remember of the network on `fields` (inputs, rows, columns)."""
    found = []
    fields = fields[None].contiguous(memory_format=torch.channels_last)
    for index in range(remembered_layers(network.radius)):
        answer = network.hidden[index](fields)
        fields = torch.nn.functional.leaky_relu(answer, LEAK, inplace=True)
        found.append(fields.permute(0, 2, 3, 1).flatten(0, 2))
    return found


@torch.inference_mode()
def evaluate(
    network: IgmCnn, fields: Tensor, plan: Plan, remembered: Features | None = None
) -> Tensor:
    """Return the network's answer in the wanted cells: (outputs, cells).

    Args:
        network: The stack.
        fields: Its inputs on the grid that the plan was made for: (inputs, rows, columns).
        plan: How, made for this network's number of layers.
        remembered: Features for inputs that differ only where the plan was told.
    """
    cells = torch.nn.functional.pad(fields.flatten(1).mT, (0, 0, 0, 1))
    parts = len(plan.stages[0].shares)
    most = max(parts * (plan.height + 2) * stage.columns for stage in plan.stages) + 1
    pages = [cells.new_empty(most, network.head.in_channels) for _ in range(2)]

    def compute(part: int, wait: Wait) -> Tensor:
        return _compute_part(network, cells, plan, remembered, pages, part, wait)

    wanted = work_together(compute, parts)[0].index_select(0, plan.picked)
    head = torch.nn.functional.linear(wanted, network.head.weight.flatten(1), network.head.bias)
    return head.mT


@torch.inference_mode()
def _compute_part(
    network: IgmCnn,
    cells: Tensor,
    plan: Plan,
    remembered: Features | None,
    pages: Sequence[Tensor],
    part: int,
    wait: Wait,
) -> Tensor:
    """Compute one part of every atlas while others compute theirs; return the last atlas.

    Atlases lie in `pages` by turns: while some still copy borders in one, others fill the next.
    The last cell of each is zero and stands for all beyond the grid.
    """
    known = remembered or ()
    rows, turns = plan.height + 2, cycle(pages)
    for stage in plan.stages:
        share, size = stage.shares[part], rows * stage.columns
        own = cells.index_select(0, share.source)
        if 0 < stage.layers.start <= len(known):
            fresh = known[stage.layers.start - 1].index_select(0, share.fresh_in_grid)
            own.index_copy_(0, share.fresh, fresh)
        for layer in stage.layers:
            convolution = cast(nn.Conv2d, network.hidden[layer])
            image = own.view(1, rows, stage.columns, -1).permute(0, 3, 1, 2)
            answer = torch.conv2d(image, convolution.weight, convolution.bias)
            cells = next(turns)[: len(stage.shares) * size + 1]
            own = cells[part * size : (part + 1) * size]
            inner = own.view(1, rows, stage.columns, -1)[:, 1:-1, 1:-1]
            torch.ops.aten.leaky_relu.out(answer, LEAK, out=inner.permute(0, 3, 1, 2))
            if part == 0:
                cells[-1] = 0
            wait()
            if layer == stage.layers[-1]:
                break
            own.index_copy_(0, share.border, cells.index_select(0, share.followed))
            if layer < len(known):
                own.index_copy_(0, share.rim, known[layer].index_select(0, share.rim_in_grid))
    return cells
