"""Reports of trainings and evaluations of emulators."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots

from glacier_qgis.models.iceflow.dynamics.transient import Moment
from glacier_qgis.models.iceflow.teaching.course import Epoch
from glacier_qgis.models.iceflow.teaching.fidelity import Fidelity
from glacier_qgis.models.iceflow.teaching.measuring import Case, Flow, Kind, rows
from glacier_qgis.models.report.page import HtmlPage
from glacier_qgis.models.report.theme import BLUE, GREY, ORANGE

LAYOUT = {"template": "plotly_white", "margin": {"l": 70, "r": 20, "t": 40, "b": 50}}
MAP_CELLS = 240
"""Largest number of cells per side of a map."""
POINTS = 4000
"""Points of a scatter plot at most."""
FEW_EPOCHS = 10
"""Up to so many, each is on the axis."""
WIDE = 6
"""Width of a line that another one may cover."""
TABLES = {
    "sliding": "By sliding coefficient c (km MPa⁻³ a⁻¹), as Table 2 of Jouvet et al. (2022).",
    "cell size": "By cell size.",
    "glacier": "By glacier.",
}
MEASURES = (
    "L1 is the mean of |Δu| + |Δv| of the velocity averaged over depth; Eq. 7 of Jouvet et al. "
    "(2022) is the mean of |Δu| + |Δv| over |u| + |v| where the latter exceeds 10 m/a."
)


def add_course(page: HtmlPage, epochs: Sequence[Epoch], best: Epoch, *, unseen: bool) -> None:
    """Add the curves of a training."""
    titles = ("Loss", "Error L1 (m/a)", "Eq. 7 (%)", "Topographies trained on")
    figure = make_subplots(rows=2, cols=2, subplot_titles=titles, vertical_spacing=0.14)
    numbers = [epoch["epoch"] for epoch in epochs]

    def add(row: int, column: int, name: str, key: str, colour: str) -> None:
        values = [epoch[key] for epoch in epochs]
        if all(math.isnan(value) for value in values):
            return  # states without a solution have no error
        line = go.Scatter(x=numbers, y=values, name=name, mode="lines", line={"color": colour})
        figure.add_trace(line, row=row, col=column)

    on = "held-out glaciers" if unseen else "the glaciers trained on"
    add(1, 1, "training loss", "loss", BLUE)
    add(1, 2, "L1, glaciers trained on", "training_l1", BLUE)
    add(1, 2, f"L1, {on}", "l1", ORANGE)
    add(2, 1, f"Eq. 7, {on}", "eq7", ORANGE)
    add(2, 2, "topographies", "topographies", GREY)
    figure.add_vline(x=best["epoch"], line_dash="dot", line_color="grey")
    figure.update_xaxes(title_text="Epoch", row=2)
    if len(numbers) <= FEW_EPOCHS:
        figure.update_xaxes(dtick=1)
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(height=620, **LAYOUT)
    page.heading("Course of the training")
    page.figure(
        figure,
        f"Loss and errors by epoch; epoch 0 is before the training. The dotted line is at epoch "
        f"{best['epoch']}, whose weights were kept because the L1 error on {on} is the smallest.",
    )


def add_fidelity(
    page: HtmlPage, title: str, found: Mapping[Kind, Fidelity], words: str = ""
) -> None:
    """Add the tables of an emulator's errors, below some words."""
    page.heading(title)
    if words:
        page.paragraph(words)
    for kind, caption in TABLES.items():
        if table := rows(dict(found), kind):
            page.table(table, caption)


