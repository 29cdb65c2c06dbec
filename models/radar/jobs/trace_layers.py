"""The job `tracelayers`: from echograms to one line per layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field
from rasterio.io import DatasetWriter
from rasterio.windows import Window

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.compute.device import DeviceName
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, Job, RasterInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.radar.echogram.coordinates import LOCAL_CRS, TRANSFORM
from glacier_qgis.models.radar.echogram.lines import LayerLine, lines_frame
from glacier_qgis.models.radar.echogram.raster import Echogram, open_echogram
from glacier_qgis.models.radar.layers.codes import BED, CLASS_NAMES, LAYER, SURFACE
from glacier_qgis.models.radar.layers.crossings import Run
from glacier_qgis.models.radar.layers.lines import layer_lines
from glacier_qgis.models.radar.layers.model import DEFAULT, LayerModel
from glacier_qgis.models.radar.layers.peaks import LEAST
from glacier_qgis.models.radar.layers.power import decibels
from glacier_qgis.models.radar.layers.predict import CHANNELS, Strip
from glacier_qgis.models.radar.layers.segments import runs
from glacier_qgis.models.radar.layers.trace import Segment
from glacier_qgis.models.radar.layers.tracker import Tracking
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.sink import create_raster
from glacier_qgis.models.vector.sink import write_layer

SHOWN = (SURFACE, BED, LAYER)
"""Bands of the probabilities."""


class TraceLayers(Job):
    """Trace surface, bed and layers in the echograms of one or several tracks."""

    input: Annotated[list[RasterInput], Field(min_length=1)]
    model: str = DEFAULT
    average: Annotated[int, Field(ge=1, le=8)] = 1
    min_probability: Annotated[float, Field(ge=0.02, le=0.98)] = LEAST
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.4
    max_gap: Annotated[int, Field(ge=0, le=10_000)] = 30
    min_length: Annotated[int, Field(ge=2, le=1_000_000)] = 20
    window: Annotated[float, Field(ge=0.5, le=50)] = 2.5
    device: DeviceName = "automatic"
    output: Path
    probability: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Write the lines and, if requested, the probabilities."""
        if self.probability and len(self.input) > 1:
            raise EngineError(
                f"PROBABILITY is written for one echogram, and there are {len(self.input)}. Leave "
                "it blank, or choose one echogram."
            )
        output = outputs.stage(self.output)
        model = LayerModel.load(self.model, self.device)
        tags = provenance(self) | model.card.provenance
        with ExitStack() as stack:
            frames = [stack.enter_context(open_echogram(source)) for source in self.input]
            _check_frames(frames)
            target = None
            if self.probability:
                path = outputs.stage(self.probability)
                tags |= {"FRAME_ID": frames[0].axes.frame_id}
                target = stack.enter_context(_probabilities(path, frames[0], tags))
            tracks = self._traced(frames, model, target, reporter)
        lines = list(layer_lines(tracks, self.window, model.uncertainty))
        card = model.card
        frame = lines_frame(lines).assign(
            model=f"{card.name} {card.version}", model_hash=card.weights.sha256
        )
        write_layer(frame, output, "layers", "LineString")
        return self._result(lines, tracks, reporter)

    def _traced(
        self,
        frames: list[Echogram],
        model: LayerModel,
        target: DatasetWriter | None,
        reporter: Reporter,
    ) -> list[Run]:
        """Trace all frames, run by run."""
        axes = [frame.axes for frame in frames]
        options = Tracking(self.window, self.max_gap, self.min_length, self.min_confidence)
        total, done, tracks = sum(frame.traces for frame in frames), 0, []
        for run in runs(axes):
            segment = Segment(options, self.min_probability)
            for index in run:
                strips = _strips(frames[index], model, self.average, target)
                segment.add(axes[index], _told(strips, done, total, reporter))
                done += frames[index].traces
            segment.finish()
            tracks.append(Run([axes[index] for index in run], segment))
        return tracks

    def _result(self, lines: list[LayerLine], tracks: list[Run], reporter: Reporter) -> Result:
        layers = {line.layer_id for line in lines if line.kind == "layer"}
        found = {line.kind for line in lines}
        missing = [kind for kind in ("surface", "bed") if kind not in found]
        reporter.log(
            f"Traced {len(layers)} layers in {len(self.input)} echogram(s)"
            f"{'; not found: ' + ' and '.join(missing) if missing else ', surface and bed'}."
        )
        left_out = sum(len(track.segment.multiples) for track in tracks)
        if left_out:
            reporter.log(
                f"{left_out} line(s) at twice the travel time of the surface were left out as its "
                "multiples."
            )
        if not lines:
            reporter.warning(
                f"No line has a confidence of {self.min_confidence:g} over {self.min_length} "
                "traces. Lower MIN_CONFIDENCE, MIN_PROBABILITY or MIN_LENGTH, or train a model on "
                "such echograms."
            )
        return {
            "OUTPUT": str(self.output),
            "PROBABILITY": str(self.probability) if self.probability else None,
            "LAYERS": len(layers),
        }


def _check_frames(frames: list[Echogram]) -> None:
    """Make sure that lines can be distinguished by their frame.

    Raises:
        EngineError: Two echograms have the same id.
    """
    names = [frame.axes.frame_id for frame in frames]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise EngineError(
            f"INPUT: {len(names)} echograms, but {', '.join(twice)} is there twice. Choose each "
            "frame once, or import them with different FRAME_IDs."
        )


def _strips(
    frame: Echogram, model: LayerModel, average: int, target: DatasetWriter | None
) -> Iterator[Strip]:
    """Predict a frame strip by strip; store what is asked for."""

    def read(first: int, last: int) -> Float32Array:
        return decibels(frame.read(first, last), frame.axes.values)

    for strip in model.network.strips(read, frame.samples, frame.traces, average):
        if target is not None:
            window = Window(strip.first, 0, strip.step.shape[1], frame.samples)
            shown = strip.probability[[CHANNELS.index(code) for code in SHOWN]]
            target.write(shown, window=window)
        yield strip


def _told(strips: Iterator[Strip], done: int, total: int, reporter: Reporter) -> Iterator[Strip]:
    """Report progress while strips go by."""
    for strip in strips:
        yield strip
        reporter.progress((done + strip.first + strip.step.shape[1]) / total, "Tracing layers")


def _probabilities(
    path: Path, frame: Echogram, tags: dict[str, str]
) -> AbstractContextManager[DatasetWriter]:
    grid = Grid(LOCAL_CRS, TRANSFORM, frame.samples, frame.traces)
    bands = [CLASS_NAMES[code] for code in SHOWN]
    return create_raster(path, grid, dtype="float32", nodata=np.nan, bands=bands, tags=tags)
