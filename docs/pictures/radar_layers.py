"""Draw the best, the median and the worst of the test frames with their traced lines.

    build/engine/bin/python docs/pictures/radar_layers.py

with ``GLACIER_DATA`` set. Left: the echogram; right: true lines blue, traced ones orange.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "build" / "plugins"), str(ROOT / "benchmarks")]

import numpy as np
import torch
from layer_accuracy import Frame, expert_frames, predicted, simulated_frames, traced_rows
from PIL import Image

from glacier_qgis.models.radar.layers.model import LayerModel
from glacier_qgis.models.radar.layers.scores import LineScores
from glacier_qgis.models.radar.simulate.echoes import Echoes
from glacier_qgis.models.radar.simulate.settings import SNOW_RADAR
from glacier_qgis.models.radar.simulate.variety import ONE_LOOK

TRACES, ROWS = 500, 560
TRUE, TRACED = (40, 120, 255), (255, 120, 20)


def main() -> None:
    """Write one picture for each of the three."""
    torch.set_num_threads(1)
    frames = [
        *expert_frames(Echoes(), TRACES),
        *expert_frames(ONE_LOOK, TRACES),
        *simulated_frames(SNOW_RADAR, 3, TRACES),
    ]
    predict = predicted(LayerModel.load("", "cpu").network)
    rows = [traced_rows(predict(frame.power), frame) for frame in frames]
    scores = [
        LineScores.of(own, frame.truth.layers).f_score
        for own, frame in zip(rows, frames, strict=True)
    ]
    order = np.argsort(scores)
    for name, index in (
        ("good", order[-1]),
        ("typical", order[len(order) // 2]),
        ("worst", order[0]),
    ):
        path = ROOT / "docs" / "pictures" / f"radar_{name}.png"
        Image.fromarray(_picture(frames[index], rows[index])).save(path, optimize=True)
        print(f"{path.name}: {frames[index].name}, F-score of lines {scores[index]:.3f}")


def _picture(frame: Frame, rows: np.ndarray) -> np.ndarray:
    low, high = np.nanpercentile(frame.power, [1, 99.7])
    grey = np.clip((np.nan_to_num(frame.power, nan=high) - low) / (high - low), 0, 1)
    plain = np.repeat(np.uint8(255 - 200 * grey)[..., None], 3, axis=-1)
    drawn = plain.copy()
    for lines, colour in ((frame.truth.layers, TRUE), (rows, TRACED)):
        for line in lines:
            known = np.flatnonzero(np.isfinite(line))
            drawn[np.rint(line[known]).astype(int), known] = colour
    return np.concatenate([plain, np.full((len(plain), 6, 3), 255, np.uint8), drawn], axis=1)[:ROWS]


if __name__ == "__main__":
    main()
