"""The report of `terminuschange`: positions against time, fronts on a map, tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import shapely
from plotly.colors import sample_colorscale

from glacier_qgis.models.fronts.change.positions import NOT_MEASURED, Series, decimal_years
from glacier_qgis.models.report.page import HtmlPage
from glacier_qgis.models.report.theme import BLUE, GREY, ORANGE
from glacier_qgis.models.vector.lines import line_parts

METHODS = {
    "centreline": "Distance along the centreline to the point where the front crosses it; of "
    "several crossings, the one furthest seaward (Moon and Joughin 2008, "
    "doi:10.1029/2007JF000927).",
    "rectilinear box": "Area of the glacier in a box, divided by the width of the box (Moon and "
    "Joughin 2008, doi:10.1029/2007JF000927).",
    "curvilinear box": "Area of the glacier in a box that follows the centreline, divided by the "
    "width of the box (Lea, Mair and Rea 2014, doi:10.3189/2014JoG13J061).",
}
MAP_PIXELS = 1500
"""The map is simplified to its extent divided by this."""

TREND_TIMES = 400
"""Number of times at which a fitted curve is drawn."""


def write_report(
    path: Path, method: str, series: Sequence[Series], facts: Mapping[str, str]
) -> None:
    """Write the report.

    Args:
        path: Where to.
        method: One of `METHODS`.
        series: One per glacier.
        facts: Parameters and provenance, by name.
    """
    page = HtmlPage("Terminus change", METHODS[method])
    page.table([_summary(one) for one in series], "Change of the terminus; advance is positive.")
    page.paragraph(
        "The rate is the slope of a least-squares line through all positions, fitted together "
        "with a seasonal cycle if the dates cover the year well enough. Its standard error is the "
        "larger of the estimates from the scatter about the fit and from the uncertainties of the "
        "lines; positions are assumed to be independent."
    )
    for one in series:
        name = one.glacier or "The terminus"
        page.heading(name)
        page.figure(_curve(one), f"{name}: distance from the first front; bars show uncertainty.")
        page.figure(_map(one), f"{name}: fronts by date, with the centreline or box.")
        page.table(_rows(one.table), f"{name}: every front.")
    page.heading("Parameters and provenance")
    page.facts(facts)
    page.write(path)


def _summary(series: Series) -> dict[str, object]:
    first, last = series.measured.iloc[0], series.measured.iloc[-1]
    trend = series.trend
    return {
        "Glacier": series.glacier or "–",
        "First": first.date,
        "Last": last.date,
        "Fronts": len(series.measured),
        "Not measured": len(series.table) - len(series.measured),
        "Change (m)": last.distance_m,
        "Area change (km²)": last.area_km2,
        "Rate (m/a)": trend.rate_m_a if trend else math.nan,
        "± (m/a)": trend.error_m_a if trend else math.nan,
        "Seasonal amplitude (m)": trend.amplitude_m if trend else math.nan,
    }


def _rows(table: pd.DataFrame) -> list[dict[str, object]]:
    columns = {
        "date": "Date",
        "image_id": "Image",
        "distance_m": "Distance (m)",
        "uncertainty_m": "± (m)",
        "change_m": "Change (m)",
        "rate_m_a": "Rate (m/a)",
        "area_km2": "Area (km²)",
        "flag": "Flag",
        "reason": "Reason",
    }
    shown = [name for name in columns if table[name].replace("", np.nan).notna().any()]
    return [
        {columns[str(name)]: value for name, value in row.items()}
        for row in table[shown].to_dict("records")
    ]


def _curve(series: Series) -> go.Figure:
    measured = series.measured
    known = measured.uncertainty_m.notna().any()
    figure = go.Figure()
    figure.add_scatter(
        x=measured.date,
        y=measured.distance_m,
        error_y={"array": measured.uncertainty_m.fillna(0), "color": GREY, "thickness": 1}
        if known
        else None,
        mode="markers+lines",
        marker={"size": 7, "color": BLUE},
        line={"color": BLUE, "width": 1, "dash": "dot"},
        text=measured.image_id,
        name="front",
        hovertemplate="%{x|%Y-%m-%d}: %{y:.0f} m<br>%{text}<extra></extra>",
    )
    if series.trend:
        dates = pd.Series(pd.date_range(measured.date.min(), measured.date.max(), TREND_TIMES))
        years = decimal_years(dates)
        rate = f"{series.trend.rate_m_a:+.0f}".replace("-", "−")
        line = {"color": ORANGE, "width": 2}
        figure.add_scatter(
            x=dates, y=series.trend.line(years), mode="lines", line=line, name=f"{rate} m/a"
        )
        if math.isfinite(series.trend.amplitude_m):
            thin = {"color": ORANGE, "width": 1, "dash": "dash"}
            figure.add_scatter(
                x=dates, y=series.trend.at(years), mode="lines", line=thin, name="with season"
            )
    absent = series.table.date[series.table.flag == NOT_MEASURED]
    if len(absent):
        figure.add_scatter(
            x=absent,
            y=[measured.distance_m.min()] * len(absent),
            mode="markers",
            marker={"symbol": "x-thin-open", "size": 8, "color": GREY},
            name="not measured",
        )
    figure.update_yaxes(title_text="Distance (m), advance positive", zeroline=True)
    figure.update_layout(height=460, template="plotly_white", margin={"t": 20, "r": 10})
    figure.update_layout(legend={"orientation": "h", "y": 1.08})
    return figure


def _map(series: Series) -> go.Figure:
    fronts = series.fronts
    west, south, east, north = fronts.total_bounds
    detail = max(east - west, north - south) / MAP_PIXELS
    figure = go.Figure()
    for geometry in _outlines(series.gauge.reach):
        figure.add_scatter(**_trace(geometry, "#1a1a1a", 2, "reference"))
    times = decimal_years(fronts.date)
    shares = (times - times.min()) / max(float(np.ptp(times)), 1e-9)
    colours = sample_colorscale("Viridis", shares)
    for date, colour, front in zip(fronts.date, colours, fronts.geometry, strict=True):
        for line in line_parts(shapely.simplify(front, detail)):
            figure.add_scatter(**_trace(line, colour, 1.5, f"{date:%Y-%m-%d}"))
    figure.add_scatter(  # carries the colour scale
        x=[None],
        y=[None],
        mode="markers",
        marker={
            "color": [times.min()],
            "colorscale": "Viridis",
            "cmin": times.min(),
            "cmax": times.max(),
            "showscale": True,
            "colorbar": {"title": "Year", "tickformat": ".1f", "len": 0.8},
        },
        hoverinfo="skip",
    )
    figure.update_yaxes(scaleanchor="x", title_text="Northing (m)", tickformat="d")
    figure.update_xaxes(title_text="Easting (m)", tickformat="d")
    figure.update_layout(height=560, template="plotly_white", showlegend=False, margin={"t": 20})
    return figure


def _outlines(reach: shapely.Geometry) -> list[shapely.LineString]:
    return line_parts(reach.exterior if isinstance(reach, shapely.Polygon) else reach)


def _trace(line: shapely.LineString, colour: str, width: float, name: str) -> dict[str, object]:
    x, y = shapely.get_coordinates(line).round(1).T
    return {
        "x": x,
        "y": y,
        "mode": "lines",
        "line": {"color": colour, "width": width},
        "name": name,
        "hoverinfo": "name",
    }
