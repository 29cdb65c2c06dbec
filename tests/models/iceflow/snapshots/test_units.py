from __future__ import annotations

import pytest

from glacier_qgis.models.iceflow.snapshots.units import YEAR, convert, parse_unit, unit


@pytest.mark.parametrize(
    ("text", "target", "factor"),
    [
        ("m year-1", "m year-1", 1),
        ("m/y", "m year-1", 1),
        ("m a**-1", "m year-1", 1),
        ("m*yr^-1", "m year-1", 1),
        ("meter/second", "m year-1", YEAR),
        ("m s-1", "m year-1", YEAR),
        ("m.s-1", "m year-1", YEAR),
        ("km a⁻¹", "m year-1", 1000),
        ("m y^(-1)", "m year-1", 1),
        ("MPa$^{-3}$ a$^{-1}$", "MPa-3 year-1", 1),
        ("Pa-3 s-1", "MPa-3 year-1", 1e18 * YEAR),
        ("km MPa$^{-3}$ a$^{-1}$", "km MPa-3 year-1", 1),
        ("m Pa-3 s-1", "km MPa-3 year-1", 1e18 * YEAR / 1000),
        ("Pa s1/3", "Pa second^(1/3)", 1),
        ("kPa", "MPa", 1e-3),
        ("bar", "kPa", 100),
    ],
)
def test_units_are_read_in_each_spelling(text: str, target: str, factor: float) -> None:
    assert convert(unit(text), unit(target)) == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize("text", ["", "NO UNIT", "m/y ice eq", "K", "m 3", "1", "m--1", "%"])
def test_what_is_no_unit_is_none(text: str) -> None:
    assert parse_unit(text) is None


def test_units_of_different_things_do_not_convert() -> None:
    assert convert(unit("m"), unit("m year-1")) is None
    assert convert(unit("MPa"), unit("m")) is None
