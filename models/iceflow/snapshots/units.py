"""Units of other models' fields, and what their numbers are in ours.

A unit is a product of powers, as the CF conventions write it ("MPa-3 year-1"), as Python or TeX do
("m/yr", "MPa$^{-3}$ a$^{-1}$"), or between these. Powers may be fractions: friction coefficients
have them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from glacier_qgis.models.engine.units import DAYS_A_YEAR

YEAR = DAYS_A_YEAR * 86_400
"""Seconds."""


@dataclass(frozen=True)
class Unit:
    """A unit as a number of SI units.

    Attributes:
        factor: how many kg^mass m^length s^time it is.
        mass: power of the kilogram.
        length: power of the metre.
        time: power of the second.
    """

    factor: float
    mass: Fraction = Fraction(0)
    length: Fraction = Fraction(0)
    time: Fraction = Fraction(0)

    @property
    def dimensions(self) -> tuple[Fraction, Fraction, Fraction]:
        """What it measures."""
        return self.mass, self.length, self.time

    def __pow__(self, power: Fraction) -> Unit:
        """Return a power of the unit."""
        return Unit(
            self.factor ** float(power), self.mass * power, self.length * power, self.time * power
        )

    def __mul__(self, other: Unit) -> Unit:
        """Return the product with another unit."""
        return Unit(
            self.factor * other.factor,
            self.mass + other.mass,
            self.length + other.length,
            self.time + other.time,
        )


_ONE, _PER_SECOND = Fraction(1), Fraction(-2)
_METRE, _SECOND = Unit(1.0, length=_ONE), Unit(1.0, time=_ONE)
_PASCAL = Unit(1.0, _ONE, -_ONE, _PER_SECOND)


def _times(unit: Unit, factor: float) -> Unit:
    return Unit(unit.factor * factor, *unit.dimensions)


_SYMBOLS = {
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), _METRE),
    **dict.fromkeys(("km", "kilometre", "kilometres"), _times(_METRE, 1e3)),
    "cm": _times(_METRE, 1e-2),
    "mm": _times(_METRE, 1e-3),
    **dict.fromkeys(("s", "sec", "second", "seconds"), _SECOND),
    **dict.fromkeys(("h", "hour", "hours"), _times(_SECOND, 3600)),
    **dict.fromkeys(("d", "day", "days"), _times(_SECOND, 86_400)),
    **dict.fromkeys(("a", "y", "yr", "year", "years", "an"), _times(_SECOND, YEAR)),
    **dict.fromkeys(("Pa", "pascal"), _PASCAL),
    "kPa": _times(_PASCAL, 1e3),
    "MPa": _times(_PASCAL, 1e6),
    "bar": _times(_PASCAL, 1e5),
}
_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:/\d+)?"
_POWER = rf"(?:\s*(?:\^|\*\*)\s*\(?\s*)?({_NUMBER})?\s*\)?"
_PART = re.compile(rf"(/?)\s*([A-Za-z]+){_POWER}\s*[*·.]?\s*")
_DECORATION = str.maketrans("", "", "${}\\")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def parse_unit(text: str) -> Unit | None:
    """Return a unit; None where the text is none that is known here."""
    rest = text.translate(_DECORATION).translate(_RAISED).strip()
    parts: list[Unit] = []
    while rest:
        found = _PART.match(rest)
        if found is None or found[2] not in _SYMBOLS:
            return None
        power = Fraction(found[3] or 1)
        parts.append(_SYMBOLS[found[2]] ** (-power if found[1] else power))
        rest = rest[found.end() :]
    return prod(parts[1:], start=parts[0]) if parts else None


def convert(source: Unit, target: Unit) -> float | None:
    """Return what to multiply numbers in one unit by; None where they measure different things."""
    if source.dimensions != target.dimensions:
        return None
    return source.factor / target.factor


def unit(text: str) -> Unit:
    """Return a unit that is known.

    Raises:
        ValueError: It is not.
    """
    found = parse_unit(text)
    if found is None:
        raise ValueError(f"{text!r} is no unit.")
    return found
