"""Build a mass-balance model from its options."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float32Array, Mask
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.iceflow.balance import inputs
from glacier_qgis.models.iceflow.balance.climate import Climate
from glacier_qgis.models.iceflow.balance.degree_days import DegreeDayBalance, MeltModel
from glacier_qgis.models.iceflow.balance.ela import ElaBalance
from glacier_qgis.models.iceflow.balance.forcing import (
    RasterSeries,
    SeriesBalance,
    TimeCurve,
    read_curves,
)
from glacier_qgis.models.iceflow.balance.model import MassBalance, Varying
from glacier_qgis.models.iceflow.balance.options import DEGREE_DAYS, ELA, BalanceOptions
from glacier_qgis.models.iceflow.ground.units import VerticalUnit, check_elevation, read_metres
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import open_raster

ELA_COLUMNS = ("ela", "ablation_gradient", "accumulation_gradient", "max_accumulation")
CLIMATE_COLUMNS = ("temperature_offset", "precipitation_offset")
"""Columns of a table over time, with the names of the parameters that they replace."""
MILLIMETRE = 1e-3


@dataclass(frozen=True)
class BalanceDomain:
    """Where and when a mass balance is needed.

    Attributes:
        grid: The grid.
        surface: Elevation at the beginning, m, shape of the grid.
        ice: True where there is ice at the beginning; None if not known.
        unit: Unit of the elevations in rasters.
        times: The first and the last time, a; None if no time was given.
        device: Where to compute.
        mask: True where a balance is needed; None for everywhere.
    """

    grid: Grid
    surface: Float32Array
    ice: Mask | None
    unit: VerticalUnit
    times: tuple[float, float] | None
    device: torch.device
    mask: Mask | None = None


@dataclass(frozen=True)
class Covered:
    """A mass balance and where it is known.

    Attributes:
        balance: The model.
        known: True in the cells where all inputs have data; None for everywhere.
    """

    balance: MassBalance
    known: Mask | None = None

    def within(self, mask: Mask | None) -> Mask | None:
        """Return where the balance is known inside `mask`; None for everywhere."""
        if mask is None or self.known is None:
            return self.known if mask is None else mask
        return mask & self.known


def build_balance(options: BalanceOptions, domain: BalanceDomain, reporter: Reporter) -> Covered:
    """Read the inputs of the chosen model and return it.

    Raises:
        EngineError: An input is missing, or a raster or a table is not valid.
    """
    if options.mass_balance == ELA:
        return _ela(options, domain, reporter)
    if options.mass_balance == DEGREE_DAYS:
        return _degree_days(options, domain, reporter)
    return _series(options, domain, reporter)


def _ela(options: BalanceOptions, domain: BalanceDomain, reporter: Reporter) -> Covered:
    known = None
    parameters: dict[str, Varying] = {**_curves(options, ELA_COLUMNS, domain.times)}
    if options.ela_raster is not None:
        if not parameters["ela"].steady:
            raise EngineError(
                "ELA_RASTER and a column 'ela' of BALANCE_TABLE were both given. Leave one out."
            )
        series, known = _read_series(
            options.ela_raster, "ELA_RASTER", options, domain, reporter, domain.unit
        )
        check_elevation(series[1], "ELA_RASTER")
        parameters["ela"] = _on_device(series, domain)
    return Covered(ElaBalance(**parameters), known)


def _series(options: BalanceOptions, domain: BalanceDomain, reporter: Reporter) -> Covered:
    if options.balance_raster is None:
        raise EngineError("BALANCE_RASTER is missing: MASS_BALANCE 'raster series' needs it.")
    role = "BALANCE_RASTER"
    (years, fields), known = _read_series(options.balance_raster, role, options, domain, reporter)
    fields *= np.float32(inputs.ICE_METRES_A_YEAR[options.balance_unit])
    inputs.check_balance(fields, role, options.balance_unit)
    return Covered(SeriesBalance(_on_device((years, fields), domain)), known)


def _degree_days(options: BalanceOptions, domain: BalanceDomain, reporter: Reporter) -> Covered:
    temperature = _months(
        options.temperature, options.monthly_temperature, "TEMPERATURE", domain, reporter
    )
    precipitation = _months(
        options.precipitation, options.monthly_precipitation, "PRECIPITATION", domain, reporter
    ) * np.float32(inputs.METRES_A_YEAR[options.precipitation_unit])
    inputs.check_temperature(temperature, "TEMPERATURE")
    inputs.check_precipitation(precipitation, "PRECIPITATION", options.precipitation_unit)
    precipitation = np.maximum(precipitation, 0)
    height = _climate_height(options, domain, reporter)
    known = np.ones(domain.grid.shape, dtype=bool)
    for name, field in (
        ("TEMPERATURE", temperature),
        ("PRECIPITATION", precipitation),
        ("CLIMATE_SURFACE", height[np.newaxis]),
    ):
        if field.shape[1:] == domain.grid.shape:
            known &= inputs.check_cover(field, name, domain.ice, domain.mask, reporter)
    curves = _curves(options, CLIMATE_COLUMNS, domain.times)
    climate = Climate(
        temperature=_tensor(temperature, domain),
        precipitation=_tensor(precipitation, domain),
        height=_tensor(height, domain),
        lapse_rate=options.lapse_rate,
        temperature_offset=curves["temperature_offset"],
        precipitation_offset=curves["precipitation_offset"],
    )
    melt = MeltModel(
        snow_factor=options.snow_factor * MILLIMETRE,
        ice_factor=options.ice_factor * MILLIMETRE,
        refreezing=options.refreezing,
        spread=options.temperature_spread,
        all_snow=options.all_snow,
        all_rain=options.all_rain,
        first_month=options.first_month,
    )
    return Covered(DegreeDayBalance(climate, melt), None if known.all() else known)


def _curves(
    options: BalanceOptions, names: tuple[str, ...], times: tuple[float, float] | None
) -> dict[str, TimeCurve]:
    """Return each parameter over time: the column of the table, or the parameter of that name."""
    curves = {name: TimeCurve.constant(getattr(options, name)) for name in names}
    if options.balance_table is None:
        return curves
    table = read_curves(options.balance_table, "BALANCE_TABLE", names, times)
    for name, curve in table.items():
        _check_bounds(curve, name)
    return curves | table


def _check_bounds(curve: TimeCurve, name: str) -> None:
    """Check the column of a table against the bounds of the parameter that it replaces."""
    bounds = BalanceOptions.model_fields[name].metadata
    low = max((getattr(bound, "ge", -math.inf) for bound in bounds), default=-math.inf)
    high = min((getattr(bound, "le", math.inf) for bound in bounds), default=math.inf)
    for value in curve.values:
        if not low <= value <= high:
            limit = f"at least {low:g}" if value < low else f"at most {high:g}"
            raise EngineError(
                f"BALANCE_TABLE has {value:g} as '{name}', which must be {limit}: correct it."
            )


def _read_series(
    source: RasterInput,
    role: str,
    options: BalanceOptions,
    domain: BalanceDomain,
    reporter: Reporter,
    heights: VerticalUnit | None = None,
) -> tuple[tuple[tuple[float, ...], Float32Array], Mask | None]:
    """Read years and fields, and the cells where all of these have data (None for everywhere)."""
    series = inputs.read_series(
        source, role, domain.grid, options.band_years or (), domain.times, reporter, heights
    )
    known = inputs.check_cover(series[1], role, domain.ice, domain.mask, reporter)
    return series, None if known.all() else known


def _months(
    raster: RasterInput | None,
    constants: tuple[float, ...] | None,
    role: str,
    domain: BalanceDomain,
    reporter: Reporter,
) -> Float32Array:
    """Return twelve fields, of shape (12, 1, 1) if they are uniform."""
    if raster is None:
        return np.asarray(constants, dtype=np.float32).reshape(-1, 1, 1)
    values = inputs.read_bands(raster, role, domain.grid, reporter)
    inputs.check_months(values, role)
    return values


def _climate_height(
    options: BalanceOptions, domain: BalanceDomain, reporter: Reporter
) -> Float32Array:
    """Return the elevation to which the temperatures refer, m, of shape (1, 1) if it is uniform."""
    if options.climate_height is not None:
        return np.full((1, 1), options.climate_height, dtype=np.float32)
    if options.climate_surface is None:
        return domain.surface
    with open_raster(options.climate_surface, "CLIMATE_SURFACE") as scene:
        height = read_metres(scene, domain.grid, domain.unit, None, reporter)
    check_elevation(height, "CLIMATE_SURFACE")
    return height


def _on_device(
    series: tuple[tuple[float, ...], Float32Array], domain: BalanceDomain
) -> RasterSeries:
    years, fields = series
    return RasterSeries(years, _tensor(fields, domain))


def _tensor(field: Float32Array, domain: BalanceDomain) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(field)).to(domain.device)
