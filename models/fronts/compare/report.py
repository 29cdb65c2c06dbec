"""The report of `comparetermini`: distances, images, groups, coverage of the uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from glacier_qgis.models.fronts.compare.images import Image
from glacier_qgis.models.fronts.termini.calibration import LEVEL, reliability
from glacier_qgis.models.fronts.termini.metrics import FrontError, mean_distance_error
from glacier_qgis.models.report.page import HtmlPage
from glacier_qgis.models.report.theme import BLUE, GREY, ORANGE

COVERAGE_AT = (0.5, 1.0, 1.5, 2.0, 3.0)
"""Multiples of the stated uncertainty for which the coverage is given."""


def write_report(
    path: Path,
    error: FrontError,
    images: Sequence[Image],
    table: pd.DataFrame,
    facts: Mapping[str, str],
) -> None:
    """Write the report.

    Args:
        path: Where to.
        error: Over all images.
        images: The compared images.
        table: One row per image.
        facts: Parameters and provenance, by name.
    """
    page = HtmlPage(
        "Comparison of terminus lines",
        "Mean distance error as in the CaFFe benchmark (Gourmelon et al. 2022, "
        "doi:10.5194/essd-14-4287-2022): distances from every predicted point to the reference "
        "front and from every reference point to the predicted front, averaged over all points of "
        "all images. Images without a predicted front count as missed; averages do not include "
        "them.",
    )
    page.table([{"": "All images", **_row(error)}], "Errors over all images.")
    pooled = np.concatenate([image.distances for image in images])
    if pooled.size:
        page.figure(_histogram(pooled, error), "All distances in both directions, pooled.")
    _break_down(page, images)
    _uncertainty(page, np.concatenate([image.uncertain for image in images]))
    page.heading("Images")
    page.table(_worst_first(table), "All images, the worst first.")
    page.heading("Parameters and provenance")
    page.facts(facts)
    page.write(path)


def coverage(uncertain: NDArray[np.float64]) -> list[dict[str, object]]:
    """Count how often the true errors are within multiples of the stated uncertainty.

    Args:
        uncertain: Errors and uncertainties, m, shape (points, 2).
    """
    errors, stated = uncertain.T
    return [
        {"Within": f"{factor:g} × stated", "Share of points (%)": 100 * np.mean(within)}
        for factor in COVERAGE_AT
        for within in [errors <= factor * stated]
    ]


def _row(error: FrontError) -> dict[str, object]:
    return {
        "Mean distance error (m)": error.mean_m,
        "Median over images (m)": error.median_m,
        "Images": error.images,
        "Missed": error.missed,
    }


def _break_down(page: HtmlPage, images: Sequence[Image]) -> None:
    judged = [image for image in images if image.reference]
    for name in judged[0].groups:
        values = sorted({image.groups[name] for image in judged})
        if len(values) < 2:
            continue
        page.table(
            [
                {
                    name.capitalize(): value or "not stated",
                    **_row(
                        mean_distance_error(
                            [image.distances for image in judged if image.groups[name] == value]
                        )
                    ),
                }
                for value in values
            ],
            f"Errors by {name}.",
        )


def _uncertainty(page: HtmlPage, uncertain: NDArray[np.float64]) -> None:
    if not uncertain.size:
        return
    page.heading("Stated uncertainty")
    page.paragraph(
        "Distance of predicted points to the reference, compared with the stated uncertainty, "
        f"which should cover {LEVEL:.0%} of the points. Pieces of front that are entirely missed "
        "or false are not covered."
    )
    page.table(
        coverage(uncertain), ("Share of points whose true error is within the stated uncertainty.")
    )
    found = reliability(uncertain[:, 1], uncertain[:, 0])
    figure = go.Figure()
    figure.add_hline(100 * LEVEL, line_dash="dash", line_color=GREY, annotation_text="as stated")
    figure.add_scatter(
        x=found.uncertainty_m,
        y=100 * found.covered,
        mode="markers+lines",
        marker={"size": 8, "color": BLUE},
    )
    figure.update_xaxes(title_text="Stated uncertainty (m)", rangemode="tozero")
    figure.update_yaxes(title_text="Points within it (%)", range=[0, 104])
    _lay_out(figure)
    page.figure(
        figure, ("Reliability by stated uncertainty, in classes with the same number of points.")
    )


def _histogram(distances: NDArray[np.float64], error: FrontError) -> go.Figure:
    limit = float(np.percentile(distances, 99))
    edges = np.histogram_bin_edges(distances, 60, (0.0, max(limit, 1.0)))
    counts, _ = np.histogram(np.minimum(distances, edges[-1]), edges)
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=100 * counts / distances.size,
            width=np.diff(edges),
            marker={"color": BLUE, "line": {"width": 0}},
        )
    )
    figure.add_vline(error.mean_m, line_color=ORANGE, annotation_text=f"mean {error.mean_m:.0f} m")
    figure.update_xaxes(title_text="Distance (m); the last bar includes all larger ones")
    figure.update_yaxes(title_text="Share of distances (%)")
    _lay_out(figure)
    return figure


def _lay_out(figure: go.Figure) -> None:
    figure.update_layout(height=420, template="plotly_white", margin={"t": 20, "r": 10})


def _worst_first(table: pd.DataFrame) -> list[dict[str, object]]:
    """Missed fronts, then found ones by mean distance, then those without a reference."""
    order = table.assign(
        _place=table["status"].map({"missed": 0, "found": 1, "no reference": 2}),
    ).sort_values(["_place", "mean_m"], ascending=[True, False], kind="stable")
    shown = [name for name in table if table[name].replace("", np.nan).notna().any()]
    return [
        {str(name): value for name, value in row.items()} for row in order[shown].to_dict("records")
    ]
