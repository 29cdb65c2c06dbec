"""Accuracy of layer tracing: networks, a threshold and picking, on frames never trained on.

The geometry is that of expert picks (six frames of one segment, never trained on), the echoes are
simulated. Three sets have settings that no training has (`radar.simulate.variety`): a single look,
layers below the noise, and layers nearer to each other. ``GLACIER_DATA`` names the folder of data.

    build/engine/bin/python benchmarks/layer_accuracy.py --traces 400 --output build/layers

measures the delivered network; ``--weights hed=FILE hed_partial=FILE unet=FILE`` measures others.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "build" / "plugins"))

import numpy as np
import numpy.typing as npt
import torch
from scipy.constants import speed_of_light
from scipy.io import loadmat
from scipy.ndimage import uniform_filter1d

from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.weights import read_weights
from glacier_qgis.models.radar.echogram.axes import ICE_PERMITTIVITY, Axes
from glacier_qgis.models.radar.layers.codes import BED, LAYER, SURFACE
from glacier_qgis.models.radar.layers.contrast import LARGEST, Level, channels
from glacier_qgis.models.radar.layers.model import LayerModel
from glacier_qgis.models.radar.layers.peaks import LEAST, find_peaks
from glacier_qgis.models.radar.layers.power import decibels
from glacier_qgis.models.radar.layers.predict import CHANNELS, LayerNetwork, Strip
from glacier_qgis.models.radar.layers.scores import FAR, Counts, EdgeScores, LineScores
from glacier_qgis.models.radar.layers.trace import Segment
from glacier_qgis.models.radar.layers.tracker import Line, Tracking
from glacier_qgis.models.radar.simulate.echoes import Echoes
from glacier_qgis.models.radar.simulate.settings import MARGIN, SNOW_RADAR, VALLEY_GLACIER
from glacier_qgis.models.radar.simulate.tracks import Reflectors
from glacier_qgis.models.radar.simulate.variety import BURIED, NARROW, ONE_LOOK
from glacier_qgis.models.training.delivered.layers import NETWORKS

Array = npt.NDArray[np.float64]
Power = npt.NDArray[np.float32]

SAMPLE_M = 2.8153
"""Depth of one sample of the expert frames (MCoRDS)."""
SURFACE_ROW = 60.0
CLICKS = 100
"""Traces between the points that a person sets for picking."""
PICK_WINDOW = 4
ICE_SPEED = speed_of_light / ICE_PERMITTIVITY**0.5
NEAR_PICK = 20.0
"""Samples: the length of the pulse in the radargram of Juneau."""


@dataclass(frozen=True)
class Frame:
    """A frame with its truth."""

    name: str
    truth: Reflectors
    power: Power
    wait: float
    """Samples between the pulse and the first row."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    data: str
    method: str
    ods: float
    ois: float
    average_precision: float
    f_lines: float
    precision: float
    recall: float
    mean_error_px: float
    within_2_px: float
    layers_true: int
    layers_traced: int
    surface_px: float
    bed_px: float
    bed_found: float


def expert_frames(echoes: Echoes, traces: int) -> Iterator[Frame]:
    """Yield the expert frames with simulated echoes."""
    folder = Path(os.environ["GLACIER_DATA"]) / "radar" / "expert_layers"
    for number, path in enumerate(sorted(folder.glob("*.mat"))):
        info = loadmat(path, squeeze_me=True, struct_as_record=False)["layer_info"]
        part = slice(0, traces or None)
        top = info.surface[part]
        depth = (top[:, None] - info.layer_elevations[part]).T / SAMPLE_M
        depth = depth[np.isfinite(depth).sum(axis=1) > 1]
        depth = depth[np.argsort(np.nanmean(depth, axis=1))]
        surface = SURFACE_ROW + (top.max() - top) / SAMPLE_M * 0.2
        bed = surface + (top - info.bed[part]) / SAMPLE_M
        truth = Reflectors(surface, bed, surface + depth, SAMPLE_M, 29.5)
        rows = int(truth.lowest) + MARGIN
        power = echoes.record(truth, rows, np.random.default_rng(number))
        yield Frame(path.stem, truth, power, echoes.wait(truth))


def above_noise(echoes: Echoes, frames: list[Frame]) -> float:
    """Return the share of the layers' points whose mean echo is stronger than the noise."""
    depth = np.concatenate([(frame.truth.layers - frame.truth.surface).ravel() for frame in frames])
    loss = echoes.attenuation_db / 100 * depth[np.isfinite(depth)]
    return float((echoes.volume_db + echoes.layer_db - loss > echoes.noise_db).mean())


def simulated_frames(setting, count: int, traces: int) -> Iterator[Frame]:  # noqa: ANN001
    """Yield frames of a setting."""
    for seed in range(count):
        truth, power = setting.simulate(traces or 800, 900 + seed)
        yield Frame(f"simulated {seed}", truth, power, setting.echoes.wait(truth))


Method = Callable[[Power], Strip]
"""From power (rows, traces) to what is known of each pixel."""


