"""Stretches of echograms of a review, as a network for layers sees them, with their labels.

Only what a person reviewed is labelled: the stretch, and in it, unless every layer is drawn, the
neighbourhood of the lines that are left, and of those that were deleted as wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely
import torch
from rasterio.windows import Window
from shapely import LineString, Polygon

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.package.folder import Model
from glacier_qgis.models.radar.echogram.coordinates import rows_at
from glacier_qgis.models.radar.echogram.raster import open_echogram
from glacier_qgis.models.radar.layers.codes import NO_LAYER, UNLABELLED
from glacier_qgis.models.radar.layers.labels import NEAR, Array, Codes, labels_of
from glacier_qgis.models.radar.layers.predict import CHANNELS, LayerNetwork
from glacier_qgis.models.radar.layers.trace import BED_ID, SURFACE_ID
from glacier_qgis.models.review.tables.corrected import CorrectedScene
from glacier_qgis.models.review.tables.store import placed, read_table, read_tasks
from glacier_qgis.models.training.echograms.frames import EchogramView
from glacier_qgis.models.vector.texts import value_text
from glacier_qgis.wall.review import CORRECTIONS

MOST_KNOWN = 32
"""Stretches that nobody reviewed, at most: what they hold in memory."""
SURE = 0.8
"""Least probability of what the model before is certain of."""


@dataclass(frozen=True)
class LabelledStretch:
    """A stretch with labels.

    Attributes:
        inputs: As the network sees it, (3, rows, traces).
        codes: (rows, traces), 0 where unlabelled.
        metres: Depth of a sample, m.
    """

    inputs: npt.NDArray[np.float16] = field(repr=False)
    codes: Codes = field(repr=False)
    metres: float


def read_inputs(path: str, footprint: Polygon) -> npt.NDArray[np.float16]:
    """Return a stretch of an echogram as a network sees it, (3, rows, traces).

    Raises:
        EngineError: The echogram cannot be read.
    """
    first, _, last, _ = (round(edge) for edge in footprint.bounds)
    with open_echogram(RasterInput(path=path), "REVIEW") as echogram:
        view = EchogramView(echogram)
        window = Window(first, 0, last - first, echogram.samples)
        return view.read(window).astype(np.float16)


def corrected_stretch(scene: CorrectedScene) -> LabelledStretch:
    """Read a stretch that a person corrected, and label it.

    Raises:
        EngineError: Its echogram cannot be read.
    """
    inputs = read_inputs(scene.scene, scene.footprint)
    first = round(scene.footprint.bounds[0])
    traces = first + np.arange(inputs.shape[2], dtype=float)
    codes = codes_of(scene.lines, scene.predicted, traces, inputs.shape[1], complete=scene.complete)
    return LabelledStretch(inputs, codes, scene.cell_size_m)


def codes_of(
    lines: Sequence[LineString],
    predicted: Sequence[LineString],
    traces: Array,
    rows: int,
    *,
    complete: bool,
) -> Codes:
    """Label a stretch.

    Args:
        lines: What a person left or drew, with the number of the layer as z.
        predicted: What was traced; of lines that are gone, it is known that there is no layer.
        traces: Of the stretch.
        rows: Samples of a trace.
        complete: Whether every layer is among the lines.

    Returns:
        (rows, traces), 0 where unlabelled.
    """
    numbers = [int(shapely.get_coordinates(line, include_z=True)[0, 2]) for line in lines]
    single = dict.fromkeys((SURFACE_ID, BED_ID), np.full(traces.size, np.nan))
    layers = []
    for number, row in zip(numbers, rows_at(lines, traces), strict=True):
        if number in single:
            single[number] = np.where(np.isnan(single[number]), row, single[number])
        else:
            layers.append(row)
    codes = labels_of(layers, single[SURFACE_ID], single[BED_ID], rows, complete=complete)
    if not complete:
        for row in rows_at(predicted, traces):
            known = np.flatnonzero(np.isfinite(row))
            for offset in range(-NEAR, NEAR + 1):
                place = np.clip(np.rint(row[known]).astype(int) + offset, 0, rows - 1)
                free = codes[place, known] == UNLABELLED
                codes[place[free], known[free]] = NO_LAYER
    return codes


def unreviewed(review: Path, model: Model, device: torch.device) -> list[LabelledStretch]:
    """Return stretches that nobody reviewed, labelled by what the model is certain of.

    Args:
        review: The GeoPackage.
        model: The model before.
        device: Where to compute.
    """
    tasks = placed(read_tasks(review))
    done = set(read_table(review, CORRECTIONS)["task"])
    network = LayerNetwork(model.network.to(device), model.stride, device)
    found: list[LabelledStretch] = []
    for _, task in tasks[~tasks["task"].isin(done)].iterrows():
        path = value_text(task["scene"])
        if len(found) < MOST_KNOWN and Path(path).is_file():
            inputs = read_inputs(path, task.geometry)
            codes = certain_codes(network.predict(inputs.astype(np.float32)))
            found.append(LabelledStretch(inputs, codes, float(task["cell_size_m"])))
    return found


def certain_codes(probability: Float32Array) -> Codes:
    """Return the codes of which a model is certain, elsewhere 0."""
    codes = np.array(CHANNELS, np.uint8)[probability.argmax(axis=0)]
    return np.where(probability.max(axis=0) >= SURE, codes, UNLABELLED).astype(np.uint8)
