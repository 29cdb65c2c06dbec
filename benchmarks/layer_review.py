"""A simulated reviewer of layers: what is left of the errors, against the stretches corrected.

Simulated frames of unlike quality are traced by the delivered model, and become a review. The
reviewer works through its queue and replaces the lines of each stretch by the true ones. What is
left are the points that are missed or false within two samples in the other stretches. A queue
ranked by uncertainty is compared with any order at random, and with the best one that knows the
errors.

    build/engine/bin/python benchmarks/layer_review.py --frames 12
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "build" / "plugins"))

import numpy as np
import numpy.typing as npt

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.job import Job, RasterInput, VectorInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.echogram.coordinates import rows_at
from glacier_qgis.models.radar.echogram.raster import create_echogram
from glacier_qgis.models.radar.jobs.trace_layers import TraceLayers
from glacier_qgis.models.radar.layers.scores import TOLERANCE, matched
from glacier_qgis.models.radar.layers.trace import BED_ID
from glacier_qgis.models.radar.simulate.tracks import Reflectors
from glacier_qgis.models.radar.simulate.variety import varied
from glacier_qgis.models.review.jobs.prepare import PrepareReview
from glacier_qgis.models.review.tables.store import read_table
from glacier_qgis.wall.review import PREDICTED, TASKS

Array = npt.NDArray[np.float64]

TRACES, STRETCH = 500, 100
SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75)
"""Of the stretches that were corrected."""
SEED = 40
"""No frame of the training has it, or one near."""


@dataclass(frozen=True)
class Frame:
    """A simulated frame, and what the delivered model traced in it."""

    source: RasterInput
    probability: RasterInput
    truth: Reflectors


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=12)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frames = {f"frame_{n}": simulated(folder, f"frame_{n}", n) for n in range(asked.frames)}
        lines = trace(folder, frames)
        orders = {
            "ranked by the lines": queue(folder / "lines.gpkg", frames, lines, entropy=False),
            "ranked by the entropy": queue(folder / "entropy.gpkg", frames, lines, entropy=True),
        }
    wrong = orders["ranked by the lines"]
    orders["best possible"] = np.sort(wrong)[::-1]
    print(f"{wrong.size} stretches, {wrong.sum():.0f} points missed or false; share left (%)")
    print(f"| order | {' | '.join(f'{share:.0%}' for share in SHARES)} |")
    print("|---|" + "---|" * len(SHARES))
    for title, errors in orders.items():
        print(f"| {title} | {' | '.join(left(errors, share) for share in SHARES)} |")
    print(f"| at random | {' | '.join(f'{1 - share:.0%}' for share in SHARES)} |")


def simulated(folder: Path, name: str, number: int) -> Frame:
    """Write a frame: every third one is much noisier than the model knows."""
    random = np.random.default_rng(SEED + number)
    setting = varied(random)
    if number % 3 == 0:
        setting = replace(setting, echoes=replace(setting.echoes, looks=1, noise_db=-45.0))
    truth, power = setting.simulate(TRACES, SEED + number)
    path = folder / f"{name}.tif"
    wait = setting.echoes.wait(truth)
    time = 3.3e-8 * (wait + np.arange(len(power)))
    axes = Axes(frame_id=name, time=time, traces=TRACES)
    with create_echogram(path, axes, {}) as target:
        target.write(0, power)
    probability = RasterInput(path=str(folder / f"{name}_probability.tif"))
    return Frame(RasterInput(path=str(path)), probability, truth)


def trace(folder: Path, frames: dict[str, Frame]) -> VectorInput:
    """Trace each frame with its probabilities, then all of them; return the lines."""
    for name, frame in frames.items():
        target, output = Path(frame.probability.path), folder / f"{name}.gpkg"
        run(TraceLayers(input=[frame.source], output=output, probability=target))
    sources = [frame.source for frame in frames.values()]
    run(TraceLayers(input=sources, output=folder / "all.gpkg"))
    return VectorInput(path=str(folder / "all.gpkg"))


def queue(path: Path, frames: dict[str, Frame], lines: VectorInput, *, entropy: bool) -> Array:
    """Return the wrong points of each stretch, in the order of a review."""
    rasters = [frame.probability for frame in frames.values()] if entropy else []
    job = PrepareReview(
        input=lines,
        scenes=[frame.source for frame in frames.values()],
        uncertainty=rasters,
        stretch=STRETCH,
        count=100_000,
        audit_share=0,
        output=path,
    )
    run(job)
    tasks, predicted = read_table(path, TASKS), read_table(path, PREDICTED)
    wrong = []
    for _, task in tasks.sort_values("rank").iterrows():
        first, last = round(task.geometry.bounds[0]), round(task.geometry.bounds[2])
        own = predicted[(predicted.task == task.task) & (predicted.line > BED_ID)]
        found = rows_at(list(own.geometry), np.arange(first, last, dtype=float))
        wrong.append(wrong_points(found, frames[task.image_id].truth.layers[:, first:last]))
    return np.array(wrong, float)


def wrong_points(found: Array, true: Array) -> int:
    """Return the points that are missed or false, of lines (lines, traces)."""
    count = 0
    for trace in range(true.shape[1]):
        here, there = (np.sort(a[np.isfinite(a)]) for a in (found[:, trace], true[:, trace]))
        count += here.size + there.size - 2 * matched(here, there, TOLERANCE).size
    return count


def left(errors: Array, share: float) -> str:
    """Return what is left of the errors when the first stretches were corrected."""
    done = round(share * errors.size)
    return f"{errors[done:].sum() / errors.sum():.0%}"


def run(job: Job) -> None:
    """Run a job, and keep what it wrote."""
    with Outputs("0" * 8) as outputs:
        job.run(Silent(), outputs)


if __name__ == "__main__":
    main()
