"""The report of a simulation: one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from glacier_qgis.models.iceflow.mass_conservation import Budget

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse } td { padding: .15rem 1rem .15rem 0; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.warning { border-left: 4px solid #c77700; padding-left: .75rem }
td.text { overflow-wrap: anywhere }
"""
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
    parts = [
        "<h1>Glacier simulation</h1>",
        *(f'<p class="warning">{escape(warning)}</p>' for warning in warnings),
        _curves(series),
        "<h2>Mass budget</h2>",
        "<p>In km³ of ice over the whole run.</p>",
        _table({name: f"{value:+.6f}" for name, value in budget_rows(budget).items()}, "number"),
        "<h2>Parameters and provenance</h2>",
        _table(facts, "text"),
    ]
    path.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Glacier simulation</title><style>{_STYLE}</style></head><body>"
        + "\n".join(parts)
        + "</body></html>",
        encoding="utf-8",
    )


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


def _curves(series: Sequence[Mapping[str, float]]) -> str:
    figure = make_subplots(rows=len(_CURVES), cols=1, shared_xaxes=True, vertical_spacing=0.05)
    times = [row["time"] for row in series]
    for index, (column, label) in enumerate(_CURVES.items(), 1):
        values = [row[column] for row in series]
        figure.add_trace(go.Scatter(x=times, y=values, mode="lines+markers"), row=index, col=1)
        figure.update_yaxes(title_text=label, rangemode="tozero", row=index, col=1)
    figure.update_xaxes(title_text="Year", row=len(_CURVES), col=1)
    figure.update_layout(height=720, showlegend=False, template="plotly_white")
    return str(figure.to_html(full_html=False, include_plotlyjs=True))


def _table(rows: Mapping[str, str], kind: str) -> str:
    lines = (
        f'<tr><td>{escape(name)}</td><td class="{kind}">{escape(value)}</td></tr>'
        for name, value in rows.items()
    )
    return f"<table>{''.join(lines)}</table>"
