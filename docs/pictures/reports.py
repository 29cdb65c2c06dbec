"""Figures of reports, drawn without a browser."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from small import shrink

GRID = "#dde3ea"

Measured = tuple[Sequence[int], Sequence[float], Sequence[float]]
"""Years, volumes (km³) and areas (km²)."""


def plotly_figure(report: Path, number: int = 1) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the traces and the layout of one of a report's interactive figures."""
    page = report.read_text(encoding="utf-8")
    decoder = json.JSONDecoder()
    start = page.index("[", page.index(f'"figure-{number}"', page.index("Plotly.newPlot(")))
    traces, end = decoder.raw_decode(page, start)
    layout, _ = decoder.raw_decode(page, page.index("{", end))
    return traces, layout


def values(stored: dict[str, str] | list[object]) -> Sequence[object] | np.ndarray:
    """Return an array that Plotly stored as a list, or as bytes with their type."""
    if isinstance(stored, dict):
        return np.frombuffer(base64.b64decode(stored["bdata"]), stored["dtype"])
    return stored


def finish(figure: Figure, axes: Sequence[Axes], picture: Path) -> None:
    """Give the axes of a figure one look, and save it."""
    for axis in axes:
        axis.grid(color=GRID)
        axis.spines[:].set_visible(False)
    figure.tight_layout()
    figure.savefig(picture)
    plt.close(figure)
    shrink(picture)


def simulation(report: Path, picture: Path, measured: Measured | None = None) -> None:
    """Draw the curves and the hypsometry of a simulation's report, with what was measured."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 6.6), dpi=90)
    curves, layout = plotly_figure(report)
    for number, (axis, trace) in enumerate(zip(axes[0], curves[:2], strict=True), 1):
        axis.plot(values(trace["x"]), values(trace["y"]), color="#1f5a94", marker=".", label="run")
        axis.set_ylabel(layout[f"yaxis{number if number > 1 else ''}"]["title"]["text"])
        axis.set_ylim(bottom=0)
        if measured is not None:
            axis.plot(measured[0], measured[number], "D", color="#d1661f", label="measured")
            axis.legend(frameon=False)
    stairs, layout = plotly_figure(report, 2)
    for number, trace in enumerate(stairs):
        axis = axes[1][number % 2]
        look = {"color": trace["line"]["color"], "label": trace["name"]}
        axis.plot(values(trace["x"]), values(trace["y"]), **look)
        axis.set_xlabel(layout["xaxis2" if number % 2 else "xaxis"]["title"]["text"])
    axes[1][0].set_ylabel(layout["yaxis"]["title"]["text"])
    axes[1][0].legend(frameon=False)
    finish(figure, axes.flat, picture)