def add_scatter(page: HtmlPage, cases: Sequence[Case], flow: Flow) -> None:
    """Add the speeds of an emulator over those of its instructor."""
    pairs = []
    for case in cases:
        ice = case.state.thickness > 0
        levels = case.state.velocity[0].float(), flow(case.state).float()
        pairs.append(torch.stack([level[:, ice].norm(dim=0) for level in levels]))
    speeds = torch.cat(pairs, dim=1)
    true, found = speeds[:, :: -(-speeds.shape[1] // POINTS)].numpy()
    top = float(max(true.max(initial=1.0), found.max(initial=1.0)))
    figure = go.Figure(layout=LAYOUT)
    figure.add_scatter(
        x=np.round(true, 2), y=np.round(found, 2), mode="markers", marker={"size": 3, "color": BLUE}
    )
    figure.add_scatter(x=[0, top], y=[0, top], mode="lines", line={"dash": "dot", "color": GREY})
    figure.update_xaxes(title_text="Instructor (m/a)")
    figure.update_yaxes(title_text="Emulator (m/a)")
    figure.update_layout(height=460, showlegend=False)
    page.figure(figure, "Speed averaged over depth of cells with ice; on the line both agree.")


def add_map(page: HtmlPage, case: Case, flow: Flow, emulator: str, title: str) -> None:
    """Add maps of a state: the instructor's speed, the emulator's, and their difference."""
    ice = case.state.thickness > 0
    true, found = case.state.velocity[0].float(), flow(case.state).float()
    error = (found - true).norm(dim=0)
    step = max(-(-max(ice.shape) // MAP_CELLS), 1)
    top = float(torch.quantile(true.norm(dim=0)[ice], 0.99)) or 1.0
    panels = {"Instructor": true.norm(dim=0), emulator: found.norm(dim=0), "Error": error}
    figure = make_subplots(rows=1, cols=3, subplot_titles=[*panels], horizontal_spacing=0.04)
    kilometres = step * case.state.cell_size / 1000
    for column, (name, field) in enumerate(panels.items(), 1):
        thinned = torch.where(ice, field, math.nan)[::step, ::step].numpy()
        heat = go.Heatmap(
            z=np.round(thinned, 2)[::-1],
            x=kilometres * (np.arange(thinned.shape[1]) + 0.5),
            y=kilometres * (np.arange(thinned.shape[0]) + 0.5),
            zmin=0,
            zmax=top,
            colorscale="Viridis" if name != "Error" else "Reds",
            showscale=column == 1,
            colorbar={"title": "m/a", "x": -0.12},
        )
        figure.add_trace(heat, row=1, col=column)
        axis = "" if column == 1 else str(column)
        figure.update_yaxes(scaleanchor=f"x{axis}", row=1, col=column, showticklabels=column == 1)
        figure.update_xaxes(title_text="km", constrain="domain", row=1, col=column)
    figure.update_layout(height=430, **(LAYOUT | {"margin": {"l": 110, "r": 20, "t": 70, "b": 50}}))
    state = case.state
    c = state.sliding[ice]
    page.figure(
        figure,
        f"{title}: {case.glacier}, cells of {state.cell_size:.4g} m, c = {_span(c)} km MPa⁻³ a⁻¹. "
        "Speed averaged over depth, m/a, and magnitude of the error of the velocity, all on one "
        "scale.",
    )


def add_transient(page: HtmlPage, run: Sequence[Moment], emulator: str, instructor: str) -> None:
    """Add a glacier that evolved with an emulator and with its instructor."""
    titles = ("Volume (km³)", "Area (km²)", "RMSE of the thickness (m)")
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, subplot_titles=titles, vertical_spacing=0.08
    )
    times = [one.emulated.time for one in run]
    lines = (
        (1, instructor, GREY, [one.instructed.volume for one in run]),
        (1, emulator, BLUE, [one.emulated.volume for one in run]),
        (2, instructor, GREY, [one.instructed.area for one in run]),
        (2, emulator, BLUE, [one.emulated.area for one in run]),
        (3, emulator, BLUE, [one.rmse for one in run]),
    )
    for row, name, colour, values in lines:
        line = go.Scatter(
            x=times,
            y=values,
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": WIDE if colour == GREY else 2},
            legendgroup=name,
            showlegend=row == 1,
        )
        figure.add_trace(line, row=row, col=1)
    figure.update_yaxes(rangemode="tozero")
    figure.update_xaxes(title_text="Year", row=3)
    figure.update_layout(height=760, **LAYOUT)
    seconds = [sum(one.seconds[place] for one in run) for place in (0, 1)]
    last = run[-1]
    page.heading("Transient")
    page.figure(
        figure,
        "The glacier with the emulator and with the instructor, from the same start under the "
        "same climate, as Figures 12 to 14 of Jouvet et al. (2022).",
    )
    page.paragraph(
        f"At the end the thickness differs by {last.rmse:.2f} m (RMSE). The emulator took "
        f"{seconds[0]:.1f} s, the instructor {seconds[1]:.1f} s."
    )


def worst_and_median(cases: Sequence[Case], flow: Flow) -> dict[str, Case]:
    """Return the states with the median and with the largest relative error, by what they are."""

    def error(case: Case) -> float:
        ice = case.state.thickness > 0
        true = case.state.velocity[0][:, ice].float()
        missed = (flow(case.state)[:, ice].float() - true).abs().sum()
        return float(missed / true.abs().sum().clamp(min=1e-6))

    ranked = sorted(cases, key=error)
    worst = {"Largest relative error": ranked[-1]} if len(ranked) > 1 else {}
    return {"Median relative error": ranked[(len(ranked) - 1) // 2]} | worst


def _span(values: torch.Tensor) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
