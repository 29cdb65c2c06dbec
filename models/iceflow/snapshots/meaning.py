"""Numbers of other models in our units, by what their unit says that they are."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.iceflow.physics import GLEN, WEERTMAN
from glacier_qgis.models.iceflow.snapshots.layout import FIELDS
from glacier_qgis.models.iceflow.snapshots.roles import SOUGHT
from glacier_qgis.models.iceflow.snapshots.units import Unit, convert, parse_unit, unit

METRE, STRESS = unit("m"), unit("MPa")
SPEED = unit("m year-1")
RATE_FACTOR, SLIDING = unit(FIELDS["arrhenius"].unit), unit(FIELDS["slidingco"].unit)
REFERENCE_SPEEDS = {"tau_ref": 0.1, "slidingco": 0.001}
"""km a⁻¹ at which friction is IGM's `tau_ref`, unless its `u_ref` was changed, and what IGM 3 calls
`slidingco`."""
LEAST_DRAG = 1e-4
"""MPa; below it the speed at the bed says nothing of the sliding coefficient."""


def in_our_units(
    field: str, name: str, values: Float64Array, stated: str | None, shown: str
) -> Float64Array:
    """Return the values of a field in m, m a⁻¹, MPa, or the units of A and c.

    Args:
        field: key of `SOUGHT`.
        name: of the variable in the file.
        values: as the file has them.
        stated: unit in the file; None or blank where it states none.
        shown: what to call the variable in a message.

    Raises:
        EngineError: The unit is not known, or measures something else.
    """
    words = stated or SOUGHT[field].unit
    source = parse_unit(words)
    found = None if source is None else _converted(field, name, values, source)
    if found is None:
        raise EngineError(
            f"{shown} is in {words!r}, and {SOUGHT[field].title} is needed in a unit such as "
            f"{SOUGHT[field].unit!r}. Correct its attribute 'units', or choose another variable "
            "with MODEL_VARIABLES."
        )
    return found


def _converted(field: str, name: str, values: Float64Array, source: Unit) -> Float64Array | None:
    if field == "arrhenius":
        return _coefficient(values, source, RATE_FACTOR, Fraction(-1, GLEN))
    if field == "slidingco":
        factor = convert(source, STRESS)
        if factor is not None:
            speed = REFERENCE_SPEEDS.get(name, REFERENCE_SPEEDS["tau_ref"])
            return _power(values * factor, -WEERTMAN) * speed
        return _coefficient(values, source, SLIDING, Fraction(-1, WEERTMAN))
    target = {"drag": STRESS, "thk": METRE, "usurf": METRE, "topg": METRE}.get(field, SPEED)
    factor = convert(source, target)
    return None if factor is None else values * factor


def _coefficient(
    values: Float64Array, source: Unit, target: Unit, power: Fraction
) -> Float64Array | None:
    """Return a coefficient that the file has itself, or a power of."""
    factor = convert(source, target)
    if factor is not None:
        return values * factor
    factor = convert(source, target**power)
    return None if factor is None else _power(values * factor, int(1 / power))


def _power(values: Float64Array, power: int) -> Float64Array:
    """Return a negative power; infinite where a value is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(values**power, dtype=np.float64)


def sliding_from_drag(base: Float64Array, drag: Float64Array) -> Float64Array:
    """Return c = |u_b|/τ_b³, km MPa⁻³ a⁻¹, NaN where there is no drag to speak of.

    Args:
        base: velocity at the bed, m a⁻¹, (2, …).
        drag: τ_b in MPa.
    """
    known = drag > LEAST_DRAG
    speed = np.hypot(*base) / 1000
    return np.where(known, speed / np.where(known, drag, 1.0) ** WEERTMAN, np.nan)
