"""A review of two small echograms of one segment, with layers whose places are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.radar.echogram.lines import LayerLine, lines_frame
from glacier_qgis.models.radar.echogram.raster import create_echogram
from glacier_qgis.models.review.jobs.prepare import PrepareReview
from kit.engine.jobs import run_listened
from kit.engine.listener import Listener
from kit.radar.frames import axes_of

TRACES, SAMPLES = 300, 120
FRAMES = ("20120507_07_004", "20120507_07_005")
LAYERS = {1: 10.0, 2: 110.0, 3: 40.0, 4: 60.0, 5: 80.0}
"""Sample of each layer at the first trace: 1 is the surface, 2 the bed."""
KINDS = {1: "surface", 2: "bed"}


def row(number: int, trace: np.ndarray) -> np.ndarray:
    """Return the sample of a layer at traces: all sink by a sample in 50 traces."""
    return LAYERS[number] + trace / 50


def echo(seed: int) -> np.ndarray:
    """Return noise with a bright echo at each layer, dB."""
    power = np.random.default_rng(seed).normal(-90, 2, (SAMPLES, TRACES)).astype(np.float32)
    at = np.arange(TRACES)
    for number in LAYERS:
        for offset, more in ((-1, 8), (0, 14), (1, 8)):
            power[np.rint(row(number, at)).astype(int) + offset, at] += more
    return power


def line(
    frame: str, number: int, first: int = 0, last: int = TRACES - 1, **more: object
) -> LayerLine:
    """Return a layer from a trace to another one, with a confidence of 0.9."""
    trace = np.arange(first, last + 1, dtype=float)
    known = LayerLine(
        frame_id=frame,
        layer_id=number,
        trace=trace,
        sample=row(number, trace),
        kind=KINDS.get(number, "layer"),
        confidence=0.9,
        uncertainty_m=0.3,
    )
    return replace(known, **more)


def traced() -> list[LayerLine]:
    """Return all layers; the third of the second frame ends at trace 230."""
    whole = [line(frame, number) for frame in FRAMES for number in LAYERS]
    return [*(each for each in whole if (each.frame_id, each.layer_id) != (FRAMES[1], 3)),
            line(FRAMES[1], 3, last=230)]  # fmt: skip


def write_frames(folder: Path, **changes: object) -> list[RasterInput]:
    """Write both echograms."""
    sources = []
    for place, name in enumerate(FRAMES):
        path = folder / f"{name}.tif"
        start = {"latitude": 70 + 0.0002 * (place * TRACES + np.arange(TRACES))}
        axes = axes_of(TRACES, SAMPLES, frame_id=name, **(start | changes))
        with create_echogram(path, axes, {}) as target:
            target.write(0, echo(place))
        sources.append(RasterInput(path=str(path)))
    return sources


def write_traced(path: Path, lines: list[LayerLine], model_hash: str = "0123abcd") -> VectorInput:
    """Write lines as 'Trace layers' does."""
    frame = lines_frame(lines).assign(model="radar_layers 1.0.0", model_hash=model_hash)
    frame.to_file(path, layer="layers")
    return VectorInput(path=str(path))


def prepared(folder: Path, **parameters: object) -> tuple[Path, Result, Listener]:
    """Make a review; return its path, the job's result and what it reported."""
    asked = {
        "scenes": write_frames(folder),
        "input": write_traced(folder / "layers.gpkg", traced()),
        "stretch": 100,
        "output": folder / "review.gpkg",
    }
    result, listener = run_listened(PrepareReview.model_validate(asked | parameters))
    return folder / "review.gpkg", result, listener
