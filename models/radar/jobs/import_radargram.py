"""The job `importradargram`: an echogram that QGIS shows, and its place on the map."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator, Field

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.job import Destination, Job, VectorInput, blank_is_none
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.radar.echogram.axes import ICE_PERMITTIVITY, Axes
from glacier_qgis.models.radar.echogram.lines import LayerLine, lines_frame
from glacier_qgis.models.radar.echogram.raster import create_echogram
from glacier_qgis.models.radar.formats import cresis
from glacier_qgis.models.radar.formats.layer_file import SURFACE, LayerFile, read_layer_file
from glacier_qgis.models.radar.formats.opening import open_radargram
from glacier_qgis.models.radar.formats.radargram import Floats, Radargram, frame_and_segment
from glacier_qgis.models.radar.jobs.depth import FASTEST, SLOWEST, permittivity_of
from glacier_qgis.models.radar.reading.calibration import Calibration, place_of, time_axis
from glacier_qgis.models.radar.reading.checks import filled_surface, warn_of_times
from glacier_qgis.models.radar.reading.placing import Neighbours, lines_of_file, lines_of_pick
from glacier_qgis.models.radar.reading.track import track_crs, track_lines, track_points
from glacier_qgis.models.radar.reading.values import Wanted, levelled, values_of, write_values
from glacier_qgis.models.raster.crs import read_crs
from glacier_qgis.models.vector.sink import write_layer

SourceFile = Annotated[Path | None, BeforeValidator(blank_is_none), Field(default=None)]
NS = 1e-9


class ImportRadargram(Job):
    """Write a radargram as an echogram with axes, its ground track and its picks."""

    input: Path
    layers: SourceFile
    frame_id: str = ""
    channel: int = Field(default=1, ge=1, le=8)
    values: Wanted = "automatic"
    sample_interval: float | None = Field(default=None, ge=1e-6, le=1e5)
    trace_spacing: float | None = Field(default=None, ge=1e-6, le=1e5)
    positions: VectorInput | None = None
    coordinates_crs: str | None = None
    permittivity: float = Field(default=ICE_PERMITTIVITY, ge=1, le=81)
    velocity: float | None = Field(default=None, ge=SLOWEST, le=FASTEST)
    firn_correction: float = Field(default=0.0, ge=0, le=100)
    level_surface: bool = False
    track_crs: str | None = None
    output: Destination
    track: Destination
    points: Destination
    picks: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Read the axes, then write the values block by block."""
        if self.output is None:
            raise EngineError("OUTPUT is missing: choose where to write the echogram.")
        shown = f"INPUT: {self.input.name}"
        with open_radargram(self.input, "INPUT", self.channel) as radargram:
            for doubt in radargram.doubts:
                reporter.warning(doubt)
            layers = read_layer_file(self.layers, "LAYERS") if self.layers else None
            axes = self._axes(radargram, layers, shown, reporter)
            reporter.log(
                f"{radargram.format}: frame {axes.frame_id}, {axes.traces} traces of "
                f"{axes.samples} samples."
            )
            lines = self._lines(radargram, layers, axes, reporter)
            tags = provenance(self) | {"SOURCE": self.input.name}
            with create_echogram(outputs.stage(self.output), axes, tags) as target:
                contrast = write_values(radargram, target, shown, Stage(reporter, 0.05, 0.9))
        return {
            "OUTPUT": str(self.output),
            **self._on_map(axes, outputs),
            "PICKS": self._picks(lines, outputs, reporter),
            "TRACES": axes.traces,
            "SAMPLES": axes.samples,
            "LENGTH_KM": _length(axes.distance),
            "HOLDS": axes.values,
            "CONTRAST": list(contrast),
        }

    def _axes(
        self, radargram: Radargram, layers: LayerFile | None, shown: str, reporter: Reporter
    ) -> Axes:
        calibration = Calibration(
            sample_interval=None if self.sample_interval is None else NS * self.sample_interval,
            trace_spacing=self.trace_spacing,
            positions=self.positions,
            crs=self.coordinates_crs,
        )
        warn_of_times(radargram.gps_time, shown, reporter)
        frame, segment = frame_and_segment(self.input)
        place = place_of(radargram, calibration, shown, reporter)
        axes = Axes(
            frame_id=self.frame_id.strip() or frame,
            segment_id=segment,
            values=values_of(radargram.recorded, self.values),
            time=time_axis(radargram, calibration, shown),
            traces=radargram.traces,
            gps_time=radargram.gps_time,
            longitude=place.longitude,
            latitude=place.latitude,
            elevation=radargram.elevation,
            distance=place.distance,
            surface_time=filled_surface(radargram.surface_time),
            permittivity=permittivity_of(self.permittivity, self.velocity),
            firn_correction=self.firn_correction,
            source={"file": self.input.name, "format": radargram.format},
        )
        surface = _surface(layers, axes, reporter)
        if surface is not None:
            axes = axes.with_surface(surface)
        if axes.surface_time is None and radargram.format == cresis.FORMAT:
            reporter.warning(
                f"{shown} has no surface: depth counts from time 0, the antenna. Choose its layer "
                "file as LAYERS."
            )
        return levelled(axes) if self.level_surface else axes

    def _lines(
        self, radargram: Radargram, layers: LayerFile | None, axes: Axes, reporter: Reporter
    ) -> list[LayerLine]:
        """Return the picks of both files; a layer of the layer file replaces that of its id."""
        added = [] if layers is None else lines_of_file(layers, axes, "LAYERS", reporter)
        replaced = {line.layer_id for line in added}
        own = [pick for pick in radargram.picks if pick.layer_id not in replaced]
        return [line for pick in own for line in lines_of_pick(pick, axes)] + added

    def _on_map(self, axes: Axes, outputs: Outputs) -> Result:
        if not axes.has_positions:
            return {"TRACK": None, "POINTS": None}
        crs = read_crs(self.track_crs, "TRACK_CRS") if self.track_crs else track_crs(axes)
        if self.track:
            frame = track_lines(axes, crs)
            write_layer(frame, outputs.stage(self.track), "track", "MultiLineString")
        if self.points:
            write_layer(track_points(axes, crs), outputs.stage(self.points), "traces", "Point")
        return {
            "TRACK": str(self.track) if self.track else None,
            "POINTS": str(self.points) if self.points else None,
        }

    def _picks(self, lines: list[LayerLine], outputs: Outputs, reporter: Reporter) -> str | None:
        if not self.picks:
            return None
        if not lines:
            reporter.log("The file has no picks: the layer of lines is empty, ready to draw in.")
        write_layer(lines_frame(lines), outputs.stage(self.picks), "layers", "LineString")
        return str(self.picks)


def _surface(layers: LayerFile | None, axes: Axes, reporter: Reporter) -> Floats | None:
    """Return the surface of a layer file at the traces, if it has one."""
    if layers is None or SURFACE not in layers.ids:
        return None
    row = int(np.flatnonzero(layers.ids == SURFACE)[0])
    placed = Neighbours.of(layers.gps_time, axes, "LAYERS", reporter)
    return filled_surface(placed.interpolate(layers.time[row]))


def _length(distance: Floats | None) -> float | None:
    length = math.nan if distance is None else float(distance[-1]) / 1000
    return length if math.isfinite(length) else None
