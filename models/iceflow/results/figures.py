"""The figures of the report of a simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.iceflow.results.hypsometry import Hypsometry
from glacier_qgis.models.report.theme import LINES

CURVES = {
    "volume_km3": "Volume (km³)",
    "area_km2": "Area (km²)",
    "mean_speed": "Mean speed (m/a)",
}
Runs = Mapping[str, Sequence[Mapping[str, float]]]
"""One row per saved time, by scenario."""
MAP_CELLS = 300
"""Largest number of cells per side of a map; larger fields are subsampled."""


def curves(runs: Runs) -> go.Figure:
    """Draw volume, area and mean speed over time, one line per scenario."""
    figure = make_subplots(rows=len(CURVES), cols=1, shared_xaxes=True, vertical_spacing=0.05)
    for index, (column, label) in enumerate(CURVES.items(), 1):
        for name, colour in zip(runs, cycle(LINES)):
            line = go.Scatter(
                x=[row["time"] for row in runs[name]],
                y=[row[column] for row in runs[name]],
                mode="lines+markers",
                line={"color": colour},
                name=name or label,
                legendgroup=name,
                showlegend=index == 1,
            )
            figure.add_trace(line, row=index, col=1)
        figure.update_yaxes(title_text=label, rangemode="tozero", row=index, col=1)
    figure.update_xaxes(tickformat="~r")  # a year has no thousands
    figure.update_xaxes(title_text="Year", row=len(CURVES), col=1)
    figure.update_layout(height=720, showlegend=len(runs) > 1, template="plotly_white")
    return figure


def hypsometry_figure(states: Mapping[str, Hypsometry]) -> go.Figure:
    """Draw area and volume by elevation, one step line per state, with its name."""
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.04)
    for (name, state), colour in zip(states.items(), cycle(LINES)):
        for column, amounts in enumerate((state.area, state.volume), 1):
            heights, widths = stairs(state, amounts)
            stair = go.Scatter(
                x=widths,
                y=heights,
                mode="lines",
                line={"color": colour},
                name=name,
                legendgroup=name,
                showlegend=column == 1,
            )
            figure.add_trace(stair, row=1, col=column)
    width = next(iter(states.values())).width
    figure.update_xaxes(title_text=f"Area per {width:g} m (km²)", rangemode="tozero", col=1)
    figure.update_xaxes(title_text=f"Volume per {width:g} m (km³)", rangemode="tozero", col=2)
    figure.update_yaxes(title_text="Surface elevation (m)", col=1)
    figure.update_layout(height=460, template="plotly_white")
    return figure


def stairs(
    state: Hypsometry, amounts: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
) -> tuple[list[float], list[float]]:
    """Return elevations and amounts at the corners of a step line that starts and ends at 0."""
    if not len(amounts):
        return [], []
    heights, widths = [float(state.bottoms[0])], [0.0]
    for bottom, amount in zip(state.bottoms, amounts, strict=True):
        heights += [float(bottom), float(bottom + state.width)]
        widths += [float(amount)] * 2
    return [*heights, heights[-1]], [*widths, 0.0]


def misfit_figure(difference: Float32Array, cell_size: float) -> go.Figure:
    """Draw simulated minus observed surface as a map, blue where the simulation is higher."""
    step = max(-(-max(difference.shape) // MAP_CELLS), 1)
    thinned = difference[::step, ::step].astype(np.float32)
    known = np.abs(thinned[np.isfinite(thinned)])
    bound = float(np.percentile(known, 98)) if known.size else 1.0
    kilometres = step * cell_size / 1000
    figure = go.Figure(
        go.Heatmap(
            z=np.where(np.isfinite(thinned), np.round(thinned, 1), np.nan)[::-1],
            x=kilometres * (np.arange(thinned.shape[1]) + 0.5),
            y=kilometres * (np.arange(thinned.shape[0]) + 0.5),
            colorscale="RdBu",
            zmid=0,
            zmin=-max(bound, 0.1),
            zmax=max(bound, 0.1),
            colorbar={"title": "m"},
            hoverongaps=False,
        )
    )
    figure.update_xaxes(title_text="km to the east", constrain="domain")
    figure.update_yaxes(title_text="km to the north", scaleanchor="x")
    figure.update_layout(height=560, template="plotly_white")
    return figure
