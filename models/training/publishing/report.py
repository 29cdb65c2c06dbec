"""Reports of trainings, evaluations and range tests."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from glacier_qgis.models.report.page import HtmlPage
from glacier_qgis.models.training.fitting.loop import Epoch, best
from glacier_qgis.models.training.fitting.range_test import RangeTest
from glacier_qgis.models.training.measuring.assess import Answer
from glacier_qgis.models.training.measuring.evaluator import Measured
from glacier_qgis.models.training.measuring.pictures import draw_fronts
from glacier_qgis.models.training.measuring.totals import NAMES, Row, Totals

LAYOUT = {"template": "plotly_white", "margin": {"l": 70, "r": 20, "t": 30, "b": 50}}


def add_course(page: HtmlPage, epochs: Sequence[Epoch]) -> None:
    """Add the curves of a training."""
    chosen = best(list(epochs))
    page.heading("Course of the training")
    page.figure(
        _curves(epochs, chosen["epoch"]),
        "Loss, intersection over union of the classes, mean front distance on whole tiles, and "
        "learning rate, by epoch. The two losses may differ in level, because the training loss "
        "may have additional terms (see 'Training' below). The validation uses the averaged "
        f"weights; the dotted line is at epoch {chosen['epoch']}, whose weights were kept because "
        "their mean IoU is the highest.",
    )


def add_evaluation(page: HtmlPage, title: str, found: Measured) -> None:
    """Add the evaluation on one part of a data set.

    Args:
        page: The page.
        title: Name of the part.
        found: The results.
    """
    measured = found.figures
    page.heading(title)
    page.table(measured.class_rows(), "Scores of each class over all labelled cells.")
    page.table(
        _front_rows(measured),
        "Distances between predicted and labelled fronts in both directions. Pooled: over all "
        "points of all tiles, as in the CaFFe benchmark; the box is that of the labelled front, "
        "with a margin of 1 km on each side. Means do not include missed tiles.",
    )
    page.table(
        _confusion_rows(measured),
        "Confusion matrix: share of the cells of a labelled class (row) that were predicted as "
        "each class (column).",
    )
    page.table(measured.group_rows(), "Means over the tiles of each group.")
    _add_calibration(page, measured)
    for name, answer in found.shown.items():
        page.image(draw_fronts(answer), _example_caption(name, answer))


def _add_calibration(page: HtmlPage, measured: Totals) -> None:
    error = measured.reliability.expected_error
    if not math.isnan(error):
        page.figure(
            _reliability(measured),
            "Reliability: observed frequency of a class by its predicted probability. On the "
            "diagonal, probabilities are calibrated. Expected calibration error of the most "
            f"probable class: {error:.3f}.",
        )
    stated = measured.uncertainty
    if stated.points.sum():
        rows = [
            {"Stated uncertainty (m)": float(size), "Share within it": float(share), "Points": n}
            for size, share, n in zip(
                stated.uncertainty_m, stated.covered, stated.points.tolist(), strict=True
            )
        ]
        page.table(
            rows,
            "Share of points whose distance from the labelled front is within uncertainty_m, by "
            f"classes of uncertainty; over all points {stated.overall:.0%}. For a calibrated model "
            "it is 68 %.",
        )


def add_range_test(page: HtmlPage, test: RangeTest) -> None:
    """Add the curve of a range test."""
    figure = go.Figure(layout=LAYOUT)
    figure.add_scatter(x=test.rates, y=test.losses, mode="markers", name="a batch")
    figure.add_scatter(x=test.rates, y=test.smoothed, mode="lines", name="smoothed")
    figure.add_vline(x=test.suggested, line_dash="dot", annotation_text="suggested")
    if test.unstable is not None:
        figure.add_vline(x=test.unstable, line_dash="dash", annotation_text="unstable")
    figure.update_xaxes(type="log", title_text="Learning rate")
    figure.update_yaxes(title_text="Loss", range=_loss_range(test))
    rises = "does not rise" if test.unstable is None else f"rises from {test.unstable:.2g} on"
    page.figure(
        figure,
        "Range test (Smith 2017): loss of each batch while the learning rate increases. The "
        f"smoothed loss falls fastest at {test.steepest:.2g} and {rises}; {test.suggested:.2g} is "
        "the smaller of the first and one quarter of the second.",
    )


def _curves(epochs: Sequence[Epoch], chosen: int) -> go.Figure:
    titles = ("Loss", "IoU", "Front distance (m)", "Learning rate")
    figure = make_subplots(rows=2, cols=2, subplot_titles=titles, vertical_spacing=0.14)
    numbers = [epoch["epoch"] for epoch in epochs]

    def add(row: int, column: int, name: str, values: list[float]) -> None:
        figure.add_trace(
            go.Scatter(x=numbers, y=values, name=name, mode="lines+markers"), row=row, col=column
        )

    add(1, 1, "training loss", [epoch["loss"] for epoch in epochs])
    add(1, 1, "validation loss", [epoch["validation_loss"] for epoch in epochs])
    add(1, 2, "mean IoU", [epoch["mean_iou"] for epoch in epochs])
    for name in NAMES:
        if not math.isnan(epochs[0]["classes"][name]["recall"]):
            add(1, 2, f"IoU, {name}", [epoch["classes"][name]["iou"] for epoch in epochs])
    add(2, 1, "distance, tile", [epoch["distance_m"] for epoch in epochs])
    add(2, 1, "distance, box", [epoch["distance_box_m"] for epoch in epochs])
    add(2, 2, "rate", [epoch["rate"] for epoch in epochs])
    figure.add_vline(x=chosen, line_dash="dot", line_color="grey")
    figure.update_xaxes(title_text="Epoch", row=2)
    figure.update_yaxes(rangemode="tozero")
    return figure.update_layout(height=640, **LAYOUT)


def _front_rows(measured: Totals) -> list[Row]:
    rows: list[Row] = []
    for name, error in {"In the box": measured.box, "Whole tile": measured.whole}.items():
        rows.append(
            {
                "Fronts": name,
                "Mean, pooled (m)": error.mean_m,
                "Median over tiles (m)": error.median_m,
                "Tiles with a front": error.images,
                "Missed": error.missed,
                "Tiles with a spurious front": measured.spurious,
            }
        )
    return rows


def _confusion_rows(measured: Totals) -> list[Row]:
    total = measured.confusion.sum(axis=1)
    return [
        {
            "Labelled": name,
            **{
                predicted: float(measured.confusion[row, column] / total[row])
                for column, predicted in enumerate(NAMES)
            },
        }
        for row, name in enumerate(NAMES)
        if total[row]
    ]


def _reliability(measured: Totals) -> go.Figure:
    figure = go.Figure(layout=LAYOUT)
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": "grey"}, showlegend=False
    )
    for index, name in enumerate(NAMES):
        given, found = measured.reliability.curve(index)
        if given.size and measured.scores.cells[index]:
            figure.add_scatter(x=given, y=found, mode="lines+markers", name=name)
    figure.update_xaxes(title_text="Probability", range=[0, 1])
    figure.update_yaxes(title_text="Frequency", range=[0, 1])
    return figure.update_layout(height=420)


def _example_caption(name: str, answer: Answer) -> str:
    distances = answer.distances(answer.lines)
    found = f"{distances.mean():.0f} m apart" if distances.size else "missed"
    tile = answer.tile
    return (
        f"{name} tile: {tile.name} ({tile.group}{', ' if tile.date else ''}{tile.date}). Labelled "
        f"front blue, predicted front orange: {found}. Edge "
        f"{answer.grid.width * answer.grid.cell_size / 1000:.1f} km."
    )


def _loss_range(test: RangeTest) -> list[float]:
    """Cut off the last, diverging losses."""
    low, start = float(test.smoothed.min()), float(np.max(test.smoothed[: len(test.smoothed) // 2]))
    return [max(0.0, low - 0.2 * (start - low)), start + 0.5 * (start - low)]
