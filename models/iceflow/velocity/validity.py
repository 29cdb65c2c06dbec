"""Warnings when inputs are outside the training data of an emulator.

Every emulator states the bounds of its training data (its hull). Outside them, and at other cell
sizes, a velocity is an extrapolation.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from glacier_qgis.models.iceflow.emulators.card import Card, FlowParameters, Range
from glacier_qgis.models.iceflow.emulators.fields import slopes
from glacier_qgis.models.iceflow.velocity.emulator import Emulator

FAR = 2.0
"""Factor times the largest training value beyond which a result is not reliable."""


def setup_warnings(emulator: Emulator, parameters: FlowParameters) -> list[str]:
    """Return a sentence for each constant of a run that is outside the training hull.

    Args:
        emulator: the emulator.
        parameters: of the run.
    """
    card = emulator.card
    caveat = [f"The emulator {card.name}: {card.caveat}"] if card.caveat else []
    return [
        *caveat,
        *_cell_size(card, parameters.cell_size),
        *(_number(card, *number) for number in outside(card, parameters)),
    ]


def outside(card: Card, parameters: FlowParameters) -> list[tuple[str, float, Range]]:
    """Return the constants of a run that are outside the hull: parameter, value, bounds."""
    _, rate_factor, sliding = parameters
    given = {
        "arrhenius": ("RATE_FACTOR", rate_factor),
        "slidingco": ("SLIDING", sliding),
        "strflowctrl": ("RATE_FACTOR plus SLIDING", rate_factor + sliding),
    }
    found = ((*given[name], card.hull[name]) for name in given if name in card.hull)
    return [
        (label, value, (low, high))
        for label, value, (low, high) in found
        if not low <= value <= high
    ]


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
    beyond = float(((values > high) | (values < low)).double().mean())
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


def _number(card: Card, label: str, value: float, bounds: Range) -> str:
    low, high = bounds
    if value > high:
        limit = f"was trained up to {high:.4g}"
    elif label == "SLIDING":
        limit = f"needs at least {low:.4g}, and is run with that"
    else:
        limit = f"was trained from {low:.4g}"
    return f"{label} is {value:g}; the emulator {card.name} {limit}."