def network(name: str, weights: Path, average: int) -> Method:
    """Return the probabilities of a trained network."""
    architecture = NETWORKS["hed" if "hed" in name else "unet"]
    built = build(architecture)
    built.load_state_dict(read_weights(weights))
    return predicted(LayerNetwork(built.eval(), int(built.stride), torch.device("cpu")), average)


def predicted(ready: LayerNetwork, average: int = 1) -> Method:
    """Return the method that traces what a network predicts; it sees the mean of some samples."""

    def predict(power: Power) -> Strip:
        strips = ready.strips(lambda a, b: power[:, a:b], *power.shape, average)
        _, *parts = zip(*strips, strict=True)
        return Strip(0, *(np.concatenate(part, axis=-1) for part in parts))

    return predict


def threshold(power: Power) -> Strip:
    """Return the contrast, averaged over nine traces, as if it were a probability."""
    inputs = channels(power, Level.of(power))
    bright = np.clip(uniform_filter1d(inputs[0], 9, axis=1) * LARGEST / 4, 0, 1)
    found = np.zeros((4, *power.shape), np.float32)
    found[CHANNELS.index(LAYER)] = bright
    return Strip(0, found, power, np.zeros_like(power))


def picked(frame: Frame) -> Array:
    """Pick as ImpDAR does: the strongest echo near a line between points that a person set.

    The points are true ones, one in `CLICKS` traces; a person has to know each layer for that.
    """
    rows = np.full(frame.truth.layers.shape, np.nan)
    for own, layer in zip(rows, frame.truth.layers, strict=True):
        known = np.flatnonzero(np.isfinite(layer))
        set_at = np.unique(np.append(known[::CLICKS], known[-1]))
        guide = np.rint(np.interp(known, set_at, layer[set_at])).astype(int)
        around = guide[:, None] + np.arange(-PICK_WINDOW, PICK_WINDOW + 1)
        echoes = np.nan_to_num(
            frame.power[np.clip(around, 0, len(frame.power) - 1), known[:, None]], nan=-np.inf
        )
        own[known] = guide + echoes.argmax(axis=1) - PICK_WINDOW
    return rows


def table_row(data: str, method: str, frames: list[Frame], predict: Method) -> Row:
    """Measure a method on frames; lines are traced at the threshold of the best F-score."""
    maps = [predict(frame.power) for frame in frames]
    peaks = [find_peaks(found.probability[CHANNELS.index(LAYER)], 0.02) for found in maps]
    counts = [Counts.of(own, frame.truth.layers) for own, frame in zip(peaks, frames, strict=True)]
    edges = EdgeScores.of(counts)
    is_network = method != "threshold"
    options = Tracking() if is_network else Tracking(confidence=0.2)
    least = LEAST if is_network else edges.threshold
    traced, lines, surface, bed = [], 0, [np.empty(0)], [np.empty(0)]
    for found, frame in zip(maps, frames, strict=True):
        segment = Segment(options, least)
        segment.add(_axes(frame), [found])
        segment.finish()
        traced.append(_rows(segment, frame.truth.traces))
        lines += len(segment.lines[LAYER])
        surface.append(_error(segment.lines[SURFACE], frame.truth.surface))
        bed.append(_error(segment.lines[BED], frame.truth.bed))
    return _row(data, method, frames, traced, lines, edges, surface, bed)


def _row(
    data: str,
    method: str,
    frames: list[Frame],
    traced: list[Array],
    lines: int,
    edges: EdgeScores | None,
    surface: list[Array],
    bed: list[Array],
) -> Row:
    scores = LineScores.of_frames(
        [(own, frame.truth.layers) for own, frame in zip(traced, frames, strict=True)]
    )
    nothing = float("nan")
    return Row(
        data,
        method,
        edges.ods if edges else nothing,
        edges.ois if edges else nothing,
        edges.average_precision if edges else nothing,
        scores.f_score,
        scores.precision,
        scores.recall,
        scores.mean_error,
        scores.within,
        sum(len(frame.truth.layers) for frame in frames),
        lines,
        _mean(surface),
        _mean(bed),
        _found(bed, frames),
    )


def traced_rows(found: Strip, frame: Frame) -> Array:
    """Return the rows of the layers that are traced with the default options."""
    segment = Segment(Tracking(), LEAST)
    segment.add(_axes(frame), [found])
    segment.finish()
    return _rows(segment, frame.truth.traces)


def _axes(frame: Frame) -> Axes:
    return Axes(
        frame_id=frame.name,
        time=3.35e-8 * (frame.wait + np.arange(len(frame.power))),
        traces=frame.truth.traces,
    )


def _rows(segment: Segment, traces: int) -> Array:
    """Return the rows of the layers of a frame, (lines, traces), as they are drawn."""
    found = [np.empty((0, traces))]
    for piece in segment.pieces(LAYER, 0):
        row = np.full((1, traces), np.nan)
        row[0, piece.trace.astype(int)] = piece.row
        found.append(row)
    return np.concatenate(found)


