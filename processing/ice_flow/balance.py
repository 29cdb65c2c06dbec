"""The options of mass balance, which two algorithms share."""

from __future__ import annotations

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from glacier_qgis.processing.base import described
from glacier_qgis.processing.common import WHOLE, Parameter, choice, number


def _raster(name: str, title: str, text: str) -> Parameter:
    raster = QgsProcessingParameterRasterLayer(name, title, optional=True)
    return described(raster, text, advanced=True)


def number_list(name: str, title: str, text: str, *, advanced: bool = True) -> Parameter:
    """Declare an optional list of numbers, written with commas or spaces between."""
    words = QgsProcessingParameterString(name, title, "", optional=True)
    return described(words, text, advanced=advanced)


def _of(model: str, parameters: list[Parameter]) -> list[Parameter]:
    """Say in the title of each parameter which model it belongs to."""
    for parameter in parameters:
        title = parameter.description()
        parameter.setDescription(f"{model}: {title[0].lower()}{title[1:]}")
    return parameters


def mass_balance() -> list[Parameter]:
    """Declare the model of mass balance and what each of the models needs."""
    return [
        choice(
            "MASS_BALANCE",
            "Mass balance",
            "'ELA': grows with height above the equilibrium line. 'degree days': snowfall less "
            "the melt by positive degree days, from monthly temperature and precipitation. "
            "'raster series': rasters of mass balance. The advanced parameters hold their inputs.",
            ["ELA", "degree days", "raster series"],
        ),
        *_equilibrium_line(),
        _table(),
        *_of("Degree days", [*_climate(), *_melt()]),
        *_series(),
    ]


def _equilibrium_line() -> list[Parameter]:
    return [
        number(
            "ELA",
            "Equilibrium-line altitude (m)",
            "Elevation at which a glacier neither gains nor loses mass over a year.",
            2900,
        ),
        number(
            "ABLATION_GRADIENT",
            "Ablation gradient (a⁻¹)",
            "Mass balance lost with each metre below the equilibrium line, m ice per year.",
            0.009,
            minValue=0,
        ),
        number(
            "ACCUMULATION_GRADIENT",
            "Accumulation gradient (a⁻¹)",
            "Mass balance gained with each metre above the equilibrium line, m ice per year.",
            0.005,
            minValue=0,
        ),
        number(
            "MAX_ACCUMULATION",
            "Maximum accumulation (m a⁻¹)",
            "The mass balance does not rise beyond this, m ice per year.",
            2,
            minValue=0,
        ),
        _raster(
            "ELA_RASTER",
            "Equilibrium-line altitude raster",
            "Elevation of the equilibrium line in each cell, m, instead of the one number: one "
            "band, or a band a year (see BAND_YEARS).",
        ),
    ]


def _table() -> Parameter:
    table = QgsProcessingParameterFeatureSource(
        "BALANCE_TABLE",
        "Table over time",
        [QgsProcessing.SourceType.TypeVector],
        optional=True,
    )
    return described(
        table,
        "A table with the column 'year' and one or more columns named as the parameters that they "
        "replace: ela, ablation_gradient, accumulation_gradient, max_accumulation (ELA), or "
        "temperature_offset, precipitation_offset (degree days), in the same units. Linear between "
        "the rows; it must cover all years of the run, for nothing is extrapolated.",
        advanced=True,
    )


