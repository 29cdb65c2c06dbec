"""Several futures of one glacier: offsets of its mass balance, by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import VectorInput
from glacier_qgis.models.iceflow.balance.degree_days import DegreeDayBalance
from glacier_qgis.models.iceflow.balance.ela import ElaBalance
from glacier_qgis.models.iceflow.balance.forcing import read_table
from glacier_qgis.models.iceflow.balance.model import MassBalance

ROLE = "SCENARIOS"
NAME = "name"
NO_PRECIPITATION = -100.0
"""% of change."""
SCENARIO_FILE = "simulation.nc"
"""File of the states in the folder of each scenario."""
_FILE_NAME = re.compile(r"[\w .+-]*[\w+-]")


@dataclass(frozen=True)
class Scenario:
    """The offsets of one scenario.

    Attributes:
        name: Valid as the name of a folder.
        ela_offset: Added to the equilibrium-line altitude, m.
        temperature_offset: Added to temperatures, K.
        precipitation_offset: Added to the change of precipitation, %.
    """

    name: str
    ela_offset: float = 0.0
    temperature_offset: float = 0.0
    precipitation_offset: float = 0.0

    def applied(self, balance: MassBalance) -> MassBalance:
        """Return the mass balance of this scenario.

        Raises:
            EngineError: It does not depend on the changed parameter, or the change is too large.
        """
        if isinstance(balance, ElaBalance) and not self._changes_climate:
            return replace(balance, ela=balance.ela.plus(self.ela_offset))
        if isinstance(balance, DegreeDayBalance) and not self.ela_offset:
            climate = balance.climate
            precipitation = climate.precipitation_offset.plus(self.precipitation_offset)
            if min(precipitation.values) < NO_PRECIPITATION:
                raise EngineError(
                    f"{ROLE}: '{self.name}' changes precipitation by {min(precipitation.values):g} "
                    "% in total, below zero precipitation. Raise its precipitation_offset."
                )
            shifted = replace(
                climate,
                temperature_offset=climate.temperature_offset.plus(self.temperature_offset),
                precipitation_offset=precipitation,
            )
            return replace(balance, climate=shifted)
        raise EngineError(
            f"{ROLE}: the offsets of '{self.name}' do not match MASS_BALANCE. Use ela_offset with "
            "'ELA', and temperature_offset or precipitation_offset with 'degree days'; a raster "
            "series has no scenarios."
        )

    @property
    def offsets(self) -> str:
        """The offsets in words."""
        values = {name: getattr(self, name) for name in OFFSETS}
        changes = (f"{name} {value:+g}" for name, value in values.items() if value)
        return ", ".join(changes) or UNCHANGED

    @property
    def _changes_climate(self) -> bool:
        return bool(self.temperature_offset or self.precipitation_offset)


OFFSETS = ("ela_offset", "temperature_offset", "precipitation_offset")
UNCHANGED = "as given"
NAMELESS = Scenario("")
"""The only scenario of a run without scenarios."""


def futures(scenarios: Sequence[Scenario]) -> str:
    """Return the offsets of each scenario, one per line."""
    return "; ".join(f"{one.name}: {one.offsets}" for one in scenarios)


def read_futures(line: str) -> dict[str, str]:
    """Return the text of :func:`futures` by the name of the scenario."""
    parts = (part.partition(": ") for part in line.split("; ") if part)
    return {name: offsets for name, _, offsets in parts}


def read_scenarios(source: VectorInput) -> list[Scenario]:
    """Read a table with the column `name` and one or more of the offsets.

    Raises:
        EngineError: The table is not a table of scenarios.
    """
    table = read_table(source, ROLE)
    columns = [name for name in OFFSETS if name in table]
    if NAME not in table or not columns:
        raise EngineError(
            f"{ROLE}: {source.shown} has the columns {', '.join(map(str, table))}. It needs "
            f"'{NAME}' and at least one of {', '.join(OFFSETS)}."
        )
    names = table[NAME].fillna("").astype(str).str.strip()
    _check_names(list(names), source.shown)
    offsets = table[columns].apply(pd.to_numeric, errors="coerce").astype(float)
    for column in columns:
        wrong = table.loc[~np.isfinite(offsets[column]), column]
        if len(wrong):
            raise EngineError(
                f"{ROLE}: row {wrong.index[0] + 1} of {source.shown} has {wrong.iloc[0]!r} as "
                f"'{column}', which is not a number. Enter a number; 0 changes nothing."
            )
    rows = offsets.to_dict("records")
    return [Scenario(name, **row) for name, row in zip(names, rows, strict=True)]


def _check_names(names: list[str], path: str) -> None:
    seen: set[str] = set()
    for row, name in enumerate(names, 1):
        if not _FILE_NAME.fullmatch(name):
            raise EngineError(
                f"{ROLE}: the name {name!r} in row {row} of {path} is not valid for a folder. Use "
                "letters, digits, spaces, dots, plus, minus and underscores."
            )
        if name.lower() in seen:
            raise EngineError(f"{ROLE}: two rows of {path} have the name '{name}'. Rename one.")
        seen.add(name.lower())
