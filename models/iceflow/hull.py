"""Warnings where an emulator is asked about what it was not trained on.

A network interpolates. The published emulators scale each field by the bound that their
authors set for the training glaciers, so beyond a scale, and away from the cell size of
training, a velocity is an extrapolation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from glacier_qgis.models.iceflow.emulator import Emulator, slopes

RESOLUTION_TOLERANCE = 1.25
"""Ratio of cell sizes up to which grids count as alike; slopes change little up to there."""


def setup_warnings(
    emulator: Emulator, cell_size: float, rate_factor: float, sliding: float
) -> list[str]:
    """Return a sentence for each constant of a run that is outside the training hull.

    Args:
        emulator: whose hull.
        cell_size: in m.
        rate_factor: A in MPa⁻³ a⁻¹.
        sliding: c in km MPa⁻³ a⁻¹.
    """
    return [*_resolution(emulator, cell_size), *_numbers(emulator, rate_factor, sliding)]


def field_warnings(
    emulator: Emulator,
    thickness: Tensor,
    surface: Tensor,
    velocity: Mapping[str, Tensor],
    cell_size: float,
) -> dict[str, str]:
    """Return a sentence for each field that leaves the training hull, by the field's name.

    Args:
        emulator: whose hull.
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
        "slopsurfx": ("The surface slope from west to east", east, ""),
        "slopsurfy": ("The surface slope from south to north", north, ""),
        **{name: (f"The velocity {name}", field, " m/a") for name, field in velocity.items()},
    }
    scales = emulator.inputs | emulator.outputs
    sentences = {}
    for name, (label, field, unit) in fields.items():
        sizes = field[ice].abs()
        beyond = float((sizes > scales[name]).double().mean())
        if beyond:
            sentences[name] = (
                f"{label} reaches {float(sizes.max()):.4g}{unit}, beyond the {scales[name]:g}{unit}"
                f" that the emulator {emulator.name} is scaled for, in {100 * beyond:.2g} % of "
                "the ice."
            )
    return sentences


def _resolution(emulator: Emulator, cell_size: float) -> list[str]:
    trained = emulator.resolution
    if trained is None:
        return [f"The cell size that the emulator {emulator.name} was trained on is not known."]
    if abs(math.log(cell_size / trained)) <= math.log(RESOLUTION_TOLERANCE):
        return []
    return [
        f"The cell size is {cell_size:g} m, but the emulator {emulator.name} was trained on "
        f"{trained:g} m: choose that RESOLUTION or another EMULATOR."
    ]


def _numbers(emulator: Emulator, rate_factor: float, sliding: float) -> list[str]:
    given = {
        "arrhenius": ("RATE_FACTOR", rate_factor),
        "slidingco": ("SLIDING", sliding),
        "strflowctrl": ("RATE_FACTOR plus SLIDING", rate_factor + sliding),
    }
    return [
        f"{label} is {value:g}; the emulator {emulator.name} was trained up to {scale:g}."
        for name, (label, value) in given.items()
        if (scale := emulator.inputs.get(name)) is not None and value > scale
    ]
