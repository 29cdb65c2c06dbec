"""Letting a glacier evolve, with whatever moves its ice."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from itertools import chain

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.iceflow.balance.scenarios import (
    NAMELESS,
    Scenario,
    futures,
    read_scenarios,
)
from glacier_qgis.models.iceflow.dynamics.running import run_together, save_times
from glacier_qgis.models.iceflow.dynamics.simulation import (
    SAME_TIME,
    Snapshot,
)
from glacier_qgis.models.iceflow.ground.topography import (
    Topography,
    TopographyInputs,
    read_topography,
)
from glacier_qgis.models.iceflow.jobs.common import text
from glacier_qgis.models.iceflow.jobs.evolution_files import recorders, write_documents
from glacier_qgis.models.iceflow.jobs.evolution_options import EvolutionOptions
from glacier_qgis.models.iceflow.jobs.evolution_start import mass_balances, simulations
from glacier_qgis.models.iceflow.results.comparison import read_observation
from glacier_qgis.models.iceflow.results.histories import read_histories, tell_differences
from glacier_qgis.models.iceflow.results.recorder import RASTERS
from glacier_qgis.models.iceflow.results.report import Section
from glacier_qgis.models.iceflow.results.resume import History
from glacier_qgis.models.iceflow.results.run_record import RunRecord, in_words, keeping
from glacier_qgis.models.iceflow.results.scenario_summary import (
    ScenarioSummary,
    of_scenario,
    with_observation,
)
from glacier_qgis.models.iceflow.results.watch import Watch
from glacier_qgis.models.iceflow.velocity.ice_model import LEVELS, IceModel, Remembers

Observer = Callable[[str, Snapshot], None]
"""Sees a saved state of a scenario, by its name."""
BEFORE = 0.02
"""Share of the progress before the first step, and of that after the last one."""
DOCUMENTS = ("outlines", "misfit", "netcdf", "series", "report", "scenario_folder")


class Evolution(EvolutionOptions):
    """Simulate a glacier: ice flow, mass conservation, surface mass balance."""

    @abstractmethod
    def ice_model(
        self, topography: Topography, glaciers: int, reporter: Reporter
    ) -> tuple[IceModel, list[str]]:
        """Return the model of ice flow, and the reported warnings about it.

        Args:
            topography: geometry of the ice.
            glaciers: number of glaciers that evolve at the same time.
            reporter: receives choices and warnings.
        """

    def ice_models(
        self, topography: Topography, glaciers: int, reporter: Reporter
    ) -> tuple[Sequence[IceModel], list[str]]:
        """Return the model of each glacier, the same for all by default, and the warnings."""
        model, doubts = self.ice_model(topography, glaciers, reporter)
        return [model] * glaciers, doubts

    def sections(
        self, models: Mapping[str, IceModel], states: Sequence[Snapshot], reporter: Reporter
    ) -> list[Section]:
        """Return what the report says of the models at the end of a run, and log it.

        Args:
            models: of each scenario, by name.
            states: the last of each.
            reporter: receives the same in words.
        """
        return []

    def observer(
        self,
        model: IceModel,
        topography: Topography,
        facts: Mapping[str, str],
        outputs: Outputs,
    ) -> AbstractContextManager[Observer]:
        """Return what else is to see the saved states, of each scenario by name, as they come."""
        return nullcontext(lambda name, state: None)

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Simulate and write the requested outputs."""
        scenarios = read_scenarios(self.scenarios) if self.scenarios else [NAMELESS]
        histories = self._histories(scenarios, reporter)
        topography = histories[0].topography if histories else self._topography(reporter)
        saved = histories[0].years if histories else ()
        first = saved[0] if saved else self.first
        models, doubts = self.ice_models(topography, len(scenarios), reporter)
        model = models[0]
        now = saved[-1] if saved else first
        balances = mass_balances(self, scenarios, topography, (first, now), model.device, reporter)
        runs = simulations(self, topography, histories, models, balances)
        observation = read_observation(
            self.observed_outline,
            self.observed_surface,
            self.end if self.observed_time is None else self.observed_time,
            topography,
            self.vertical_unit,
            reporter,
        )
        ahead = with_observation(self._ahead(first, saved), observation, saved[:-1])
        times = [*saved[:-1], *ahead]
        asked = self.model_copy(update={"resolution": topography.grid.cell_size})
        facts = {**provenance(asked), **model.facts, "VERTICAL_DATUM": topography.datum}
        if self.scenarios:
            facts["SCENARIO_OFFSETS"] = futures(scenarios)
        summaries = [
            ScenarioSummary(
                one.name, topography, times, observation, outlines=self.outlines is not None
            )
            for one in scenarios
        ]
        recording = recorders(self, scenarios, topography, times, facts, outputs, reporter)
        record = RunRecord(
            [scenario.name for scenario in scenarios],
            recording,
            [Watch(one, self.cfl) for one in models],
            [partial(self._levels, one) for one in models],
            reporter,
        )
        with keeping([recorder for _, recorder in recording], reporter):
            with record, self.observer(model, topography, facts, outputs) as observe:
                for states in chain(
                    zip(*(history.earlier() for history in histories), strict=True),
                    _remembering(
                        models,
                        run_together(runs, ahead, Stage(reporter, BEFORE, 1 - BEFORE)),
                    ),
                ):
                    record.see(states)
                    for summary, state in zip(summaries, states, strict=True):
                        summary.see(state)
                        observe(summary.scenario, state)
            record.end(self.cfl)
            for words in filter(None, (summary.words for summary in summaries)):
                reporter.log(words)
            named = dict(zip((one.name for one in scenarios), models, strict=True))
            sections = self.sections(named, record.last, reporter)
            write_documents(self, record, summaries, topography, facts, doubts, sections, outputs)
        last = record.last[0]
        for scenario, state in zip(scenarios, record.last, strict=True):
            when = f"Result in year {state.time:.10g}"
            reporter.log(f"{of_scenario(scenario.name)}{when}: {in_words(state)}.")
        return {
            **{name.upper(): text(getattr(self, name)) for name in (*RASTERS, *DOCUMENTS)},
            "VOLUME": last.volume,
            "AREA": last.area,
            "MAX_SPEED": float(last.speed.max()),
            "LOST_AT_BORDER": last.budget.lost,
            "ADDED_BY_CLIPPING": last.budget.added,
            "STEPS": last.steps,
            "TIMES": [*times],
            "ABOUT": {"MODEL": model.name},
            **summaries[0].numbers(),
        }

    def _topography(self, reporter: Reporter) -> Topography:
        return read_topography(
            TopographyInputs(
                bed=self.bed,
                surface=self.surface,
                thickness=self.initial_thickness,
                uniform=self.uniform_thickness,
                ice_mask=self.ice_mask,
                extent=self.extent,
                resolution=self.resolution,
                unit=self.vertical_unit,
                year=self.first,
            ),
            reporter,
        )

    def _histories(self, scenarios: Sequence[Scenario], reporter: Reporter) -> list[History]:
        """Return the history of each scenario, and report changed parameters."""
        if self.resume is None:
            return []
        histories = read_histories(self.resume, self.start, scenarios)
        now = histories[0].years[-1]
        if self.end < now:
            raise EngineError(
                f"END ({self.end:g}) is before year {now:g}, from which RESUME continues. Choose a "
                f"later year, or {now:g} for the results up to there."
            )
        if wrong := self.saves_too_often(histories[0].years[0]):
            raise EngineError(f"{wrong}.")
        parameters = self.model_dump(mode="json", exclude={*RASTERS, *DOCUMENTS})
        tell_differences(histories, scenarios, parameters, reporter)
        return histories

    def _ahead(self, first: float, saved: Sequence[float]) -> list[float]:
        """Return the present and later years to save; intervals count from the first year."""
        times = save_times(first, self.end, self.save_interval)
        if not saved:
            return times
        return [saved[-1], *(time for time in times if time > saved[-1] + SAME_TIME)]

    @property
    def levels(self) -> list[str]:
        """Which of the speeds at the bed and the surface were asked for."""
        return [name for name in LEVELS if getattr(self, name)]

    def _levels(self, model: IceModel, snapshot: Snapshot) -> dict[str, Float32Array]:
        return model.speeds(self.levels, snapshot.thickness, snapshot.surface)


def _remembering(
    models: Sequence[IceModel], states: Iterable[Sequence[Snapshot]]
) -> Iterator[list[Snapshot]]:
    """Add to the states of a run what their models have become."""
    for several in states:
        yield [
            replace(state, memory=model.memory) if isinstance(model, Remembers) else state
            for model, state in zip(models, several, strict=True)
        ]
