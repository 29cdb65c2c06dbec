"""The options of mass balance, which two algorithms share."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import Page, only_if
from glacier_qgis.processing.declarations.parameters import (
    WHOLE,
    Parameter,
    choice,
    input_table,
    number,
)
from glacier_qgis.translation import tr

ELA, DEGREE_DAYS, SERIES = "ELA", "degree days", "raster series"


def _raster(name: str, title: str, text: str) -> Parameter:
    raster = QgsProcessingParameterRasterLayer(name, title, optional=True)
    return described(raster, text, advanced=True)


def number_list(name: str, title: str, text: str, *, advanced: bool = True) -> Parameter:
    """Declare an optional list of numbers, written with commas or spaces between."""
    words = QgsProcessingParameterString(name, title, "", optional=True)
    return described(words, text, advanced=advanced)


def _of(models: list[str], parameters: Sequence[Parameter]) -> list[Parameter]:
    """Show parameters only with some models of mass balance."""
    return [only_if(parameter, MASS_BALANCE=models) for parameter in parameters]


def climate_page(scenarios: Sequence[Parameter] = (), update: Sequence[Parameter] = ()) -> Page:
    """Return the page of the mass balance, with what a simulation adds to it."""
    return Page(
        tr("Climate"),
        [
            _model(),
            *_of([ELA], equilibrium_line()),
            *_of([DEGREE_DAYS], _climate()),
            *_of([SERIES], _series()),
        ],
        {
            tr("Change over time"): [
                *_of([ELA, DEGREE_DAYS], [_table()]),
                *_of([ELA], [_ela_raster()]),
                *_of([ELA, SERIES], [_band_years()]),
            ],
            tr("Snow and melt"): _of([DEGREE_DAYS], [*_melt(), *update]),
            **({tr("Scenarios"): _of([ELA, DEGREE_DAYS], scenarios)} if scenarios else {}),
        },
    )


def _model() -> Parameter:
    return choice(
        "MASS_BALANCE",
        tr("Mass balance"),
        tr(
            "'ELA': proportional to the height above the equilibrium line. 'degree days': snowfall "
            "minus melt by positive degree days, from monthly temperature and precipitation. "
            "'raster series': rasters of mass balance."
        ),
        [ELA, DEGREE_DAYS, SERIES],
    )


def equilibrium_line() -> list[Parameter]:
    """Declare a mass balance proportional to the height above the equilibrium line."""
    return [
        number(
            "ELA",
            tr("Equilibrium-line altitude (m)"),
            tr("Elevation at which a glacier neither gains nor loses mass over a year, m."),
            2900,
        ),
        number(
            "ABLATION_GRADIENT",
            tr("Ablation gradient (a⁻¹)"),
            tr("Mass balance lost per metre below the equilibrium line, m of ice per year."),
            0.009,
            decimals=5,
            minValue=0,
        ),
        number(
            "ACCUMULATION_GRADIENT",
            tr("Accumulation gradient (a⁻¹)"),
            tr("Mass balance gained per metre above the equilibrium line, m of ice per year."),
            0.005,
            decimals=5,
            minValue=0,
        ),
        number(
            "MAX_ACCUMULATION",
            tr("Maximum accumulation (m a⁻¹)"),
            tr("Upper limit of the mass balance, m of ice per year."),
            2,
            decimals=2,
            minValue=0,
        ),
    ]


def _ela_raster() -> Parameter:
    return _raster(
        "ELA_RASTER",
        tr("Equilibrium-line altitude raster"),
        tr(
            "Elevation of the equilibrium line in each cell, m, instead of the single number: one "
            "band, or one band per year, whose years BAND_YEARS lists."
        ),
    )


def _band_years() -> Parameter:
    return number_list(
        "BAND_YEARS",
        tr("Years of the bands"),
        tr(
            "Years of the bands of BALANCE_RASTER or ELA_RASTER, such as '1900, 1950, 2000'. Leave "
            "it empty to read them from the names of the bands ('year 1900'). They must cover all "
            "years of the run."
        ),
    )


def _table() -> Parameter:
    return input_table(
        "BALANCE_TABLE",
        tr("Table over time"),
        tr(
            "Table with the column 'year' and one or more columns that replace parameters, in the "
            "same units: ela, ablation_gradient, accumulation_gradient, max_accumulation with the "
            "mass balance 'ELA'; temperature_offset, precipitation_offset with 'degree days'. "
            "Values are linear between the rows. The table must cover all years of the run; it is "
            "not extrapolated."
        ),
    )


def _climate() -> list[Parameter]:
    return [
        _raster(
            "TEMPERATURE",
            tr("Monthly temperature (°C)"),
            tr(
                "Air temperature near the ground, °C: 12 bands, the monthly means of January to "
                "December. 'Build virtual raster' makes bands of single files."
            ),
        ),
        number_list(
            "MONTHLY_TEMPERATURE",
            tr("Monthly temperature as 12 numbers (°C)"),
            tr(
                "Twelve numbers instead of the raster, January to December, such as those of a "
                "weather station at the elevation CLIMATE_HEIGHT."
            ),
        ),
        _raster(
            "PRECIPITATION",
            tr("Monthly precipitation"),
            tr(
                "Rain and snow together as water: 12 bands, January to December, in the unit that "
                "PRECIPITATION_UNIT states."
            ),
        ),
        number_list(
            "MONTHLY_PRECIPITATION",
            tr("Monthly precipitation as 12 numbers"),
            tr(
                "Twelve numbers instead of the raster, January to December, in the unit that "
                "PRECIPITATION_UNIT states."
            ),
        ),
        choice(
            "PRECIPITATION_UNIT",
            tr("Unit of precipitation"),
            tr(
                "'m per year': the rate in each month, m of water per year. 'mm per month': the "
                "sum of each month, mm of water (kg m⁻²), as in most climate data sets."
            ),
            ["m per year", "mm per month"],
            advanced=True,
        ),
        number(
            "CLIMATE_HEIGHT",
            tr("Elevation of the temperatures (m)"),
            tr(
                "Elevation that all temperatures refer to, m: that of a weather station, or 0 for "
                "values reduced to sea level."
            ),
            None,
            word=tr("of the surface"),
            advanced=True,
        ),
        _raster(
            "CLIMATE_SURFACE",
            tr("Elevation of the temperatures (raster)"),
            tr(
                "Elevation that TEMPERATURE refers to in each cell, m, such as the model surface "
                "of a reanalysis. Without it and without CLIMATE_HEIGHT, temperatures refer to the "
                "surface at the start."
            ),
        ),
        number(
            "LAPSE_RATE",
            tr("Lapse rate (K km⁻¹)"),
            tr("Decrease of the temperature with elevation; negative in an inversion."),
            6.5,
            decimals=2,
            advanced=True,
        ),
        number(
            "TEMPERATURE_OFFSET",
            tr("Temperature offset (K)"),
            tr("Added to all temperatures: 2 for a climate that is 2 K warmer."),
            0,
            decimals=2,
            minValue=-50,
            maxValue=50,
            advanced=True,
        ),
        number(
            "PRECIPITATION_OFFSET",
            tr("Precipitation offset (%)"),
            tr("Change of all precipitation: 10 is a tenth more, -100 is none at all."),
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
            tr("Standard deviation of temperature (K)"),
            tr(
                "Standard deviation of the temperature about its monthly mean: warm days melt ice "
                "in cold months, too (Calov and Greve 2005). 5 is usual for ice sheets, 3 to 4 for "
                "valley glaciers; 0 = monthly mean only."
            ),
            5,
            decimals=2,
            word=tr("monthly mean only"),
            minValue=0,
            maxValue=30,
            advanced=True,
        ),
        number(
            "SNOW_FACTOR",
            tr("Degree-day factor of snow (mm K⁻¹ d⁻¹)"),
            tr("Melt of snow per day and degree above 0 °C, mm of water."),
            3,
            decimals=3,
            minValue=0.001,
            maxValue=100,
            advanced=True,
        ),
        number(
            "ICE_FACTOR",
            tr("Degree-day factor of ice (mm K⁻¹ d⁻¹)"),
            tr("Melt of ice per day and degree above 0 °C, mm of water."),
            8,
            decimals=3,
            minValue=0,
            maxValue=100,
            advanced=True,
        ),
        number(
            "REFREEZING",
            tr("Refreezing"),
            tr(
                "Share of the melted snow that refreezes in the snow, 0 to 1: 0.6 for cold snow, "
                "less for temperate glaciers."
            ),
            0.6,
            decimals=2,
            minValue=0,
            maxValue=1,
            advanced=True,
        ),
        number(
            "ALL_SNOW",
            tr("All snow up to (°C)"),
            tr("Monthly mean temperature up to which all precipitation is snow."),
            0,
            decimals=2,
            advanced=True,
        ),
        number(
            "ALL_RAIN",
            tr("All rain from (°C)"),
            tr(
                "Monthly mean temperature from which all precipitation is rain; the share of snow "
                "is linear between ALL_SNOW and this."
            ),
            2,
            decimals=2,
            advanced=True,
        ),
        number(
            "FIRST_MONTH",
            tr("First month of the balance year"),
            tr(
                "Month, 1 to 12, in which the ground is free of snow at first: 10 in the northern, "
                "4 in the southern hemisphere."
            ),
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
            tr("Mass balance rasters"),
            tr(
                "Surface mass balance in the unit that BALANCE_UNIT states: one band, or one band "
                "per year, linear between them. Ice in cells without data melts by 10 m per year."
            ),
        ),
        choice(
            "BALANCE_UNIT",
            tr("Unit of the mass balance rasters"),
            tr(
                "Metres of ice (910 kg m⁻³), or metres or millimetres of water (1000 kg m⁻³), per "
                "year. Results are in m of ice per year."
            ),
            ["m ice per year", "m water per year", "mm water per year"],
            advanced=True,
        ),
    ]
