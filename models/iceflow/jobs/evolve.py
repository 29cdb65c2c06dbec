"""Letting a glacier evolve, with whatever moves its ice."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

import torch

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.iceflow.balance.build import BalanceDomain, build_balance
from glacier_qgis.models.iceflow.balance.model import Held, Masked, MassBalance
from glacier_qgis.models.iceflow.balance.options import DEGREE_DAYS
from glacier_qgis.models.iceflow.balance.scenarios import (
    NAMELESS,
    SCENARIO_FILE,
    Scenario,
    futures,
    read_scenarios,
)
from glacier_qgis.models.iceflow.dynamics.running import run_together, save_times
from glacier_qgis.models.iceflow.dynamics.simulation import (
    MAX_FORCED_STEP,
    MAX_STEP,
    SAME_TIME,
    Simulation,
    Snapshot,
)
from glacier_qgis.models.iceflow.dynamics.transport import TRANSPORTS
from glacier_qgis.models.iceflow.ground.topography import (
    Topography,
    TopographyInputs,
    polygon_mask,
    read_topography,
)
from glacier_qgis.models.iceflow.jobs.common import text
from glacier_qgis.models.iceflow.jobs.evolution_options import EvolutionOptions
from glacier_qgis.models.iceflow.results.comparison import read_observation
from glacier_qgis.models.iceflow.results.histories import read_histories, tell_differences
from glacier_qgis.models.iceflow.results.output_size import tell_size
from glacier_qgis.models.iceflow.results.recorder import RASTERS, Recorder, sizes
from glacier_qgis.models.iceflow.results.report import Section, write_report
from glacier_qgis.models.iceflow.results.resume import History
from glacier_qgis.models.iceflow.results.run_record import RunRecord, in_words, keeping
from glacier_qgis.models.iceflow.results.scenario_summary import (
    ScenarioSummary,
    of_scenario,
    with_comparison,
    with_observation,
    write_misfit,
    write_outlines,
)
from glacier_qgis.models.iceflow.results.watch import Watch
from glacier_qgis.models.iceflow.velocity.ice_model import LEVELS, IceModel, Remembers
from glacier_qgis.models.vector.sink import write_layer

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
        balances = self._balances(scenarios, topography, (first, now), model.device, reporter)
        simulations = self._simulations(topography, histories, models, balances)
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
        recorders = self._recorders(scenarios, topography, times, facts, outputs, reporter)
        record = RunRecord(
            [scenario.name for scenario in scenarios],
            recorders,
            [Watch(one, self.cfl) for one in models],
            [partial(self._levels, one) for one in models],
            reporter,
        )
        with keeping([recorder for _, recorder in recorders], reporter):
            with record, self.observer(model, topography, facts, outputs) as observe:
                for states in chain(
                    zip(*(history.earlier() for history in histories), strict=True),
                    _remembering(
                        models,
                        run_together(simulations, ahead, Stage(reporter, BEFORE, 1 - BEFORE)),
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
            self._write_documents(record, summaries, topography, facts, doubts, sections, outputs)
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

    def _write_documents(
        self,
        record: RunRecord,
        summaries: Sequence[ScenarioSummary],
        topography: Topography,
        facts: Mapping[str, str],
        doubts: Sequence[str],
        sections: Sequence[Section],
        outputs: Outputs,
    ) -> None:
        """Write the requested results of the whole run."""
        if self.series:
            table = with_comparison(record.table, summaries)
            write_layer(table, outputs.stage(self.series), "series")
        if self.outlines:
            write_outlines(outputs.stage(self.outlines), summaries)
        if self.misfit:
            write_misfit(outputs.stage(self.misfit), summaries, topography.grid, facts)
        if self.report:
            write_report(
                outputs.stage(self.report),
                record.runs,
                record.budgets,
                [*doubts, *record.warnings],
                {**facts, "STEPS": str(record.last[0].steps)},
                summaries,
                sections,
            )

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

    def _recorders(
        self,
        scenarios: Sequence[Scenario],
        topography: Topography,
        times: Sequence[float],
        facts: Mapping[str, str],
        outputs: Outputs,
        reporter: Reporter,
    ) -> list[tuple[int, Recorder]]:
        """Return the recorders of the requested files, of the first scenario and of each."""
        wanted = {name: path for name in RASTERS if (path := getattr(self, name))}
        rasters = {name: outputs.stage(path) for name, path in wanted.items()}
        netcdf = outputs.stage_lasting(self.netcdf, self.resume) if self.netcdf else None
        first = facts if scenarios[0] is NAMELESS else {**facts, "SCENARIO": scenarios[0].name}
        files = [(0, rasters, netcdf, first)]
        folder = None
        if self.scenario_folder:
            folder = outputs.stage_folder(self.scenario_folder, lasting=f"*/{SCENARIO_FILE}")
        for index, scenario in enumerate(scenarios if self.scenarios else ()):
            named = {**facts, "SCENARIO": scenario.name}
            if folder is None:
                files.append((index, {}, None, named))
                continue
            home = folder / scenario.name
            home.mkdir()
            each = {name: home / f"{name}.tif" for name in wanted}
            files.append((index, each, home / SCENARIO_FILE, named))
        room: Counter[Path] = Counter()
        for _, paths, file, _ in files:
            room.update(sizes(paths, file, topography.grid, len(times)))
        tell_size(dict(room), reporter)
        return [
            (index, Recorder(paths, file, topography, times, tags))
            for index, paths, file, tags in files
        ]

    @property
    def levels(self) -> list[str]:
        """Which of the speeds at the bed and the surface were asked for."""
        return [name for name in LEVELS if getattr(self, name)]

    def _levels(self, model: IceModel, snapshot: Snapshot) -> dict[str, Float32Array]:
        return model.speeds(self.levels, snapshot.thickness, snapshot.surface)

    def _balances(
        self,
        scenarios: Sequence[Scenario],
        topography: Topography,
        begins: tuple[float, float],
        device: torch.device,
        reporter: Reporter,
    ) -> list[MassBalance]:
        """Return the mass balances; where inputs have no data, ice is removed as outside a mask.

        `begins` are the first years of the first run and of this one.
        """
        first, now = begins
        outline = (
            None
            if self.ice_mask is None
            else polygon_mask(self.ice_mask, topography.grid, "ICE_MASK")
        )
        place = BalanceDomain(
            topography.grid,
            topography.surface,
            ice=topography.thickness > 0,
            unit=self.vertical_unit,
            times=(now, self.end),
            device=device,
            mask=outline,
        )
        covered = build_balance(self, place, reporter)
        mask = covered.within(outline)
        balances = []
        for scenario in scenarios:
            balance = covered.balance if scenario is NAMELESS else scenario.applied(covered.balance)
            if self.mass_balance == DEGREE_DAYS:
                balance = Held(balance, self.update_interval, first)
            if mask is not None:
                balance = Masked(balance, torch.from_numpy(mask).to(device))
            balances.append(balance)
        return balances

    def _simulations(
        self,
        topography: Topography,
        histories: Sequence[History],
        models: Sequence[IceModel],
        balances: Sequence[MassBalance],
    ) -> list[Simulation]:
        """Return one simulation per mass balance, at the end of its history, if any."""
        pasts: list[Snapshot | None] = [history.last for history in histories] or [None] * len(
            balances
        )
        for model, past in zip(models, pasts, strict=True):
            if past and past.memory and isinstance(model, Remembers):
                model.recall(past.memory)
        cell_size = topography.grid.cell_size
        bed = torch.from_numpy(topography.bed).to(models[0].device)
        return [
            Simulation(
                bed,
                torch.from_numpy(earlier.thickness if earlier else topography.thickness).to(
                    model.device
                ),
                model.flow,
                balance,
                cell_size=cell_size,
                cfl=self.cfl,
                start=earlier.time if earlier else self.first,
                max_step=MAX_STEP if balance.steady else MAX_FORCED_STEP,
                transport=TRANSPORTS[self.transport],
                limit=model.longest_step,
                earlier=earlier,
            )
            for model, balance, earlier in zip(models, balances, pasts, strict=True)
        ]


def _remembering(
    models: Sequence[IceModel], states: Iterable[Sequence[Snapshot]]
) -> Iterator[list[Snapshot]]:
    """Add to the states of a run what their models have become."""
    for several in states:
        yield [
            replace(state, memory=model.memory) if isinstance(model, Remembers) else state
            for model, state in zip(models, several, strict=True)
        ]
