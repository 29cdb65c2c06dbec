"""The job `terminuschange`: terminus change along a centreline or in a box."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Annotated, Literal, Self

import geopandas as gpd
import pandas as pd
from pydantic import Field, model_validator
from pyproj import CRS

from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, Job, VectorInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.fronts.change.flow_direction import seaward
from glacier_qgis.models.fronts.change.positions import (
    Series,
    dated_fronts,
    every_series,
    unflagged,
)
from glacier_qgis.models.fronts.change.references import (
    Reference,
    centreline_gauges,
    curvilinear_gauges,
    rectilinear_gauges,
)
from glacier_qgis.models.fronts.change.report import write_report
from glacier_qgis.models.raster.metric import centre
from glacier_qgis.models.vector.local_crs import lines_in
from glacier_qgis.models.vector.sink import write_layer
from glacier_qgis.models.vector.source import read_lines


class TerminusChange(Job):
    """Advance and retreat of dated terminus lines."""

    termini: VectorInput
    method: Literal["centreline", "rectilinear box", "curvilinear box"] = "centreline"
    centerline: VectorInput | None = None
    box: VectorInput | None = None
    box_width: Annotated[float, Field(ge=0.001, le=1e6)] = 1000.0
    date_field: str = "date"
    flagged: bool = False
    output: Destination
    report: Destination

    @model_validator(mode="after")
    def _has_what_the_method_needs(self) -> Self:
        if self.method == "rectilinear box" and self.box is None:
            raise ValueError(
                "METHOD 'rectilinear box' needs BOX: give a polygon over the terminus, narrower "
                "than the front and with its sides along the flow"
            )
        if self.method != "rectilinear box" and self.centerline is None:
            raise ValueError(
                f"METHOD {self.method!r} needs CENTERLINE: give a line from the glacier to the sea"
            )
        return self

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Measure, write the table and, if requested, the report."""
        layer = read_lines(self.termini, "TERMINI")
        centre(layer)  # refuses coordinates outside the area of its CRS
        lines = layer.frame if self.flagged else unflagged(layer.frame, reporter)
        fronts = dated_fronts(lines, self.date_field, reporter)
        fronts_in = cache(partial(lines_in, fronts))
        references = self._references(fronts_in, layer.crs, reporter)
        series = every_series(references, fronts_in, reporter)
        table = pd.concat([one.table for one in series], ignore_index=True)
        if self.output:
            write_layer(table, outputs.stage(self.output), "terminus_change")
        if self.report:
            systems = sorted({reference.crs.name for reference in references})
            facts = {"CRS": ", ".join(systems)} | provenance(self)
            write_report(outputs.stage(self.report), self.method, series, facts)
        reporter.progress(1, "Measured")
        for one in series:
            reporter.log(change_in_words(one))
        return {
            "OUTPUT": str(self.output) if self.output else None,
            "REPORT": str(self.report) if self.report else None,
            "MEASURED": int(table.position_m.notna().sum()),
            "NOT_MEASURED": int(table.position_m.isna().sum()),
            "LEFT_OUT": len(layer.frame) - len(lines),
            "GLACIERS": len(series),
            **(_numbers(series[0]) if len(series) == 1 else {}),
        }

    def _references(
        self, fronts_in: Callable[[CRS], gpd.GeoDataFrame], preferred: CRS, reporter: Reporter
    ) -> list[Reference]:
        if self.method == "rectilinear box" and self.box:
            return rectilinear_gauges(
                self.box,
                self.centerline,
                lambda box, crs: seaward(fronts_in(crs), box, reporter),
                preferred,
            )
        if self.method == "curvilinear box" and self.centerline:
            return curvilinear_gauges(self.centerline, self.box_width, preferred)
        if self.centerline:
            return centreline_gauges(self.centerline, preferred)
        raise AssertionError


def change_in_words(series: Series) -> str:
    """Return the change of a front, its time span and its rate."""
    measured, trend = series.measured, series.trend
    name = f"{series.glacier}: " if series.glacier else ""
    if len(measured) < 2 or trend is None:
        return f"{name}{len(measured)} position{'s' * (len(measured) != 1)} measured."
    moved = float(measured.distance_m.iloc[-1])
    first, last = measured.date.iloc[0], measured.date.iloc[-1]
    error = f" ± {trend.error_m_a:.0f}" if math.isfinite(trend.error_m_a) else ""
    return (
        f"{name}{'advance' if moved > 0 else 'retreat'} of {abs(moved):.0f} m from "
        f"{first:%Y-%m-%d} to {last:%Y-%m-%d} ({len(measured)} positions), "
        f"{trend.rate_m_a:+.0f}{error} m/a."
    )


def _numbers(series: Series) -> Result:
    """Return the change from the first to the last date, and the mean rate."""
    last, trend = series.measured.iloc[-1], series.trend
    values = {
        "CHANGE": last.distance_m,
        "AREA_CHANGE": last.area_km2,
        "RATE": trend.rate_m_a if trend else math.nan,
        "RATE_ERROR": trend.error_m_a if trend else math.nan,
    }
    return {name: float(value) if math.isfinite(value) else None for name, value in values.items()}
