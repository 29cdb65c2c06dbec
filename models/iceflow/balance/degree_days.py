"""Snowfall and melt by positive degree days.

Melt is proportional to the time integral of positive temperatures (Hock 2003, J. Hydrol. 282,
104-115). The year is computed month by month and starts without snow: snow accumulates and melts
first, with its own factor; the remaining melt energy melts ice. Amounts are in metres of water
until the balance is returned in metres of ice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from glacier_qgis.models.engine.units import DAYS_A_YEAR
from glacier_qgis.models.iceflow.balance.climate import MONTHS, Climate
from glacier_qgis.models.iceflow.balance.model import ICE_PER_WATER

NARROW = 1e-3
"""Spread below which it is neglected, K; smaller values add no relevant melt and divide by almost
zero."""
CELLS_AT_ONCE = 1 << 13
"""Number of cells that are computed together: their twelve fields fit in a processor's cache."""


@dataclass(frozen=True)
class MeltModel:
    """The constants of accumulation and melt.

    Attributes:
        snow_factor: Melt of snow, m of water K⁻¹ d⁻¹; positive.
        ice_factor: Melt of ice, m of water K⁻¹ d⁻¹.
        refreezing: Share of the melted snow that refreezes, 0 to 1.
        spread: σ of the temperature about its monthly mean, K.
        all_snow: All precipitation is snow up to this temperature, °C.
        all_rain: All precipitation is rain from this temperature on, °C; above `all_snow`.
        first_month: 1 to 12; the year starts with it, without snow.
    """

    snow_factor: float
    ice_factor: float
    refreezing: float
    spread: float
    all_snow: float
    all_rain: float
    first_month: int


@dataclass(frozen=True)
class DegreeDayBalance:
    """Mass balance of a monthly climate: snowfall minus melt by positive degree days.

    Attributes:
        climate: Temperature and precipitation at any height.
        melt: The constants.
    """

    climate: Climate
    melt: MeltModel

    @property
    def steady(self) -> bool:
        """Whether the climate is constant."""
        return self.climate.steady

    def __call__(self, surface: Tensor, time: float) -> Tensor:
        """Return the mass balance in m of ice a⁻¹ on `surface` (m, rows × columns)."""
        balance = torch.empty_like(surface)
        rows = max(1, CELLS_AT_ONCE // surface.shape[1])
        for first in range(0, surface.shape[0], rows):
            part = slice(first, first + rows)
            temperature, precipitation = self.climate.at(surface, time, part)
            balance[part] = annual_balance(temperature, precipitation, self.melt)
        return balance


def annual_balance(temperature: Tensor, precipitation: Tensor, melt: MeltModel) -> Tensor:
    """Return the mass balance of a year in m of ice a⁻¹, shape (...).

    With the snowfall a_k and the potential snow melt p_k of month k, the snow depth is d_k =
    max(d_{k−1} + a_k − p_k, 0), d_0 = 0. The potential melt without snow adds up to E = max(0,
    −min_k Σ_{j≤k} (a_j − p_j)), like the idle time of a queue (Lindley 1952, Math. Proc. Camb.
    Phil. Soc. 48, 277-289), which needs no loop over months. Snow melt is Σ p − E, and ice melt is
    E times the ratio of the factors.

    Args:
        temperature: Monthly means, °C, shape (12, ...), January first.
        precipitation: Monthly rates, m of water a⁻¹, of a shape that broadcasts to that.
        melt: The constants.
    """
    snowfall = snow_share(temperature, melt.all_snow, melt.all_rain) * precipitation / MONTHS
    days = DAYS_A_YEAR / MONTHS
    potential = expected_positive(temperature, melt.spread) * (melt.snow_factor * days)
    change = (snowfall - potential).roll(1 - melt.first_month, dims=0)
    unused = change.cumsum(0).amin(0).neg_().clamp_(min=0)
    snow_melt = potential.sum(0) - unused
    ice_melt = unused * (melt.ice_factor / melt.snow_factor)
    return (snowfall.sum(0) - (1 - melt.refreezing) * snow_melt - ice_melt) * ICE_PER_WATER


def expected_positive(temperature: Tensor, spread: float) -> Tensor:
    """Return the expected positive part of normally distributed temperatures, K.

    Calov and Greve (2005, J. Glaciol. 51, 173-175, doi 10.3189/172756505781829601), Equation 6:
    σ/√(2π) exp(−T²/2σ²) + T/2 erfc(−T/(√2 σ)).

    Args:
        temperature: Mean T, °C.
        spread: Standard deviation σ, K; below `NARROW` the result is the positive part of T.
    """
    if spread < NARROW:
        return temperature.clamp(min=0)
    scaled = temperature / (math.sqrt(2) * spread)
    bell = torch.exp(-scaled.square()) * (spread / math.sqrt(2 * math.pi))
    return (bell + temperature / 2 * torch.erfc(-scaled)).clamp_(min=0)


def snow_share(temperature: Tensor, all_snow: float, all_rain: float) -> Tensor:
    """Return the share of precipitation that is snow, 0 to 1, linear between two temperatures."""
    return ((all_rain - temperature) / (all_rain - all_snow)).clamp_(0, 1)
