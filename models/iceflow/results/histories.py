"""The earlier runs from which the scenarios of a run resume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.balance.scenarios import ROLE, SCENARIO_FILE, Scenario
from glacier_qgis.models.iceflow.results.resume import History, read_history


def read_histories(path: Path, start: float | None, scenarios: Sequence[Scenario]) -> list[History]:
    """Return the history of each scenario, all up to the same year.

    All scenarios can start from a run without scenarios. The file of one scenario,
    ``<name>/simulation.nc``, stands for the folder of all of them: each resumes from its own.

    Args:
        path: Written by `simulateglacier`.
        start: The year to resume from; None for the last one that all have saved.
        scenarios: Of the resumed run, at least one; a single run has one without a name.

    Raises:
        EngineError: A file is not valid, or a scenario has no history.
    """
    given = read_history(path, start)
    if not (given.scenario and scenarios[0].name):
        return [given] * len(scenarios)
    files = _files(given, [scenario.name for scenario in scenarios])
    pasts = [read_history(file, start) for file in files.values()]
    now = min(past.years[-1] for past in pasts)
    pasts = [past if past.years[-1] == now else read_history(past.path, now) for past in pasts]
    for name, past in zip(files, pasts, strict=True):
        if past.scenario != name or not _same_start(past, given):
            raise EngineError(
                f"RESUME: {past.path} is not the scenario '{name}' of the run that {path} belongs "
                "to. Give a file of a SCENARIO_FOLDER in which nothing was moved or renamed."
            )
    return pasts


def tell_differences(
    histories: Sequence[History],
    scenarios: Sequence[Scenario],
    parameters: Mapping[str, object],
    reporter: Reporter,
) -> None:
    """Report from where a run continues, and warn of changed parameters.

    Args:
        histories: The history of each scenario.
        scenarios: Of the present run.
        parameters: Of the present run.
        reporter: Receives messages.
    """
    first = histories[0]
    now = first.years[-1]
    for path in dict.fromkeys(history.path for history in histories):
        reporter.log(f"Continuing from year {now:g} of {path}.")
    changes = first.differences(parameters) + [
        f"{ROLE}: '{past.scenario}' was {past.offsets} and is now {scenario.offsets}"
        for past, scenario in zip(histories, scenarios, strict=True)
        if past.offsets not in ("", scenario.offsets)
    ]
    for change in changes:
        reporter.warning(f"{change}: this differs from the earlier run from year {now:g} on.")


def _files(given: History, names: Sequence[str]) -> dict[str, Path]:
    """Return the file of each scenario, by its name.

    Raises:
        EngineError: The file of one is missing.
    """
    folder = given.path.absolute().parent.parent
    siblings = {file.parent.name: file for file in sorted(folder.glob(f"*/{SCENARIO_FILE}"))}
    alone = given.path.absolute() != siblings.get(given.scenario)
    known = {given.scenario: given.path} if alone else siblings
    missing = [name for name in names if name not in known]
    if not missing:
        return {name: known[name] for name in names}
    remedy = (
        f"The file holds only this scenario: give the {SCENARIO_FILE} of a scenario in the "
        f"SCENARIO_FOLDER, which stands for all, or keep '{given.scenario}' as the only row"
        if alone
        else "Give the table of the interrupted run: rows may be removed, but not added or renamed"
    )
    raise EngineError(
        f"{ROLE}: {given.path if alone else folder} has no results of {_quoted(missing)}, only of "
        f"{_quoted(known)}. {remedy}."
    )


def _same_start(one: History, other: History) -> bool:
    return one.topography.grid == other.topography.grid and np.array_equal(
        one.topography.bed, other.topography.bed
    )


def _quoted(names: Sequence[str] | Mapping[str, Path]) -> str:
    return ", ".join(f"'{name}'" for name in names)
