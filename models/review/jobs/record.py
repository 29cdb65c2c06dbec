"""The job `recordcorrections`: what a person changed, appended to the review."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import BeforeValidator, Field

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.job import Destination, Job, blank_is_none
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.raster.crs import read_crs
from glacier_qgis.models.review.recording.audit import Audit, estimate
from glacier_qgis.models.review.recording.record import look, record
from glacier_qgis.models.review.recording.report import audit_in_words, write_report
from glacier_qgis.models.review.tables.corrected import latest_corrections
from glacier_qgis.models.review.tables.kinds import kind_of
from glacier_qgis.models.review.tables.store import read_table, records
from glacier_qgis.models.vector.sink import write_layer
from glacier_qgis.models.vector.texts import value_text
from glacier_qgis.wall.review import AUDIT, CORRECTIONS, REJECTED, TASKS

NOW, EARLIER, NOT = "now", "earlier", "no"
"""When a task was recorded, in the table of this job."""
SHOWN = (
    "status", "error_m", "error_cells", "kept", "edited", "added", "deleted", "reviewer",
)  # fmt: skip


class RecordCorrections(Job):
    """Compares edited lines with the predictions, and keeps what differs."""

    review: Annotated[Path | None, BeforeValidator(blank_is_none), Field(default=None)]
    output: Destination
    report: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Record every finished task, and sum up all that is recorded."""
        tables = [outputs.stage(path) if path else None for path in (self.output, self.report)]
        if self.review is None:
            raise EngineError("REVIEW: none is given. Choose the GeoPackage of 'Prepare review'.")
        findings = look(self.review, Stage(reporter, 0, 0.6))
        new = record(self.review, findings.reviewed, Stage(reporter, 0.6, 0.8))
        reporter.progress(0.8, "Summing up")
        tasks = findings.tasks
        titles = {
            row["task"]: f"{row['rank']} ({value_text(row['title'])})" for row in records(tasks)
        }
        every = read_table(self.review, CORRECTIONS)
        latest = latest_corrections(every, tasks)
        table = _table(tasks, latest, new, findings.left_out)
        audit = _audit(tasks, latest)
        kind = kind_of(read_crs(tasks.crs, "The review"))
        if tables[0]:
            write_layer(table, tables[0], "recorded")
        if tables[1]:
            write_report(
                tables[1], table, audit, kind, {"REVIEW": str(self.review), **provenance(self)}
            )
        for number, problem in findings.left_out.items():
            reporter.warning(f"Task {titles[number]} was not recorded: {problem}.")
        if findings.unnumbered:
            reporter.warning(
                f"{findings.unnumbered} polygons in the table '{TASKS}' have no number, and were "
                'left out. Select them with the expression "task" IS NULL, and delete them.'
            )
        if findings.homeless:
            reporter.warning(
                f"{findings.homeless} lines belong to no task and were not recorded. Fill in their "
                "field 'task'."
            )
        if withdrawn := every.task.nunique() - len(latest):
            reporter.warning(
                f"{withdrawn} recorded tasks were deleted, or are open or skipped again: what was "
                "recorded of them does not count until they are finished."
            )
        if findings.gone:
            reporter.warning(
                f"{len(findings.gone)} recorded tasks have a {kind.image} that is not where it "
                f"was, such as that of task {titles[findings.gone[0]]}. Bring it back before you "
                "train on it."
            )
        reporter.log(
            f"{len(new)} recorded now, {len(latest)} in all. {audit_in_words(audit, kind)}"
        )
        return {
            "OUTPUT": str(self.output) if self.output else None,
            "REPORT": str(self.report) if self.report else None,
            "RECORDED": len(new),
            "TOTAL": len(latest),
            "LEFT_OUT": len(findings.left_out),
            "MEAN_ERROR": _number(float(latest.error_m.mean()) if len(latest) else math.nan),
            "AUDIT_SCENES": audit.scenes,
            "AUDIT_SAMPLE": audit.sample,
            "AUDIT_ERROR": _number(audit.mean_m.value),
            "AUDIT_LOW": _number(audit.mean_m.low),
            "AUDIT_HIGH": _number(audit.mean_m.high),
        }


def _table(
    tasks: pd.DataFrame, latest: pd.DataFrame, new: set[int], left_out: Mapping[int, str]
) -> pd.DataFrame:
    """Return one row per task that was recorded or left out, in the order of the queue."""
    known = {row["task"]: row for row in records(latest)}
    rows = []
    for task in records(tasks.sort_values("rank")):
        number = int(task["task"])
        problem = left_out.get(number, "")
        if number not in known and not problem:
            continue
        state = NOT if problem else NOW if number in new else EARLIER
        rows.append(
            {
                "task": number,
                "rank": int(task["rank"]),
                "title": value_text(task["title"]),
                "strategy": value_text(task["strategy"]),
                "recorded": state,
                **{name: known.get(number, {}).get(name) for name in SHOWN},
                "problem": problem,
            }
        )
    columns = ["task", "rank", "title", "strategy", "recorded", *SHOWN, "problem"]
    numbers = ["error_m", "error_cells", "kept", "edited", "added", "deleted"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(**{name: pd.to_numeric(table[name], errors="coerce") for name in numbers})


def _audit(tasks: pd.DataFrame, latest: pd.DataFrame) -> Audit:
    scenes = round(tasks.loc[tasks.strategy == AUDIT, "weight"].sum())
    sample = latest[(latest.strategy == AUDIT) & (latest.status != REJECTED)]
    errors = [None if math.isnan(error) else error for error in sample.error_m.astype(float)]
    sides = zip(sample.before.map(value_text), sample.after.map(value_text), strict=True)
    return estimate(errors, [bool(before) != bool(after) for before, after in sides], scenes)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
