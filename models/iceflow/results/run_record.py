"""Records of a run: files, series and warnings of each scenario."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType

import pandas as pd

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.iceflow.dynamics.conservation import Budget
from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot
from glacier_qgis.models.iceflow.results.recorder import Recorder
from glacier_qgis.models.iceflow.results.scenario_summary import of_scenario
from glacier_qgis.models.iceflow.results.watch import Watch, budget_warnings, ending_warnings


class RunRecord:
    """Passes the saved states of all scenarios to their recorders and checks them.

    Attributes:
        last: The latest state of each scenario.
        warnings: Warnings so far; each was reported at once.
    """

    def __init__(
        self,
        names: Sequence[str],
        recorders: Sequence[tuple[int, Recorder]],
        watches: Sequence[Watch],
        levels: Sequence[Callable[[Snapshot], Mapping[str, Float32Array]]],
        reporter: Reporter,
    ) -> None:
        """Prepare for scenarios with names; a single run has the name ''.

        Args:
            names: Names of the scenarios.
            recorders: With the index of the scenario of each; at least one per scenario.
            watches: One per scenario.
            levels: One per scenario: returns fields that a state does not contain.
            reporter: Receives messages.
        """
        self.last: list[Snapshot] = []
        self.warnings: list[str] = []
        self._names = names
        self._recorders = recorders
        self._watches = watches
        self._levels = levels
        self._reporter = reporter
        self._open = ExitStack()

    def __enter__(self) -> RunRecord:
        """Create the files."""
        with self._open:
            for _, recorder in self._recorders:
                self._open.enter_context(recorder)
            self._open = self._open.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the files."""
        self._open.__exit__(kind, error, traceback)

    def see(self, states: Sequence[Snapshot]) -> None:
        """Record and check the states of all scenarios at one time."""
        levels = [more(state) for more, state in zip(self._levels, states, strict=True)]
        for index, recorder in self._recorders:
            recorder.record(states[index], levels[index])
        self._reporter.log(
            "; ".join(
                f"{of_scenario(name)}Year {state.time:.10g}: {in_words(state)}"
                for name, state in zip(self._names, states, strict=True)
            )
            + "."
        )
        for name, watch, state in zip(self._names, self._watches, states, strict=True):
            self._warn(name, watch.see(state))
        self.last = list(states)

    def end(self, cfl: float) -> None:
        """Report the mass budget of each scenario, and what is wrong with it."""
        for name, state in zip(self._names, self.last, strict=True):
            account = state.budget
            self._reporter.log(
                f"{of_scenario(name)}In {state.steps} steps {account.balance:+.4g} km³ of ice came "
                f"from the mass balance, {account.lost:.4g} km³ left over the border, and clipping "
                f"negative thickness added {account.added:.4g} km³."
            )
            self._warn(name, [*budget_warnings(state.budget, cfl), *ending_warnings(state)])

    @property
    def budgets(self) -> dict[str, Budget]:
        """The mass budget of each scenario, by name."""
        return {name: state.budget for name, state in zip(self._names, self.last, strict=True)}

    @property
    def runs(self) -> dict[str, list[dict[str, float]]]:
        """One row per saved time of each scenario, by name."""
        series = {index: recorder.series for index, recorder in self._recorders}
        return {name: series[index] for index, name in enumerate(self._names)}

    @property
    def table(self) -> pd.DataFrame:
        """The rows of all scenarios, with their names if there are several."""
        return pd.DataFrame(
            [
                {"scenario": name, **row} if name else row
                for name, series in self.runs.items()
                for row in series
            ]
        )

    def _warn(self, name: str, sentences: Sequence[str]) -> None:
        for sentence in sentences:
            told = f"{of_scenario(name)}{sentence}"
            self.warnings.append(told)
            self._reporter.warning(told)


def in_words(state: Snapshot) -> str:
    """Return volume, area and highest speed of the ice, in words."""
    return (
        f"volume {state.volume:.4g} km³, area {state.area:.4g} km², highest speed "
        f"{float(state.speed.max()):.3g} m/a"
    )


@contextmanager
def keeping(recorders: Sequence[Recorder], reporter: Reporter) -> Iterator[None]:
    """Report where the saved years are during the run; if there are none, remove the files."""
    drafts = [recorder.netcdf for recorder in recorders if recorder.netcdf is not None]
    if drafts:
        reporter.log(
            f"During the run, saved years are in {', '.join(map(str, drafts))}, also after a "
            "cancellation: RESUME continues from there."
        )
    try:
        yield
    except BaseException:
        if drafts and recorders[-1].series:
            remedy = (
                "that file as RESUME"
                if len(drafts) == 1
                else "the file of one scenario as RESUME, and the same SCENARIOS, for all of them"
            )
            reporter.warning(
                f"The run ended early. The states up to year {recorders[-1].series[-1]['time']:g} "
                f"are in {', '.join(map(str, drafts))}: give {remedy} to continue from there."
            )
        else:
            for draft in drafts:
                draft.unlink(missing_ok=True)
        raise
