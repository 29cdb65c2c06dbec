"""The report of a simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from glacier_qgis.models.engine.page import Page
from glacier_qgis.models.iceflow.mass_conservation import Budget

_CURVES = {
    "volume_km3": "Volume (km³)",
    "area_km2": "Area (km²)",
    "mean_speed": "Mean speed (m/a)",
}


def write_report(
    path: Path,
    series: Sequence[Mapping[str, float]],
    budget: Budget,
    warnings: Sequence[str],
    facts: Mapping[str, str],
) -> None:
    """Write the report.

    Args:
        path: where to.
        series: a row a saved time, with the columns of the series table.
        budget: of the whole run.
        warnings: what may make the result wrong.
        facts: parameters and provenance, by name.
    """
    page = Page("Glacier simulation")
    for warning in warnings:
        page.warning(warning)
    page.figure(_curves(series))
    page.heading("Mass budget")
    page.table(
        [
            {"Term": name, "Ice (km³)": f"{value:+.6f}"}
            for name, value in budget_rows(budget).items()
        ],
        "Ice gained and lost over the whole run.",
    )
    page.heading("Parameters and provenance")
    page.facts(facts)
    page.write(path)


def budget_rows(budget: Budget) -> dict[str, float]:
    """Return the lines of the mass budget, km³, with the sign that they enter it by."""
    return {
        "Volume at the start": budget.initial,
        "Surface mass balance": budget.balance,
        "Lost at the border of the domain": -budget.lost,
        "Added by clipping negative thickness": budget.added,
        "Volume at the end": budget.final,
        "Residual (rounding)": budget.residual,
    }


def _curves(series: Sequence[Mapping[str, float]]) -> go.Figure:
    figure = make_subplots(rows=len(_CURVES), cols=1, shared_xaxes=True, vertical_spacing=0.05)
    times = [row["time"] for row in series]
    for index, (column, label) in enumerate(_CURVES.items(), 1):
        values = [row[column] for row in series]
        figure.add_trace(go.Scatter(x=times, y=values, mode="lines+markers"), row=index, col=1)
        figure.update_yaxes(title_text=label, rangemode="tozero", row=index, col=1)
    figure.update_xaxes(title_text="Year", row=len(_CURVES), col=1)
    figure.update_layout(height=720, showlegend=False, template="plotly_white")
    return figure
