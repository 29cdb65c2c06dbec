"""How much of a time series' reading, writing and computing happens at the same time.

    build/engine/bin/python benchmarks/series_overlap.py [--scenes N] [--size N] [--rounds N]

Simulated scenes, compressed and in degrees so that reading means warping, go through the first pass
of `terminustimeseries` twice in each round, in turn: as it is, and with one stage done after the
other. Only the latter can tell how long a stage takes by itself: its times are those of the thread
that does all of them. The ratio is the wall time of the series over the sum of its stages. It
cannot fall below the share of the longest stage, nor, where all cores compute, much below 1.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from unittest.mock import patch

sys.path.append(str(Path(__file__).parents[1] / "build" / "plugins"))

from glacier_qgis.models.compute.device import rest_idle_threads, tune_allocator

rest_idle_threads()
tune_allocator()

import rasterio  # noqa: E402  after the threads are set up
import rasterio.shutil  # noqa: E402
from rasterio.vrt import WarpedVRT  # noqa: E402

from glacier_qgis.models.engine.job import RasterInput  # noqa: E402
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene  # noqa: E402
from glacier_qgis.models.fronts.scene.view import NetworkView  # noqa: E402
from glacier_qgis.models.fronts.segmentation import segment, tiling  # noqa: E402
from glacier_qgis.models.fronts.segmentation.options import Inference  # noqa: E402
from glacier_qgis.models.fronts.segmentation.predictor import Predictor  # noqa: E402
from glacier_qgis.models.fronts.series import first_pass  # noqa: E402
from glacier_qgis.models.fronts.series.first_pass import run_here  # noqa: E402
from glacier_qgis.models.fronts.series.task import SceneTask  # noqa: E402

CELL_SIZE = 66.0
CRS = "EPSG:3413"
STAGES: dict[str, tuple[type, str]] = {
    "reading": (NetworkView, "read"),
    "statistics": (NetworkView, "_statistics"),
    "network": (Predictor, "__call__"),
    "writing": (segment._Rasters, "write"),
}


def simulate(folder: Path, number: int, size: int) -> list[Path]:
    """Write scenes of one glacier, a day each, in degrees."""
    paths = []
    for day in range(1, number + 1):
        flat, path = folder / "flat.tif", folder / f"scene_2018-06-{day:02}.tif"
        SyntheticScene(size=size, cell_size=20.0, form="uint16", overflight=day).write(flat)
        with rasterio.open(flat) as source, WarpedVRT(source, crs="EPSG:4326") as view:
            rasterio.shutil.copy(view, path, driver="GTiff", tiled=True, compress="deflate")
        paths.append(path)
    return paths


def series_seconds(scenes: Sequence[Path], mirrored: bool) -> float:
    """Segment the scenes into folders that are thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        tasks = [
            SceneTask(
                source=RasterInput(path=str(path)),
                options=Inference(tta=mirrored),
                crs=rasterio.crs.CRS.from_string(CRS).to_wkt(),
                cell_size=CELL_SIZE,
                folder=Path(folder) / path.stem,
            )
            for path in scenes
        ]
        start = time.perf_counter()
        for task, outcome in run_here(tasks, lambda *_: None):
            if outcome.reason:
                raise SystemExit(f"{task.source.path}: {outcome.reason}")
        return time.perf_counter() - start


@contextmanager
def one_after_the_other(seconds: Counter[str]) -> Iterator[None]:
    """Do one scene at a time, and in it one stage at a time; add up what each takes."""

    def at_once(items: Iterator[object]) -> Iterator[object]:
        yield from items

    @contextmanager
    def directly(work: Callable[[object], object]) -> Iterator[Callable[[object], object]]:
        yield work

    with ExitStack() as stack:
        stack.enter_context(patch.object(tiling, "ahead", at_once))
        stack.enter_context(patch.object(segment, "behind", directly))
        stack.enter_context(patch.object(first_pass, "SCENES_AT_ONCE", 1))
        for stage, (owner, name) in STAGES.items():
            timed = _timed(getattr(owner, name), stage, seconds)
            stack.enter_context(patch.object(owner, name, timed))
        yield


def _timed(work: Callable[..., object], stage: str, seconds: Counter[str]) -> Callable[..., object]:
    @wraps(work)
    def timed(*given: object) -> object:
        start = time.perf_counter()
        try:
            return work(*given)
        finally:
            seconds[stage] += time.perf_counter() - start

    return timed


def main() -> None:
    """Run the rounds and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=4)
    parser.add_argument("--size", type=int, default=5000, help="rows and columns, cells of 20 m")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-tta", action="store_true", help="without test-time augmentation")
    given = parser.parse_args()
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        scenes = simulate(Path(folder), given.scenes, given.size)
        series_seconds(scenes[:1], not given.no_tta)  # only warms up
        for _ in range(given.rounds):
            beside = series_seconds(scenes, not given.no_tta)
            stages: Counter[str] = Counter()
            with one_after_the_other(stages):
                after = series_seconds(scenes, not given.no_tta)
            stages["the rest"] = after - stages.total()
            ratios.append(beside / after)
            shares = ", ".join(f"{name} {part:.1f} s" for name, part in stages.items())
            print(f"series {beside:.1f} s; its stages {after:.1f} s: {shares}", flush=True)
    print(
        f"{statistics.median(ratios):.2f} of the sum of its stages "
        f"({min(ratios):.2f} to {max(ratios):.2f}, {given.rounds} rounds)"
    )


if __name__ == "__main__":
    main()
