"""The job `exportlayers`: layer lines of echograms as depths and accumulation on the map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import geopandas as gpd
import pandas as pd
from pydantic import Field
from pyproj import CRS

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, Job, RasterInput, VectorInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.lines import LayerLine, read_lines_of
from glacier_qgis.models.radar.echogram.raster import Echogram, open_echogram
from glacier_qgis.models.radar.exporting.accumulation import ICE_DENSITY, Density
from glacier_qgis.models.radar.exporting.frame_layers import FrameLayers
from glacier_qgis.models.radar.exporting.impdar_file import write_impdar
from glacier_qgis.models.radar.exporting.tables import layer_lines, layer_points, measure
from glacier_qgis.models.radar.formats.layer_file import write_layer_file
from glacier_qgis.models.radar.jobs.depth import FASTEST, SLOWEST, depth_of
from glacier_qgis.models.radar.reading.track import track_crs
from glacier_qgis.models.raster.crs import read_crs
from glacier_qgis.models.vector.sink import write_layer


class ExportLayers(Job):
    """Write layer lines as points and lines on the map, as a table, and as others' files."""

    input: list[RasterInput] = Field(min_length=1)
    lines: VectorInput
    permittivity: float | None = Field(default=None, ge=1, le=81)
    velocity: float | None = Field(default=None, ge=SLOWEST, le=FASTEST)
    firn_correction: float | None = Field(default=None, ge=0, le=100)
    surface_density: float = Field(default=ICE_DENSITY, ge=1, le=ICE_DENSITY)
    density_length: float = Field(default=30.0, ge=0.1, le=1000)
    track_crs: str | None = None
    output: Destination
    layer_lines: Destination
    csv: Destination
    opr_folder: Destination
    impdar_folder: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Measure each frame and write the outputs that were asked for."""
        with ExitStack() as stack:
            echograms = [stack.enter_context(open_echogram(each)) for each in self.input]
            _check_frames([each.axes for each in echograms], reporter)
            lines = read_lines_of(self.lines, "LINES", [each.axes.frame_id for each in echograms])
            frames = list(self._frames(echograms, lines, reporter))
            if self.opr_folder:
                _write_layer_files(outputs.stage_folder(self.opr_folder), frames)
            if self.impdar_folder:
                folder = outputs.stage_folder(self.impdar_folder)
                for echogram, frame in zip(echograms, frames, strict=True):
                    write_impdar(folder / f"{frame.axes.frame_id}_picks.mat", echogram, frame)
        points = self._points(frames, reporter)
        self._write_tables(points, outputs, reporter)
        names = ("output", "layer_lines", "csv", "opr_folder", "impdar_folder")
        written = {name.upper(): getattr(self, name) for name in names}
        rates = points["accumulation"]
        return {
            **{name: str(path) if path else None for name, path in written.items()},
            "LAYERS": int(points["layer_id"].nunique()),
            "PICKS": len(points),
            "MEAN_ACCUMULATION": float(rates.mean()) if rates.notna().any() else None,
        }

    def _frames(
        self, echograms: Sequence[Echogram], lines: Sequence[LayerLine], reporter: Reporter
    ) -> Iterator[FrameLayers]:
        for number, echogram in enumerate(echograms, 1):
            axes = depth_of(echogram.axes, self.permittivity, self.velocity, self.firn_correction)
            frame = FrameLayers.of(axes, lines, reporter)
            if not frame.layers:
                reporter.warning(f"{axes.frame_id} has no layer lines, and was left out.")
            yield frame
            reporter.progress(0.5 * number / len(echograms), "Reading the layers")

    def _points(self, frames: Sequence[FrameLayers], reporter: Reporter) -> gpd.GeoDataFrame:
        density = Density(self.surface_density, self.density_length)
        crs = self._crs(frames)
        traced = [frame for frame in frames if frame.layers]
        parts = [layer_points(frame, measure(frame, density, reporter), crs) for frame in traced]
        return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=crs)

    def _crs(self, frames: Sequence[FrameLayers]) -> CRS:
        if self.track_crs:
            return read_crs(self.track_crs, "TRACK_CRS")
        placed = next((frame.axes for frame in frames if frame.axes.has_positions), None)
        return track_crs(placed) if placed else CRS.from_epsg(4326)

    def _write_tables(self, points: gpd.GeoDataFrame, outputs: Outputs, reporter: Reporter) -> None:
        placed = points[points["longitude"].notna()].reset_index(drop=True)
        if len(placed) < len(points):
            reporter.warning(
                f"{len(points) - len(placed)} of {len(points)} picks have no position: they are in "
                "the table, and not on the map."
            )
        if self.output:
            write_layer(placed, outputs.stage(self.output), "layer_points", "Point")
        if self.layer_lines:
            path = outputs.stage(self.layer_lines)
            write_layer(layer_lines(placed), path, "layer_lines", "LineString")
        if self.csv:
            table = pd.DataFrame(points.drop(columns="geometry"))
            table.to_csv(outputs.stage(self.csv), index=False, lineterminator="\n")


def _write_layer_files(folder: Path, frames: Sequence[FrameLayers]) -> None:
    for frame in frames:
        if frame.axes.gps_time is None:
            raise EngineError(
                f"OPR_FOLDER: {frame.axes.frame_id} has no GPS times, by which layer files of Open "
                "Polar Radar are read. Leave this output out."
            )
        write_layer_file(folder / f"Data_{frame.axes.frame_id}.mat", frame.layer_file())


def _check_frames(axes: Sequence[Axes], reporter: Reporter) -> None:
    """Refuse one frame twice; warn of other sampling within a segment.

    Raises:
        EngineError: Two echograms have one `frame_id`.
    """
    names = [each.frame_id for each in axes]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise EngineError(
            f"INPUT: two echograms have the frame_id '{twice}', so their lines cannot be "
            "distinguished. Choose one of them, or import one with another FRAME_ID."
        )
    first: dict[str, Axes] = {}
    for each in axes:
        other = first.setdefault(each.segment_id or each.frame_id, each)
        if abs(other.sample_interval / each.sample_interval - 1) > 1e-6:
            reporter.warning(
                f"{each.frame_id} has a sample each {each.sample_interval * 1e9:.4g} ns, and "
                f"{other.frame_id} of the same segment each {other.sample_interval * 1e9:.4g} ns. "
                "Each is read with its own time axis."
            )
