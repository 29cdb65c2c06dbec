"""Warnings when inputs are outside the training data of an emulator.

Every emulator states the bounds of its training data (its hull). Outside them, and at other cell
sizes, a velocity is an extrapolation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from glacier_qgis.models.iceflow.emulators.card import (
    Card,
    FlowCoefficient,
    FlowParameters,
    Range,
)
from glacier_qgis.models.iceflow.emulators.fields import slopes
from glacier_qgis.models.iceflow.velocity.emulator import Emulator

FAR = 2.0
"""Factor times the largest training value beyond which a result is not reliable."""


def setup_warnings(emulator: Emulator, parameters: FlowParameters) -> list[str]:
    """Return a sentence for each coefficient of a run that is outside the training hull.

    Args:
        emulator: the emulator.
        parameters: of the run.
    """
    card = emulator.card
    caveat = [f"The emulator {card.name}: {card.caveat}"] if card.caveat else []
    return [
        *caveat,
        *_cell_size(card, parameters.cell_size),
        *(_coefficient(card, beyond) for beyond in outside(card, parameters)),
    ]


class Beyond(NamedTuple):
    """A coefficient that is outside the hull.

    Attributes:
        role: its parameter.
        least: lowest value.
        most: highest value.
        bounds: of the training data.
        share: of the area that is outside; 1 for a number.
        varies: whether it is a field.
    """

    role: str
    least: float
    most: float
    bounds: Range
    share: float
    varies: bool


def outside(card: Card, parameters: FlowParameters) -> list[Beyond]:
    """Return the coefficients of a run that are outside the hull."""
    _, rate_factor, sliding = parameters
    given: dict[str, tuple[str, FlowCoefficient]] = {
        "arrhenius": ("RATE_FACTOR", rate_factor),
        "slidingco": ("SLIDING", sliding),
        "strflowctrl": ("RATE_FACTOR plus SLIDING", rate_factor + sliding),
    }
    found = (_beyond(*given[name], card.hull[name]) for name in given if name in card.hull)
    return [beyond for beyond in found if beyond.share]


def _beyond(role: str, value: FlowCoefficient, bounds: Range) -> Beyond:
    field = value.cpu() if isinstance(value, Tensor) else value
    values = torch.as_tensor(field, dtype=torch.float64)
    wrong = (values < bounds[0]) | (values > bounds[1])
    share = float(wrong.double().mean())
    return Beyond(role, float(values.min()), float(values.max()), bounds, share, values.dim() > 0)


def field_warnings(
    emulator: Emulator,
    thickness: Tensor,
    surface: Tensor,
    velocity: Mapping[str, Tensor],
    cell_size: float,
) -> dict[str, str]:
    """Return a sentence for each field that leaves the training hull, by the field's name.

    Args:
        emulator: the emulator.
        thickness: h in m, north-up.
        surface: s in m.
        velocity: outputs of the emulator, m a⁻¹.
        cell_size: in m.
    """
    ice = thickness > 0
    if not bool(ice.any()):
        return {}
    east, north = slopes(surface, cell_size)
    fields = {
        "thk": ("The ice thickness", thickness, " m"),
        "usurf": ("The surface elevation", surface, " m"),
        "slopsurfx": ("The surface slope from west to east", east, ""),
        "slopsurfy": ("The surface slope from south to north", north, ""),
        **{name: (f"The velocity {name}", field, " m/a") for name, field in velocity.items()},
    }
    return {
        name: sentence
        for name, (label, field, unit) in fields.items()
        if (bounds := emulator.card.hull.get(name)) is not None
        and (sentence := _field(emulator.name, label, field[ice], unit, bounds))
    }


def _field(name: str, label: str, values: Tensor, unit: str, bounds: Range) -> str:
    """Return the warning for the values of a field; blank if there is none."""
    low, high = bounds
    beyond = int(((values > high) | (values < low)).sum()) / len(values)
    if not beyond:
        return ""
    least, most = float(values.min()), float(values.max())
    worst, bound = (most, high) if most - high >= low - least else (least, low)
    strong = abs(worst) > FAR * max(abs(low), abs(high))
    return (
        f"{label} reaches {worst:.4g}{unit}, {'far ' if strong else ''}beyond the "
        f"{bound:.4g}{unit} that the emulator {name} was trained for, in {100 * beyond:.2g} % of "
        f"the ice.{' Do not trust the velocity there.' if strong else ''}"
    )


def _cell_size(card: Card, cell_size: float) -> list[str]:
    if card.cell_sizes is None:
        return [f"The cell size that the emulator {card.name} was trained on is not known."]
    low, high = card.cell_sizes
    if low <= cell_size <= high:
        return []
    strong = max(low / cell_size, cell_size / high) > FAR
    return [
        f"The cell size is {cell_size:g} m, {'far ' if strong else ''}outside the range {low:g} to "
        f"{high:g} m of the emulator {card.name}: choose a RESOLUTION in this range or another "
        "EMULATOR."
    ]


def _coefficient(card: Card, beyond: Beyond) -> str:
    low, high = beyond.bounds
    value = f"{beyond.most:g}"
    if beyond.varies:
        value = (
            f"{beyond.least:g} to {beyond.most:g}, and outside the training data in "
            f"{100 * beyond.share:.2g} % of the area"
        )
    if beyond.most > high:
        limit = f"was trained up to {high:.4g}"
    elif beyond.role == "SLIDING":
        limit = f"needs at least {low:.4g}, and is run with that"
    else:
        limit = f"was trained from {low:.4g}"
    return f"{beyond.role} is {value}; the emulator {card.name} {limit}."
