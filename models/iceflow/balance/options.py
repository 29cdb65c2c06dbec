"""The options of mass balance, shared by two jobs."""

from __future__ import annotations

from itertools import chain
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from glacier_qgis.models.engine.job import Parameters, RasterInput, VectorInput, words
from glacier_qgis.models.iceflow.balance.climate import MONTHS
from glacier_qgis.models.iceflow.balance.inputs import BalanceUnit, PrecipitationUnit

ELA, DEGREE_DAYS, SERIES = "ELA", "degree days", "raster series"
INPUTS = {
    ELA: ("ela_raster", "balance_table", "band_years"),
    DEGREE_DAYS: (
        "balance_table",
        "temperature",
        "monthly_temperature",
        "precipitation",
        "monthly_precipitation",
        "climate_surface",
        "climate_height",
    ),
    SERIES: ("balance_raster", "band_years"),
}
"""Inputs of each model, besides numbers."""
OPTIONS = {
    ELA: ("ela", "ablation_gradient", "accumulation_gradient", "max_accumulation"),
    DEGREE_DAYS: (
        "precipitation_unit",
        "lapse_rate",
        "temperature_offset",
        "precipitation_offset",
        "temperature_spread",
        "snow_factor",
        "ice_factor",
        "refreezing",
        "all_snow",
        "all_rain",
        "first_month",
    ),
    SERIES: ("balance_unit",),
}
"""Numbers and choices of each model."""


def of_other_models(model: str) -> frozenset[str]:
    """Return what a model of mass balance does not ask for."""
    every = chain(*INPUTS.values(), *OPTIONS.values())
    return frozenset(every) - {*INPUTS.get(model, ()), *OPTIONS.get(model, ())}


def numbers(value: object) -> object:
    """Return the numbers in a text, or None for an empty one; other values unchanged.

    Raises:
        ValueError: A word is not a number.
    """
    if not isinstance(value, str):
        return value
    found = words(value)
    for word in found:
        try:
            float(word)
        except ValueError:
            raise ValueError(
                f"{word!r} is not a number; write numbers with a decimal point and commas or "
                "spaces between them"
            ) from None
    return found or None


Finite = Annotated[float, Field(allow_inf_nan=False)]
Numbers = Annotated[tuple[Finite, ...] | None, BeforeValidator(numbers)]
"""Numbers, or a text that holds them."""
Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class BalanceOptions(Parameters):
    """Mass-balance parameters of `simulateglacier` and `surfacemassbalance`."""

    mass_balance: Literal["ELA", "degree days", "raster series"] = "ELA"
    ela: Finite = 2900.0
    ablation_gradient: NotNegative = 0.009
    accumulation_gradient: NotNegative = 0.005
    max_accumulation: NotNegative = 2.0
    ela_raster: RasterInput | None = None
    balance_table: VectorInput | None = None
    temperature: RasterInput | None = None
    monthly_temperature: Numbers = None
    precipitation: RasterInput | None = None
    monthly_precipitation: Numbers = None
    precipitation_unit: PrecipitationUnit = "m per year"
    climate_surface: RasterInput | None = None
    climate_height: Finite | None = None
    lapse_rate: Finite = 6.5
    temperature_offset: Annotated[float, Field(ge=-50, le=50)] = 0.0
    precipitation_offset: Annotated[float, Field(ge=-100, le=1000)] = 0.0
    temperature_spread: Annotated[float, Field(ge=0, le=30)] = 5.0
    snow_factor: Annotated[float, Field(ge=0.001, le=100)] = 3.0
    ice_factor: Annotated[float, Field(ge=0, le=100)] = 8.0
    refreezing: Share = 0.6
    all_snow: Finite = 0.0
    all_rain: Finite = 2.0
    first_month: Annotated[int, Field(ge=1, le=MONTHS)] = 10
    balance_raster: RasterInput | None = None
    balance_unit: BalanceUnit = "m ice per year"
    band_years: Numbers = None

    @model_validator(mode="after")
    def _fits_the_model(self) -> Self:
        taken = INPUTS[self.mass_balance]
        for model, names in INPUTS.items():
            for name in names:
                if getattr(self, name) is not None and name not in taken:
                    raise ValueError(
                        f"{name.upper()} was given, but MASS_BALANCE is '{self.mass_balance}': "
                        f"choose '{model}', or leave it blank"
                    )
        if self.band_years is not None and not (self.ela_raster or self.balance_raster):
            raise ValueError(
                "BAND_YEARS was given, but no raster with bands: give ELA_RASTER, or leave "
                "BAND_YEARS blank"
            )
        if self.mass_balance == DEGREE_DAYS:
            self._check_climate()
        return self

    def _check_climate(self) -> None:
        for name in ("temperature", "precipitation"):
            monthly = getattr(self, f"monthly_{name}")
            if (getattr(self, name) is None) == (monthly is None):
                raise ValueError(
                    f"give either {name.upper()} (a raster with {MONTHS} bands) or "
                    f"MONTHLY_{name.upper()} ({MONTHS} numbers) for 'degree days'"
                )
            if monthly is not None and len(monthly) != MONTHS:
                raise ValueError(
                    f"MONTHLY_{name.upper()} has {len(monthly)} numbers; {MONTHS} are needed, the "
                    "months from January to December"
                )
        if self.climate_surface is not None and self.climate_height is not None:
            raise ValueError("give CLIMATE_SURFACE or CLIMATE_HEIGHT, not both")
        if self.monthly_temperature is not None and not (
            self.climate_surface or self.climate_height is not None
        ):
            raise ValueError(
                "CLIMATE_HEIGHT is missing: give the elevation (m) to which MONTHLY_TEMPERATURE "
                "refers"
            )
        if self.all_rain <= self.all_snow:
            raise ValueError(
                f"ALL_RAIN ({self.all_rain:g} °C) must be warmer than ALL_SNOW "
                f"({self.all_snow:g} °C)"
            )
