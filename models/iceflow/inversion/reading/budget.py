"""The mass balance that the flow has to carry away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from glacier_qgis.models.compute.arrays import Float64Array, Mask
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.iceflow.balance.build import BalanceDomain, build_balance
from glacier_qgis.models.iceflow.balance.ela import ElaBalance
from glacier_qgis.models.iceflow.balance.forcing import TimeCurve
from glacier_qgis.models.iceflow.balance.options import BalanceOptions
from glacier_qgis.models.iceflow.ground.bands import choose_band
from glacier_qgis.models.iceflow.ground.cover import refuse_most, tell_gaps
from glacier_qgis.models.iceflow.ground.units import VerticalUnit
from glacier_qgis.models.iceflow.inversion.reading.glacier import Glacier
from glacier_qgis.models.iceflow.inversion.routing import balanced
from glacier_qgis.models.raster.source import open_raster, read_band

GUESSED, STATED = 0.5, 0.3
"""Relative error of the turnover of mass: of a rule of thumb, and of a balance that was given."""
STILL = 0.05
"""Least mean magnitude of a balance, m a⁻¹, that says anything about the flow."""
STRONG = 2.0
"""Change of the surface over the turnover, from which the balance says little about the flow."""


@dataclass(frozen=True)
class Budget:
    """A mass balance for the flow.

    Attributes:
        flux: balance minus change of the surface, m a⁻¹; its sum over each glacier is zero.
        error: relative error of the turnover.
        mean: surface mass balance over the ice, m a⁻¹.
        balance: surface mass balance, m a⁻¹.
        ela: equilibrium-line altitude that was found; None if the balance was given.
    """

    flux: Tensor
    error: float
    mean: float
    balance: Float64Array
    ela: float | None


def read_budget(
    options: BalanceOptions,
    change: RasterInput | None,
    year: float | None,
    unit: VerticalUnit,
    glacier: Glacier,
    reporter: Reporter,
    *,
    find_ela: bool,
) -> Budget:
    """Read the mass balance, and make it one of zero sum.

    Args:
        options: of the mass balance.
        change: rate of elevation change, m a⁻¹; None where it is not known.
        year: of the balance, if it changes with time.
        unit: of elevations.
        glacier: where it is.
        reporter: receives messages.
        find_ela: take the equilibrium line at which the glacier is in balance.

    Raises:
        EngineError: An input is missing or not plausible.
    """
    surface = torch.from_numpy(glacier.surface)
    if find_ela:
        ela = balanced_ela(options, glacier)
        balance = _ela_balance(options, ela)(surface, 0.0).double().numpy()
        reporter.warning(
            f"No mass balance is given: ELA is set to {ela:.0f} m, at which this glacier is in "
            f"balance with a gradient of {options.ablation_gradient:g} per year below. The flux "
            "of ice, and with it the thickness, rests on this guess."
        )
        error = GUESSED
    else:
        ela, error = None, STATED
        balance = _given(options, year, unit, glacier, reporter)
    ice = glacier.ice
    mean = float(balance[ice].mean())
    moved = balance - _change(change, glacier, reporter) if change else balance
    flux = balanced(moved, ice)
    turnover = float(np.abs(flux[ice]).mean())
    if turnover < STILL:
        raise EngineError(
            f"The mass balance varies by only {turnover:.2g} m/a over the ice, so that no flow is "
            "needed to carry it away. Check ELA, the gradients, or BALANCE_RASTER and its unit."
        )
    if abs(mean) > 0.05:
        reporter.log(
            f"Mean mass balance over the ice {mean:+.2f} m/a, turnover {turnover:.2f} m/a: the "
            "rest is taken as a uniform change of the surface."
        )
    if abs(mean) > STRONG * turnover:
        reporter.warning(
            f"The mass balance over the ice is {mean:+.2f} m/a on average, but varies by only "
            f"{turnover:.2g} m/a: this glacier is far from balance, or ELA is of another region."
        )
    return Budget(torch.from_numpy(flux), error, mean, balance, ela)


def balanced_ela(options: BalanceOptions, glacier: Glacier) -> float:
    """Return the equilibrium-line altitude, m, at which the mean balance is zero."""
    heights = torch.from_numpy(glacier.surface[glacier.ice])
    low, high = float(heights.min()), float(heights.max())
    for _ in range(40):
        middle = (low + high) / 2
        gains = float(_ela_balance(options, middle)(heights, 0.0).mean())
        low, high = (middle, high) if gains > 0 else (low, middle)
    return (low + high) / 2


def _ela_balance(options: BalanceOptions, ela: float) -> ElaBalance:
    constant: Callable[[float], TimeCurve] = TimeCurve.constant
    return ElaBalance(
        constant(ela),
        constant(options.ablation_gradient),
        constant(options.accumulation_gradient),
        constant(options.max_accumulation),
    )


def _given(
    options: BalanceOptions,
    year: float | None,
    unit: VerticalUnit,
    glacier: Glacier,
    reporter: Reporter,
) -> Float64Array:
    domain = BalanceDomain(
        glacier.grid,
        glacier.surface,
        ice=None,
        unit=unit,
        times=None if year is None else (year, year),
        device=torch.device("cpu"),
        mask=glacier.ice,
    )
    covered = build_balance(options, domain, reporter)
    if not (covered.balance.steady or year is not None):
        raise EngineError(
            "YEAR is missing: this mass balance changes with time. Give the year of the surface."
        )
    surface = torch.from_numpy(glacier.surface)
    balance = covered.balance(surface, year or 0.0).double().numpy()
    known = np.isfinite(balance)
    if covered.known is not None:
        known &= covered.known
    return _nearest(balance, known)


def _change(source: RasterInput, glacier: Glacier, reporter: Reporter) -> Float64Array:
    role = "ELEVATION_CHANGE"
    with open_raster(source, role) as scene:
        values = read_band(scene, glacier.grid, band=choose_band(scene, None, reporter))
    known = np.isfinite(values)
    refuse_most(~known[glacier.ice], role, "ice")
    tell_gaps(~known[glacier.ice], role, "the nearest value is taken", reporter, "ice")
    if (most := float(np.abs(values[known]).max())) > 100:
        raise EngineError(
            f"{role} reaches {most:g} m/a, more than on any glacier. Give metres per year."
        )
    return _nearest(values.astype(float), known)


def _nearest(values: Float64Array, known: Mask) -> Float64Array:
    if known.all():
        return values
    place = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(values[tuple(place)])