def _error(lines: list[Line], true: Array) -> Array:
    away = np.array([np.abs(line.across(0, true.size) - true) for line in lines])
    return away[np.isfinite(away)] if away.size else np.empty(0)


def _found(bed: list[Array], frames: list[Frame]) -> float:
    """Return the share of the traces with a bed at which it was found, at most `FAR` away."""
    traces = sum(int(np.isfinite(frame.truth.bed).sum()) for frame in frames)
    hits = sum(int((away <= FAR).sum()) for away in bed)
    return hits / traces if traces and any(away.size for away in bed) else float("nan")


def _mean(parts: list[Array]) -> float:
    values = np.concatenate(parts)
    return float(values.mean()) if values.size else float("nan")


def juneau(predict: Method) -> str:
    """Compare the bed in the real radargram with its picks (Juneau Icefield, ImpDAR).

    It is traced with the default options.
    """
    path = Path(os.environ["GLACIER_DATA"]) / "radar" / "radargram"
    given = loadmat(path / "jif2021line_0_mig_picked.mat", squeeze_me=True, struct_as_record=False)
    picks, values = given["picks"].samp2, given["data"].astype(np.float32)
    power = decibels(values, "amplitude")
    traces = power.shape[1]
    segment = Segment(Tracking(), LEAST)
    axes = Axes(frame_id="juneau", time=float(given["dt"]) * np.arange(len(power)), traces=traces)
    segment.add(axes, [predict(power)])
    segment.finish()
    away = _error(segment.lines[BED], picks)
    surface = sum(line.length for line in segment.lines[SURFACE]) / traces
    if not away.size:
        return f"no bed found; surface along {surface:.0%} of the traces"
    metres = ICE_SPEED / 2 * float(given["dt"])
    middle = float(np.median(away))
    return (
        f"bed along {away.size / traces:.0%} of the traces, median distance to the picks "
        f"{middle:.1f} samples ({middle * metres:.1f} m), within {NEAR_PICK:g} samples "
        f"{(away <= NEAR_PICK).mean():.0%}; surface along {surface:.0%}"
    )


def main() -> None:
    """Write the table as JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", nargs="+", default=[], metavar="NAME=FILE")
    parser.add_argument("--traces", type=int, default=0, help="of each frame; 0 = all")
    parser.add_argument("--only", default="", help="sets of frames whose name has this in it")
    parser.add_argument("--average", type=int, default=1, help="samples averaged for networks")
    parser.add_argument("--output", type=Path, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    methods: dict[str, Method] = {}
    for given in asked.weights:
        name, _, path = given.partition("=")
        methods[name] = network(name, Path(path), asked.average)
    if not methods:
        model = LayerModel.load("", "cpu")
        methods[model.card.architecture.name] = predicted(model.network, asked.average)
    methods["threshold"] = threshold
    sets = {
        "expert geometry": list(expert_frames(Echoes(), asked.traces)),
        "one look (unseen)": list(expert_frames(ONE_LOOK, asked.traces)),
        "below the noise (unseen)": list(expert_frames(BURIED, asked.traces)),
        "narrow spacing (unseen)": list(simulated_frames(NARROW, 3, asked.traces)),
        "Snow Radar": list(simulated_frames(SNOW_RADAR, 3, asked.traces)),
        "valley glacier": list(simulated_frames(VALLEY_GLACIER, 6, asked.traces)),
    }
    rows = []
    share = above_noise(BURIED, sets["below the noise (unseen)"])
    print(f"Below the noise: {share:.0%} of the layers' points are above it.")
    for data, frames in sets.items():
        if asked.only not in data:
            continue
        for method, predict in methods.items():
            rows.append(table_row(data, method, frames, predict))
            print(rows[-1], file=sys.stderr, flush=True)
        picks = [picked(frame) for frame in frames]
        count = sum(len(own) for own in picks)
        empty = [np.empty(0)]
        rows.append(_row(data, "picking", frames, picks, count, None, empty, empty))
        print(rows[-1], file=sys.stderr, flush=True)
    for method, predict in methods.items():
        if method != "threshold":
            print(f"Juneau, {method}: {juneau(predict)}")
    asked.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps([asdict(row) for row in rows], indent=1)
    (asked.output / "layer_accuracy.json").write_text(text + "\n", encoding="utf-8")
    print(markdown(rows))


def markdown(rows: list[Row]) -> str:
    """Return the table."""
    lines = [
        "| data | method | ODS | OIS | AP | F of lines | mean error (px) | within 2 px | "
        "surface (px) | bed (px) | bed found |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [row.ods, row.ois, row.average_precision, row.f_lines, row.mean_error_px]
        cells += [row.within_2_px, row.surface_px, row.bed_px, row.bed_found]
        shown = " | ".join("–" if np.isnan(value) else f"{value:.3f}" for value in cells)
        lines.append(f"| {row.data} | {row.method} | {shown} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
