"""What each scenario of a run goes on from: one past of all, or a past each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.balance.scenarios import ROLE, SCENARIO_FILE, Scenario
from glacier_qgis.models.iceflow.results.resume import History, read_history


def read_histories(path: Path, start: float | None, scenarios: Sequence[Scenario]) -> list[History]:
    """Return the past of each scenario, all up to the same year.

    Scenarios branch off together from a run that had none. The file of a scenario stands for the
    folder of all of them, ``<name>/simulation.nc``: each goes on from its own.

    Args:
        path: Written by `simulateglacier`.
        start: The year to go on from; None for the last that all have saved.
        scenarios: Of the run that goes on, at least one; of one that has none, a nameless one.

    Raises:
        EngineError: A file is not what it should be, or a scenario has no past.
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
    """Tell from where a run continues, and warn of what differs from before.

    Args:
        histories: The past of each scenario.
        scenarios: As they are now.
        parameters: As they are now.
        reporter: Is told.
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
        EngineError: There is none of one of them.
    """
    folder = given.path.absolute().parent.parent
    siblings = {file.parent.name: file for file in sorted(folder.glob(f"*/{SCENARIO_FILE}"))}
    alone = given.path.absolute() != siblings.get(given.scenario)
    known = {given.scenario: given.path} if alone else siblings
    missing = [name for name in names if name not in known]
    if not missing:
        return {name: known[name] for name in names}
    cure = (
        f"The file holds that one alone: give the {SCENARIO_FILE} of one in the SCENARIO_FOLDER, "
        f"which stands for all, or leave '{given.scenario}' as the only row"
        if alone
        else "Give the table of the run that was interrupted: rows may be left out of it, but not "
        "added or renamed"
    )
    raise EngineError(
        f"{ROLE}: nothing was saved of {_quoted(missing)} in {given.path if alone else folder}, "
        f"only of {_quoted(known)}. {cure}."
    )


def _same_start(one: History, other: History) -> bool:
    return one.topography.grid == other.topography.grid and np.array_equal(
        one.topography.bed, other.topography.bed
    )


def _quoted(names: Sequence[str] | Mapping[str, Path]) -> str:
    return ", ".join(f"'{name}'" for name in names)
