"""The figures of the report of an inversion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from glacier_qgis.models.compute.arrays import Float64Array
from glacier_qgis.models.iceflow.inversion.judging import Trial
from glacier_qgis.models.iceflow.results.figures import MAP_CELLS
from glacier_qgis.models.report.theme import BLUE, GREY, ORANGE

Pair = tuple[Float64Array, Float64Array]
"""Observed and modelled values."""
MOST_POINTS = 4000
TICKS = [first * 10.0**power for power in range(-3, 8) for first in (1, 2, 5)]
"""Numbers on logarithmic axes."""


def field_map(
    field: Float64Array,
    cell_size: float,
    unit: str,
    *,
    colours: str = "Blues",
    diverging: bool = False,
) -> go.Figure:
    """Draw a field, NaN where there is nothing to draw; diverging ones are white at zero."""
    step = max(-(-max(field.shape) // MAP_CELLS), 1)
    thinned = field[::step, ::step]
    known = np.abs(thinned[np.isfinite(thinned)])
    bound = float(np.percentile(known, 98)) if known.size else 1.0
    kilometres = step * cell_size / 1000
    figure = go.Figure(
        go.Heatmap(
            z=np.where(np.isfinite(thinned), thinned, np.nan)[::-1].round(2),
            x=kilometres * (np.arange(thinned.shape[1]) + 0.5),
            y=kilometres * (np.arange(thinned.shape[0]) + 0.5),
            colorscale="RdBu" if diverging else colours,
            zmin=-bound if diverging else 0.0,
            zmax=max(bound, 1e-3),
            colorbar={"title": unit},
            hoverongaps=False,
        )
    )
    figure.update_xaxes(title_text="km to the east", constrain="domain")
    figure.update_yaxes(title_text="km to the north", scaleanchor="x")
    figure.update_layout(height=480, template="plotly_white", margin={"t": 30, "b": 50})
    return figure


def scatters(pairs: Mapping[str, Pair]) -> go.Figure:
    """Draw modelled against observed values, one panel per kind, with the line of equality."""
    figure = make_subplots(rows=1, cols=len(pairs))
    for column, (title, (observed, modelled)) in enumerate(pairs.items(), 1):
        step = max(-(-len(observed) // MOST_POINTS), 1)
        x, y = observed[::step], modelled[::step]
        top = float(max(x.max(initial=0), y.max(initial=0)))
        points = go.Scattergl(
            x=x.round(2), y=y.round(2), mode="markers", marker={"size": 4, "color": BLUE}
        )
        line = go.Scatter(x=[0, top], y=[0, top], mode="lines", line={"color": GREY})
        figure.add_trace(points, row=1, col=column)
        figure.add_trace(line, row=1, col=column)
        figure.update_xaxes(title_text=f"Observed {title}", row=1, col=column)
        figure.update_yaxes(title_text=f"Modelled {title}", row=1, col=column)
    figure.update_layout(height=460, showlegend=False, template="plotly_white")
    return figure


def l_curve(trials: Sequence[Trial], chosen: Trial) -> go.Figure:
    """Draw the roughness of inversions against their misfit, on logarithmic axes."""
    figure = go.Figure(
        go.Scatter(
            x=[trial.misfit for trial in trials],
            y=[max(trial.roughness, 1e-3) for trial in trials],
            mode="lines+markers+text",
            text=[f"{trial.factor:g}" for trial in trials],
            textposition="top right",
            marker={"color": [ORANGE if trial is chosen else BLUE for trial in trials], "size": 9},
            line={"color": GREY},
        )
    )
    figure.update_traces(cliponaxis=False)
    ticks = {"type": "log", "tickvals": TICKS, "ticktext": [f"{tick:g}" for tick in TICKS]}
    figure.update_xaxes(title_text="Misfit (squared, in errors)", **ticks)
    figure.update_yaxes(title_text="Roughness of the unknowns", **ticks)
    figure.update_layout(height=420, template="plotly_white")
    return figure
