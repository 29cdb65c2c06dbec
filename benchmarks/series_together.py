"""What it costs to see the scenes of a series beside each other.

    build/engine/bin/python benchmarks/series_together.py [--scenes N] [--size N] [--rounds N]

Simulated scenes of one glacier go through `terminustimeseries` twice in each round, in turn: with
the delivered model, which has a network for series, and with the same without that network. The
engine is a process of its own: its processor time counts, which other work on the machine changes
little, and its peak memory is reported too.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
from pathlib import Path

TREE = Path(__file__).parents[1] / "build" / "plugins"
sys.path.append(str(TREE))

from scene_memory import peak_gib  # noqa: E402

from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene  # noqa: E402
from glacier_qgis.models.package.folder import load_package, save_package  # noqa: E402
from glacier_qgis.models.package.registry import DEFAULT_MODEL, find_model  # noqa: E402


def without_series(folder: Path) -> Path:
    """Write the delivered model without its network for series."""
    model = load_package(find_model(DEFAULT_MODEL))
    card = model.card.model_copy(update={"series": None})
    save_package(folder, card, model.network.state_dict())
    return folder


def processor_time() -> float:
    """Return the seconds that processes started here have computed, once they have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(folder: Path, model: Path) -> tuple[float, float]:
    """Make a series; return the engine's processor time in s and its peak of memory in GiB."""
    job = folder / "job.json"
    parameters = {"folder": str(folder / "scenes"), "model": str(model)}
    parameters["output"] = str(folder / "termini.gpkg")
    order = {"job": "terminustimeseries", "id": "0123abcd", "parameters": parameters}
    job.write_text(json.dumps(order))
    start = processor_time()
    peak = peak_gib(job)
    return processor_time() - start, peak


def main() -> None:
    """Run the rounds and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=6)
    parser.add_argument("--size", type=int, default=3000, help="rows and columns, cells of 20 m")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    times, peaks = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "scenes").mkdir()
        for day in range(1, given.scenes + 1):
            scene = SyntheticScene(size=given.size, form="uint8", overflight=day)
            scene.write(folder / "scenes" / f"scene_2018-06-{day:02}.tif")
        alone = without_series(folder / "alone")
        for _ in range(given.rounds):
            together, apart = run(folder, find_model(DEFAULT_MODEL)), run(folder, alone)
            times.append(together[0] / apart[0])
            peaks.append(together[1] / apart[1])
            print(
                f"together {together[0]:.1f} s, {together[1]:.2f} GiB; "
                f"apart {apart[0]:.1f} s, {apart[1]:.2f} GiB",
                flush=True,
            )
    print(
        f"{statistics.median(times):.2f} times the processor time ({min(times):.2f} to "
        f"{max(times):.2f}), {statistics.median(peaks):.2f} times the memory"
    )


if __name__ == "__main__":
    main()
