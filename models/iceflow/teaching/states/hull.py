"""The span of the values that an emulator is trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from glacier_qgis.models.iceflow.emulators.card import Range
from glacier_qgis.models.iceflow.emulators.fields import slopes
from glacier_qgis.models.iceflow.teaching.states.solved import Solved

LEAST_SCALE = 1e-6


def hull(states: Sequence[Solved]) -> dict[str, Range]:
    """Return bounds of inputs and of the mean velocity where there is ice, by their names."""
    spans: dict[str, list[Range]] = {}
    for state in states:
        ice = state.thickness > 0
        east, north = slopes(state.surface, state.cell_size)
        fields = {
            "thk": state.thickness,
            "slopsurfx": east,
            "slopsurfy": north,
            "arrhenius": state.rate_factor,
            "slidingco": state.sliding,
        }
        if state.solved:
            fields |= {"ubar": state.velocity[0, 0], "vbar": state.velocity[0, 1]}
        for name, field in fields.items():
            inside = field[ice]
            spans.setdefault(name, []).append((float(inside.min()), float(inside.max())))
    found = {
        name: (min(low for low, _ in span), max(high for _, high in span))
        for name, span in spans.items()
    }
    return {name: _symmetric(name, span) for name, span in found.items()}


def _symmetric(name: str, span: Range) -> Range:
    """Return bounds that do not depend on the direction of north; thickness begins at 0."""
    low, high = span
    if name == "thk":
        return 0.0, high
    if name in ("arrhenius", "slidingco"):
        return span
    most = max(abs(low), abs(high))
    return -most, most


def joined(one: dict[str, Range], other: dict[str, Range]) -> dict[str, Range]:
    """Return bounds that hold both, of what both bound."""
    return {
        name: (min(one[name][0], other[name][0]), max(one[name][1], other[name][1]))
        for name in one.keys() & other.keys()
    }


def greatest(states: Sequence[Solved]) -> list[float]:
    """Return scales of thickness, the two slopes, A and c."""
    found = hull(states)
    steepest = max(found["slopsurfx"][1], found["slopsurfy"][1], 0.1)
    least = (1.0, 0.1, 0.1, LEAST_SCALE, 1.0)
    values = (found["thk"][1], steepest, steepest, found["arrhenius"][1], found["slidingco"][1])
    return [max(pair) for pair in zip(values, least, strict=True)]


def typical_speed(states: Sequence[Solved]) -> float:
    """Return the root mean square of the mean velocity's components, m a⁻¹; 100 if unknown."""
    squares = [
        state.velocity[0][:, state.thickness > 0].double().square().mean()
        for state in states
        if state.solved
    ]
    found = float(torch.stack(squares).mean().sqrt()) if squares else 100.0
    return found if math.isfinite(found) and found > LEAST_SCALE else 1.0