def _climate() -> list[Parameter]:
    return [
        _raster(
            "TEMPERATURE",
            "Monthly temperature",
            "Air temperature near the ground in °C, 12 bands, the means of January "
            "to December. Single files become bands with 'Build virtual raster'.",
        ),
        number_list(
            "MONTHLY_TEMPERATURE",
            "Twelve temperatures (°C)",
            "Twelve numbers instead of the raster, January to December, as at a "
            "weather station; CLIMATE_HEIGHT is its elevation.",
        ),
        _raster(
            "PRECIPITATION",
            "Monthly precipitation",
            "Rain and snow together as water, 12 bands, January to December, in the "
            "unit PRECIPITATION_UNIT.",
        ),
        number_list(
            "MONTHLY_PRECIPITATION",
            "Twelve amounts of precipitation",
            "Twelve numbers instead of the raster, in the unit PRECIPITATION_UNIT.",
        ),
        choice(
            "PRECIPITATION_UNIT",
            "Unit of precipitation",
            "'m per year': the rate in each month, m of water per year. 'mm per month': the sum "
            "of each month, mm of water (kg per m²), as most climate data sets have it.",
            ["m per year", "mm per month"],
            advanced=True,
        ),
        _raster(
            "CLIMATE_SURFACE",
            "Surface of the climate",
            "Elevation that TEMPERATURE holds at, m, such as the model surface of a reanalysis. "
            "Without it, and without CLIMATE_HEIGHT, temperatures hold at the surface itself, at "
            "the start.",
        ),
        number(
            "CLIMATE_HEIGHT",
            "Height of the climate (m)",
            "The one elevation that temperatures hold at: of a weather station, or 0 for values "
            "reduced to sea level.",
            None,
            advanced=True,
        ),
        number(
            "LAPSE_RATE",
            "Lapse rate (K km⁻¹)",
            "How much colder the air is a kilometre higher; negative in an inversion.",
            6.5,
            advanced=True,
        ),
        number(
            "TEMPERATURE_OFFSET",
            "Temperature offset (K)",
            "Added to all temperatures, as in 'what if it were 2 K warmer'.",
            0,
            minValue=-50,
            maxValue=50,
            advanced=True,
        ),
        number(
            "PRECIPITATION_OFFSET",
            "Precipitation offset (%)",
            "Change of all precipitation: 10 is a tenth more, -100 none at all.",
            0,
            minValue=-100,
            maxValue=1000,
            advanced=True,
        ),
    ]


def _melt() -> list[Parameter]:
    return [
        number(
            "TEMPERATURE_SPREAD",
            "Spread of temperature (K)",
            "Standard deviation of the temperature about its monthly mean: warm days melt ice in "
            "cold months, too (Calov and Greve 2005). 5 is usual for ice sheets, 3 to 4 for "
            "valley glaciers; 0 knows the mean only.",
            5,
            minValue=0,
            maxValue=30,
            advanced=True,
        ),
        number(
            "SNOW_FACTOR",
            "Melt factor of snow (mm K⁻¹ d⁻¹)",
            "Melt of snow for each day and degree above 0 °C, mm of water.",
            3,
            minValue=0.001,
            maxValue=100,
            advanced=True,
        ),
        number(
            "ICE_FACTOR",
            "Melt factor of ice (mm K⁻¹ d⁻¹)",
            "Melt of ice for each day and degree above 0 °C, mm of water.",
            8,
            minValue=0,
            maxValue=100,
            advanced=True,
        ),
        number(
            "REFREEZING",
            "Refreezing",
            "Share of the melted snow that freezes again in the snow and stays, 0 to 1: 0.6 for "
            "cold snow, less for temperate glaciers.",
            0.6,
            minValue=0,
            maxValue=1,
            advanced=True,
        ),
        number(
            "ALL_SNOW",
            "All snow up to (°C)",
            "Monthly mean up to which all precipitation is snow.",
            0,
            advanced=True,
        ),
        number(
            "ALL_RAIN",
            "All rain from (°C)",
            "Monthly mean from which all precipitation is rain; the share of snow is linear "
            "between the two.",
            2,
            advanced=True,
        ),
        number(
            "FIRST_MONTH",
            "First month of the year",
            "The month, 1 to 12, that begins with the ground bare of snow: 10 in the north, 4 in "
            "the south.",
            10,
            kind=WHOLE,
            minValue=1,
            maxValue=12,
            advanced=True,
        ),
    ]


def _series() -> list[Parameter]:
    return [
        _raster(
            "BALANCE_RASTER",
            "Raster series",
            "Raster series: the mass balance itself in BALANCE_UNIT, one band, or a band a year, "
            "linear between them. Where it has no data ice melts by 10 m a year.",
        ),
        choice(
            "BALANCE_UNIT",
            "Unit of the raster series",
            "Metres of ice (910 kg m⁻³), or metres or millimetres of water (1000 kg m⁻³), per "
            "year. Results are in m of ice per year.",
            ["m ice per year", "m water per year", "mm water per year"],
            advanced=True,
        ),
        number_list(
            "BAND_YEARS",
            "Years of the bands",
            "The years of the bands of BALANCE_RASTER or ELA_RASTER, as in '1900, 1950, 2000'. "
            "Left empty, they are read from the names of the bands ('year 1900'). They must cover "
            "all years of the run.",
        ),
    ]
