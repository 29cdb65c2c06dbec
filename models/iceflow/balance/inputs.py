"""Input rasters of a mass balance: read on the grid of the run, with a check of their units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.iceflow.balance.climate import MONTHS
from glacier_qgis.models.iceflow.balance.forcing import check_years
from glacier_qgis.models.iceflow.balance.model import ICE_PER_WATER
from glacier_qgis.models.iceflow.ground.bands import NUMBER, year_of_band
from glacier_qgis.models.iceflow.ground.cover import refuse_most, tell_gaps
from glacier_qgis.models.iceflow.ground.units import VerticalUnit, metres_per_unit
from glacier_qgis.models.raster.gaps import tell_no_numbers
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import Scene, open_raster, warped

PrecipitationUnit = Literal["m per year", "mm per month"]
BalanceUnit = Literal["m ice per year", "m water per year", "mm water per year"]

METRES_A_YEAR = {"m per year": 1.0, "mm per month": MONTHS / 1000}
"""m of water a⁻¹ per unit of precipitation; a month counts as one twelfth of a year."""
ICE_METRES_A_YEAR = {
    "m ice per year": 1.0,
    "m water per year": ICE_PER_WATER,
    "mm water per year": ICE_PER_WATER / 1000,
}
"""m of ice a⁻¹ per unit of mass balance."""
COLDEST, WARMEST = -100.0, 60.0
"""Range of monthly means on Earth, °C."""
KELVIN_FROM = 150.0
"""Least value that is taken as kelvin: 150 K is colder than any place on Earth."""
WETTEST_MONTH, WETTEST_YEAR = 50.0, 20.0
"""Largest precipitation, m of water a⁻¹, of a month and of a year on a glacier."""
DROP = 1e-3
"""Largest negative value from interpolation, m of water a⁻¹."""
STRONGEST = 50.0
"""Largest magnitude of a surface mass balance, m of ice a⁻¹."""


def read_bands(source: RasterInput, role: str, grid: Grid, reporter: Reporter) -> Float32Array:
    """Read all bands on `grid`, shape (bands, rows, columns), NaN where there is no data."""
    with open_raster(source, role) as scene:
        return _bands(scene, grid, reporter)


def read_series(
    source: RasterInput,
    role: str,
    grid: Grid,
    given: Sequence[float],
    times: tuple[float, float] | None,
    reporter: Reporter,
    heights: VerticalUnit | None = None,
) -> tuple[tuple[float, ...], Float32Array]:
    """Read a raster with one band per year.

    Args:
        source: The raster; a single band holds for all times.
        role: The parameter's name, for messages.
        grid: Grid of the result.
        given: Years of the bands, if the user gives them.
        times: As in :func:`~glacier_qgis.models.iceflow.balance.forcing.check_years`.
        reporter: Receives a warning of pixels that are not numbers.
        heights: Unit of elevations, if the raster states none; they are converted to m.

    Returns:
        The years, and an array of shape (years, rows, columns).

    Raises:
        EngineError: The years are not known or do not cover `times`.
    """
    with open_raster(source, role) as scene:
        fields = _bands(scene, grid, reporter)
        if heights is not None:
            fields *= np.float32(metres_per_unit(scene, heights, reporter))
        if len(fields) == 1 and len(given) <= 1:
            return (0.0,), fields
        years = tuple(given) or _band_years(scene)
    if len(years) != len(fields):
        raise EngineError(
            f"BAND_YEARS has {len(years)} years, but {role} has {len(fields)} bands: give a year "
            "for each band."
        )
    check_years(years, times, role)
    return years, fields


def check_months(values: Float32Array, role: str) -> None:
    """Make sure that there is one band per month.

    Raises:
        EngineError: There are more or fewer.
    """
    if len(values) != MONTHS:
        raise EngineError(
            f"{role} has {len(values)} bands; {MONTHS} are needed, the months from January to "
            "December. Single files become bands with 'Build virtual raster'."
        )


def check_temperature(values: Float32Array, role: str) -> None:
    """Make sure that temperatures are in °C.

    Raises:
        EngineError: They are not.
    """
    low, high = _range(values, role)
    if low >= 10 * KELVIN_FROM:
        raise EngineError(
            f"{role} has values from {low:g} to {high:g}, probably tenths of kelvin; °C are "
            "needed. Divide by 10 and subtract 273.15 with the raster calculator."
        )
    if low >= KELVIN_FROM:
        raise EngineError(
            f"{role} has values from {low:g} to {high:g}, probably in kelvin; °C are needed. "
            "Subtract 273.15 with the raster calculator."
        )
    if low < COLDEST or high > WARMEST:
        raise EngineError(
            f"{role} has values from {low:g} to {high:g}, which cannot be temperatures in °C. "
            "Check its unit (some products use tenths of a degree) and its no-data value."
        )


def check_precipitation(values: Float32Array, role: str, unit: PrecipitationUnit) -> None:
    """Make sure that precipitation (m of water a⁻¹, one row per month) is plausible.

    Raises:
        EngineError: It is not.
    """
    low, wettest_month = _range(values, role)
    _, wettest_year = _range(values.mean(axis=0), role)
    for measured, limit, span in (
        (wettest_month, WETTEST_MONTH, "in a month"),
        (wettest_year, WETTEST_YEAR, "in the mean of the months"),
    ):
        if measured > limit:
            raise EngineError(
                f"{role} has up to {measured / METRES_A_YEAR[unit]:g} {unit} {span}, more than on "
                "any glacier. Choose its unit with PRECIPITATION_UNIT and check its no-data value."
            )
    if low < -DROP:
        raise EngineError(
            f"{role} has negative precipitation (down to {low / METRES_A_YEAR[unit]:g} {unit}). "
            "Set these cells to 0, or declare the value as no data."
        )


def check_balance(values: Float32Array, role: str, unit: BalanceUnit) -> None:
    """Make sure that a mass balance (m of ice a⁻¹) is plausible.

    Raises:
        EngineError: It is not.
    """
    low, high = (value / ICE_METRES_A_YEAR[unit] for value in _range(values, role))
    if max(-low, high) * ICE_METRES_A_YEAR[unit] > STRONGEST:
        raise EngineError(
            f"{role} has values from {low:g} to {high:g} {unit}, larger than on any glacier. "
            "Choose its unit with BALANCE_UNIT and check its no-data value."
        )


def check_cover(
    values: Float32Array, role: str, ice: Mask | None, mask: Mask | None, reporter: Reporter
) -> Mask:
    """Return where all bands have data.

    Args:
        values: Of shape (bands, rows, columns).
        role: The parameter's name, for messages.
        ice: True where there is ice at the beginning; None if nothing evolves.
        mask: True where a balance is needed; None for everywhere.
        reporter: Receives a warning of cells without data.

    Raises:
        EngineError: There are no data at all, or none where there is `ice`; or, without ice, none
            in most cells.
    """
    known: Mask = np.logical_and.reduce(np.isfinite(values), axis=0)
    if not known.any():
        raise EngineError(
            f"{role} has no data in this area: choose a raster that covers it, or another EXTENT."
        )
    lacking = 0 if ice is None else int((ice & ~known).sum())
    if lacking:
        raise EngineError(
            f"{role} has no data in {lacking} cells with ice. Fill them with 'Fill no data', or "
            "choose an EXTENT that it covers."
        )
    missing = ~known if mask is None else ~known[mask]
    if ice is None or not ice.any():
        refuse_most(missing, role)
    consequence = "nothing is computed there" if ice is None else "ice is removed there at 10 m a⁻¹"
    tell_gaps(missing, role, consequence, reporter)
    return known


def _bands(scene: Scene, grid: Grid, reporter: Reporter) -> Float32Array:
    """Read all bands, with the file's scale and offset applied."""
    tell_no_numbers(scene, scene.dataset.indexes, reporter)
    with warped(scene, grid) as view:
        values: Float32Array = view.read()
    scales, offsets = scene.dataset.scales, scene.dataset.offsets
    values *= np.reshape(np.asarray(scales, dtype=np.float32), (-1, 1, 1))
    values += np.reshape(np.asarray(offsets, dtype=np.float32), (-1, 1, 1))
    values[~np.isfinite(values)] = np.nan
    return values


def _band_years(scene: Scene) -> tuple[float, ...]:
    """Return the year of each band: from `year_of_band`, or the only number in its name."""
    dataset, years = scene.dataset, []
    for band, name in enumerate(dataset.descriptions, 1):
        year = year_of_band(dataset, band)
        numbers = re.findall(NUMBER, name or "")
        if year is None and len(numbers) != 1:
            raise EngineError(
                f"{scene.role}: the name of band {band} of {scene.name} ({name!r}) does not "
                "include its year. Give the years of all bands with BAND_YEARS, as in '1900, "
                "1950, 2000'."
            )
        years.append(float(numbers[0]) if year is None else year)
    return tuple(years)


def _range(values: Float32Array, role: str) -> tuple[float, float]:
    """Return the smallest and the largest value."""
    known = values[np.isfinite(values)]
    if not len(known):
        raise EngineError(
            f"{role} has no data in this area: choose a raster that covers it, or another EXTENT."
        )
    return float(known.min()), float(known.max())
