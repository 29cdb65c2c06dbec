"""The report of `recordcorrections`: what was corrected, and what the audit says of the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from glacier_qgis.models.report.page import HtmlPage
from glacier_qgis.models.report.theme import BLUE, ORANGE
from glacier_qgis.models.review.recording.audit import LEVEL, Audit, Estimate
from glacier_qgis.models.review.tables.kinds import Kind
from glacier_qgis.models.review.tables.store import records
from glacier_qgis.wall.review import AUDIT, RANKED

SMALL_M = 10.0
NAMES = {RANKED: "ranked by uncertainty", AUDIT: "drawn at random"}


def write_report(
    path: Path, table: pd.DataFrame, audit: Audit, kind: Kind, facts: Mapping[str, str]
) -> None:
    """Write the report.

    Args:
        path: Where to.
        table: One row per task, as the job writes it.
        audit: What the random sample says.
        kind: What the review is about.
        facts: Parameters and provenance, by name.
    """
    page = HtmlPage(
        "Corrections",
        "Predicted lines against what a person made of them: the mean distance from each point of "
        f"a prediction to the corrected lines of the {kind.image}, and back. A line that was "
        "accepted as it is has an error of 0: errors are those that a person would correct, not "
        "all there are.",
    )
    judged = table[table.recorded != "no"]
    if len(judged):
        page.table(
            [{"Tasks": NAMES[kind], **_row(judged[judged.strategy == kind])} for kind in NAMES],
            "Recorded tasks.",
        )
    known = judged[judged.error_m.notna()]
    if len(known):
        page.figure(_histogram(known), "Errors of the recorded tasks.")
    page.heading(f"{kind.images.capitalize()} that nobody looked at")
    page.paragraph(audit_in_words(audit, kind))
    if audit.sample:
        page.table(
            [
                {"": "Mean error (m)", **_interval(audit.mean_m)},
                {"": "Median error (m)", **_interval(audit.median_m)},
                {"": f"All missed, or no {kind.line} there (%)", **_interval(audit.wrong, 100)},
            ],
            f"Estimates for {audit.scenes} {kind.images} with intervals of {LEVEL:.0%}: Student's "
            f"for the mean, which is too narrow where few {kind.images} have large errors; exact "
            f"ones for the median (from six {kind.images} on) and the share.",
        )
    left_out = table[table.recorded == "no"]
    if len(left_out):
        page.heading("Not recorded")
        page.table(records(left_out[["rank", "title", "problem"]]), "Left out.")
    page.heading("Tasks")
    shown = judged.drop(columns=["problem", "task"]).sort_values("error_m", ascending=False)
    page.table(
        records(shown),
        "All recorded tasks, the largest errors first.",
    )
    page.heading("Parameters and provenance")
    page.facts(facts)
    page.write(path)


def audit_in_words(audit: Audit, kind: Kind) -> str:
    """Say what the audit says, in a sentence or two."""
    if not audit.scenes:
        return (
            f"The queue has no tasks drawn at random, so nothing is known of other {kind.images}."
        )
    if not audit.sample:
        return (
            f"No task drawn at random is finished yet, so nothing is known of the {audit.scenes} "
            f"{kind.images} that the ranking left out."
        )
    mean = audit.mean_m
    told = (
        f"{audit.sample} of {audit.scenes} {kind.images} that the ranking left out were looked at"
    )
    if math.isnan(mean.value):
        return f"{told}; none of them has a {kind.line} on both sides."
    within = "" if math.isnan(mean.low) else f" ({metres(mean.low)} to {metres(mean.high)} m)"
    return f"{told}; the mean error of these {kind.images} is about {metres(mean.value)} m{within}."


def metres(value: float) -> str:
    """Return a length in words: whole metres, those below ten with two digits."""
    return f"{value:.0f}" if value >= SMALL_M else f"{value:.2g}"


def _interval(estimate: Estimate, factor: float = 1.0) -> dict[str, object]:
    return {
        "Estimate": factor * estimate.value,
        "From": factor * estimate.low,
        "To": factor * estimate.high,
    }


def _row(tasks: pd.DataFrame) -> dict[str, object]:
    return {
        "Recorded": len(tasks),
        "Mean error (m)": tasks.error_m.mean(),
        "Mean error (cells)": tasks.error_cells.mean(),
        "Lines kept": tasks.kept.sum(),
        "edited": tasks.edited.sum(),
        "added": tasks.added.sum(),
        "deleted": tasks.deleted.sum(),
    }


def _histogram(known: pd.DataFrame) -> go.Figure:
    figure = go.Figure()
    for kind, colour in ((RANKED, BLUE), (AUDIT, ORANGE)):
        errors = known.loc[known.strategy == kind, "error_m"]
        figure.add_histogram(x=errors, name=NAMES[kind], marker_color=colour, nbinsx=40)
    figure.update_layout(
        height=360, template="plotly_white", barmode="stack", margin={"t": 20, "r": 10}
    )
    figure.update_xaxes(title_text="Mean distance (m)", rangemode="tozero")
    figure.update_yaxes(title_text="Tasks")
    return figure
