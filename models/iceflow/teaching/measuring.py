"""How far emulators are from solved states: by sliding coefficient, by cell size, on the map."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from glacier_qgis.models.iceflow.emulators.card import MEAN_FLOW, FlowParameters
from glacier_qgis.models.iceflow.emulators.pyramid.core import PyramidCore
from glacier_qgis.models.iceflow.instructors.shallow_ice import shallow_ice
from glacier_qgis.models.iceflow.teaching.fidelity import Fidelity, by_class
from glacier_qgis.models.iceflow.teaching.states.solved import Solved
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.networks.igm import IgmCnn

Flow = Callable[[Solved], Tensor]
"""From a state to the velocity averaged over depth, m a⁻¹, (2, rows, columns)."""
REPEATS = 5
"""Evaluations, of which the median time counts."""
ALL = "all"


class Case(NamedTuple):
    """A solved state of a glacier.

    Attributes:
        glacier: its name.
        state: with the instructor's velocity.
    """

    glacier: str
    state: Solved


class Kind(NamedTuple):
    """What states of a class have in common: "glacier", "sliding" or "cell size", and which."""

    kind: str
    name: str


def coefficient(field: Tensor, ice: Tensor) -> float | Tensor:
    """Return A or c as one number where it is the same wherever there is ice."""
    inside = field[ice]
    first = float(inside[0])
    return first if bool((inside == inside[0]).all()) else field


def kinds(case: Case) -> Iterator[Kind]:
    """Yield the classes of a state."""
    ice = case.state.thickness > 0
    c = coefficient(case.state.sliding, ice)
    yield Kind(ALL, ALL)
    yield Kind("sliding", f"c = {c:.3g}" if isinstance(c, float) else "c varies")
    yield Kind("cell size", f"{case.state.cell_size:.4g} m")
    yield Kind("glacier", case.glacier)


def emulated(emulator: Emulator) -> Flow:
    """Return what an emulator predicts."""

    def flow(state: Solved) -> Tensor:
        ice = state.thickness > 0
        parameters = FlowParameters(
            state.cell_size,
            coefficient(state.rate_factor, ice),
            coefficient(state.sliding, ice),
        )
        device = emulator.device
        shape = state.thickness.float().to(device), state.surface.float().to(device)
        fields = emulator.velocity(*shape, parameters, MEAN_FLOW)
        return torch.stack([fields["ubar"], fields["vbar"]]).cpu()

    return flow


def shallow(state: Solved) -> Tensor:
    """Return the velocity of shallow ice."""
    fields = (state.thickness.double(), state.surface.double(), state.cell_size)
    return shallow_ice(*fields, state.rate_factor.double(), state.sliding.double()).mean


def fidelities(cases: Iterable[Case], flow: Flow) -> dict[Kind, Fidelity]:
    """Return how well a flow says what the instructor does, by class; `all` is first."""

    def pairs() -> Iterator[tuple[Kind, Tensor, Tensor]]:
        for case in cases:
            ice = case.state.thickness > 0
            found, true = flow(case.state)[:, ice], case.state.velocity[0][:, ice].to(torch.float)
            for kind in kinds(case):
                yield kind, found.float(), true

    return by_class(pairs())


def rows(found: dict[Kind, Fidelity], kind: str) -> list[dict[str, object]]:
    """Return the rows of a table of one kind of classes."""
    return [
        {
            "Class": name.name,
            "L1 (m/a)": one.l1,
            "Eq. 7 (%)": one.mean,
            "Sum of errors / sum of speeds (%)": one.total,
            "Cells": one.ice,
        }
        for name, one in sorted(found.items(), key=lambda item: _order(item[0]))
        if name.kind == kind
    ]


def _order(kind: Kind) -> tuple[float, str]:
    numbers = [word for word in kind.name.split() if word.replace(".", "", 1).isdecimal()]
    return (float(numbers[0]) if numbers else float("inf"), kind.name)


@dataclass(frozen=True)
class Cost:
    """What an emulator costs.

    Attributes:
        network: layers × filters × kernel, where it is a stack of convolutions.
        weights: how many; None where it is not known.
        milliseconds: of an evaluation.
        microseconds: of a cell with ice.
        cells: with ice, of the state that was evaluated.
    """

    network: str
    weights: int | None
    milliseconds: float
    microseconds: float
    cells: int


def cost(emulator: Emulator, states: Sequence[Solved]) -> Cost:
    """Measure the time of an evaluation of the state with the most ice."""
    largest = max(states, key=lambda state: int((state.thickness > 0).sum()))
    flow = emulated(emulator)
    flow(largest)
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        flow(largest)
        times.append(time.perf_counter() - begin)
    taken, cells = statistics.median(times), int((largest.thickness > 0).sum())
    core = emulator.plain
    network = core.shared if isinstance(core, PyramidCore) else getattr(core, "network", None)
    weights = None
    if isinstance(network, nn.Module):
        weights = sum(weight.numel() for weight in network.parameters())
    words = core.__class__.__name__.removesuffix("Core").lower()
    if isinstance(network, IgmCnn):
        words = f"{len(network.hidden)} × {network.head.in_channels} × {network.kernel}"
    return Cost(words, weights, 1000 * taken, 1e6 * taken / cells, cells)
