"""The files of an evolution: those that grow with it, and those that are written at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.iceflow.balance.scenarios import NAMELESS, SCENARIO_FILE, Scenario
from glacier_qgis.models.iceflow.ground.topography import Topography
from glacier_qgis.models.iceflow.jobs.evolution_options import EvolutionOptions
from glacier_qgis.models.iceflow.results.output_size import tell_size
from glacier_qgis.models.iceflow.results.recorder import RASTERS, Recorder, sizes
from glacier_qgis.models.iceflow.results.report import Section, write_report
from glacier_qgis.models.iceflow.results.run_record import RunRecord
from glacier_qgis.models.iceflow.results.scenario_summary import (
    ScenarioSummary,
    with_comparison,
    write_misfit,
    write_outlines,
)
from glacier_qgis.models.vector.sink import write_layer


def recorders(
    job: EvolutionOptions,
    scenarios: Sequence[Scenario],
    topography: Topography,
    times: Sequence[float],
    facts: Mapping[str, str],
    outputs: Outputs,
    reporter: Reporter,
) -> list[tuple[int, Recorder]]:
    """Return the recorders of the requested files, of the first scenario and of each."""
    wanted = {name: path for name in RASTERS if (path := getattr(job, name))}
    rasters = {name: outputs.stage(path) for name, path in wanted.items()}
    netcdf = outputs.stage_lasting(job.netcdf, job.resume) if job.netcdf else None
    first = facts if scenarios[0] is NAMELESS else {**facts, "SCENARIO": scenarios[0].name}
    files = [(0, rasters, netcdf, first)]
    folder = None
    if job.scenario_folder:
        folder = outputs.stage_folder(job.scenario_folder, lasting=f"*/{SCENARIO_FILE}")
    for index, scenario in enumerate(scenarios if job.scenarios else ()):
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


def write_documents(
    job: EvolutionOptions,
    record: RunRecord,
    summaries: Sequence[ScenarioSummary],
    topography: Topography,
    facts: Mapping[str, str],
    doubts: Sequence[str],
    sections: Sequence[Section],
    outputs: Outputs,
) -> None:
    """Write the requested results of the whole run."""
    if job.series:
        table = with_comparison(record.table, summaries)
        write_layer(table, outputs.stage(job.series), "series")
    if job.outlines:
        write_outlines(outputs.stage(job.outlines), summaries)
    if job.misfit:
        write_misfit(outputs.stage(job.misfit), summaries, topography.grid, facts)
    if job.report:
        write_report(
            outputs.stage(job.report),
            record.runs,
            record.budgets,
            [*doubts, *record.warnings],
            {**facts, "STEPS": str(record.last[0].steps)},
            summaries,
            sections,
        )
