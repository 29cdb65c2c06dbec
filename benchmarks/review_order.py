"""Error that is left after a person corrected some scenes: the review's queue against chance.

    build/engine/bin/python benchmarks/review_order.py [--data DATA]

A simulated reviewer works through the scenes of the four radar glaciers of CaFFe, and replaces each
prediction by the traced front. The error that is left is the mean over all scenes of the mean
distance between prediction and traced front, 0 for those that were corrected. `ranked` is the queue
of `preparereview` without an audit, `queue` that with 15 % drawn at random, `score` the order of
uncertainty alone, not spread over places and dates, `random` the mean of all orders, and `best` the
order of the true errors, which nobody knows beforehand.

The predictions are stored in `review_order.csv`. With DATA they are made again: `--scenes` of each
glacier, evenly spread over time, by `terminustimeseries` with the delivered model, which was
trained on these glaciers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).absolute().parent
sys.path.insert(0, str(HERE.parent / "build" / "plugins"))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from held_out_glacier import GLACIERS, World, image_id  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from glacier_qgis.models.fronts.termini.metrics import front_distances  # noqa: E402
from glacier_qgis.models.review.queue.ranking import queue, scores  # noqa: E402
from glacier_qgis.models.training.delivered.caffe import read_caffe  # noqa: E402
from glacier_qgis.models.vector.lines import line_parts  # noqa: E402

STORED = HERE / "review_order.csv"
MODEL = Path("caffe_unet")
SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
AUDIT = 0.15
SEEDS = 50
SPACING_M = 60.0


def predicted(data: Path, count: int) -> pd.DataFrame:
    """Predict the fronts of some scenes of each glacier, and return how far off they are."""
    rows: list[dict[str, object]] = []
    for glacier in GLACIERS:
        every = [scene for scene in read_caffe(data / "caffe256") if scene.group == glacier]
        every.sort(key=lambda scene: scene.date)
        picked = np.linspace(0, len(every) - 1, min(count, len(every))).round().astype(int)
        with tempfile.TemporaryDirectory(prefix="order-") as name:
            world = World.write(Path(name) / "world", [every[place] for place in picked])
            lines = world.series(MODEL, rock=False)
        for scene in world.scenes:
            own = lines[lines["image_id"] == image_id(scene)]
            parts = line_parts(own.geometry)
            far = front_distances(parts, world.fronts[scene.name], SPACING_M) if parts else None
            rows.append(
                {
                    "glacier": glacier,
                    "date": scene.date,
                    "uncertainty_m": float(own["uncertainty_m"].max()) if len(own) else np.nan,
                    "doubtful": not len(own) or bool(own["outlier"].any()),
                    "error_m": float(far.mean()) if far is not None else np.nan,
                }
            )
        print(f"{glacier}: {len(world.scenes)} scenes", file=sys.stderr, flush=True)
    return pd.DataFrame(rows).round({"uncertainty_m": 1, "error_m": 1})


def left(errors: NDArray[np.float64], order: Sequence[int]) -> list[float]:
    """Return the mean error of all scenes after each share of them was corrected, m."""
    remaining = []
    for share in SHARES:
        still = errors.copy()
        still[list(order[: round(share * errors.size)])] = 0.0
        remaining.append(float(still.mean()))
    return remaining


def table(scenes: pd.DataFrame) -> pd.DataFrame:
    """Return the error that is left, m, by order and share of corrected scenes."""
    errors = scenes.error_m.fillna(scenes.error_m.max()).to_numpy()  # a missed front: the worst
    score = scores(scenes.uncertainty_m.to_numpy(), scenes.doubtful.to_numpy(dtype=bool))
    place = scenes.glacier.astype("category").cat.codes.to_numpy(dtype=np.int64)
    days = pd.to_datetime(scenes.date).to_numpy().astype("datetime64[D]").astype(float)

    def by_queue(audit: float, seed: int, share: float) -> list[int]:
        count = round(share * len(scenes))
        return [chosen.index for chosen in queue(score, place, days, count, audit, seed)]

    def queues(audit: float, seeds: int) -> list[float]:
        each = [
            [left(errors, by_queue(audit, seed, share))[column] for seed in range(seeds)]
            for column, share in enumerate(SHARES)
        ]
        return [float(np.mean(column)) for column in each]

    rows = {
        "ranked": queues(0.0, 1),
        "queue": queues(AUDIT, SEEDS),
        "score": left(errors, np.argsort(-score, kind="stable").tolist()),
        "random": [float(errors.mean()) * (1 - share) for share in SHARES],
        "best": left(errors, np.argsort(-errors).tolist()),
    }
    found = pd.DataFrame(rows, index=[f"{share:.0%}" for share in SHARES]).T
    found.insert(0, "0%", errors.mean())
    return found.round(0).astype(int)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="where caffe256 is: predict again")
    parser.add_argument("--scenes", type=int, default=30, help="of each glacier")
    given = parser.parse_args()
    if given.data:
        predicted(given.data, given.scenes).to_csv(STORED, index=False)
    scenes = pd.read_csv(STORED)
    print(f"{len(scenes)} scenes, {scenes.error_m.isna().sum()} without a predicted front")
    print(f"rank correlation of uncertainty and error: {correlation(scenes):.2f}")
    print(table(scenes).to_string())


def correlation(scenes: pd.DataFrame) -> float:
    """Return Spearman's correlation of what is stated and what is true."""
    return float(scenes.uncertainty_m.corr(scenes.error_m, method="spearman"))


if __name__ == "__main__":
    main()
