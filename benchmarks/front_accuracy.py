"""Accuracy of the calving-front networks on unseen glaciers.

    build/engine/bin/python benchmarks/front_accuracy.py --data DATA --runs build/training

For each radar glacier of CaFFe a network is trained on the three others and the Landsat images and
is then evaluated on it, scene by scene (`delineatetermini`) and as a series (`terminustimeseries`).
A network for series starts from the first run of the U-Net, and is evaluated as a series with the
last one's. The network for optical images is trained on all radar glaciers and the Landsat images
of two glaciers, and is evaluated on those of the third. Runs that are complete in the folder are
not repeated; a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PLUGINS = Path(__file__).parents[1] / "build" / "plugins"
sys.path.insert(0, str(PLUGINS))

from safetensors.torch import load_file  # noqa: E402

from glacier_qgis.models.engine.events import Silent  # noqa: E402
from glacier_qgis.models.training.delivered.caffe import read_caffe  # noqa: E402
from glacier_qgis.models.training.delivered.folds import Values, judge, judge_series  # noqa: E402
from glacier_qgis.models.training.delivered.front_lines import read_front_lines  # noqa: E402
from glacier_qgis.models.training.delivered.networks import NETWORKS  # noqa: E402

GLACIERS = ("DBE", "JAC", "Jorum", "SI")
OPTICAL = ("Landsat-Jakobshavn", "Landsat-Kangerlussuaq", "Landsat-Sverdrup")
CYCLES = {
    "unet": (4000, 9000, 7000),
    "series": (7000, 9000, 6000),
    "hrnet": (2300,),
    "optical": (2500, 6000, 3000, 6000),
}
"""Steps of each run; a later one continues from the weights of the one before. A step of this HRNet
takes 1.7 times as long as one of this U-Net, so that the first runs take about the same time."""
COLUMNS = {
    "mde_box_m": "box",
    "median_over_images_box_m": "median",
    "missed_box": "missed",
    "mde_scene_m": "scene",
}


def train(network: str, glacier: str, cycle: int, given: argparse.Namespace) -> Path:
    """Return the weights of a network with a glacier held out; train them if needed."""
    suffix = f"_{cycle + 1}" if cycle else ""
    folder: Path = given.runs / f"{network}_{glacier.removeprefix('Landsat-')}{suffix}"
    weights = folder / "weights.safetensors"
    if not weights.is_file():
        command = [sys.executable, "-P", "-m", "glacier_qgis.models.training.delivered", "fit"]
        command += ["--data", str(given.data / "caffe256"), "--hold-out", glacier]
        command += ["--front-lines", str(given.data / "landsat_greenland" / "train")]
        command += ["--steps", str(CYCLES[network][cycle])]
        command += ["--optical"] if network == "optical" else ["--network", network]
        command += ["--seed", str(cycle + 1), "--output", str(folder)]
        before = (network, cycle - 1) if cycle else ("unet", 0)
        if cycle or network == "series":
            command += ["--start-from", str(train(before[0], glacier, before[1], given))]
        environment = {**os.environ, "PYTHONPATH": str(PLUGINS)}
        subprocess.run(command, check=True, env=environment)  # noqa: S603
    return weights


def chosen(network: str, asked: Sequence[str] | None) -> list[str]:
    """Return the glaciers that a network is judged on; of these those asked for, if any are."""
    own = OPTICAL if network == "optical" else GLACIERS
    return [glacier for glacier in own if not asked or glacier in asked]


def main() -> None:
    """Print a line for each network, glacier and way of working; keep the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("GLACIER_DATA"))
    parser.add_argument("--runs", type=Path, required=True, help="folder of the training runs")
    parser.add_argument("--networks", nargs="+", choices=CYCLES, default=list(CYCLES))
    parser.add_argument("--glaciers", nargs="+", choices=[*GLACIERS, *OPTICAL])
    parser.add_argument(
        "--cycles", type=int, default=4, help=("number of runs that continue from each other")
    )
    given = parser.parse_args()
    given.data = Path(given.data)
    header = " ".join(f"{name:>7}" for name in COLUMNS.values())
    sys.stdout.write(f"{'network':8} {'glacier':13} {'steps':>6} {'as':8} {header}  IoU of zones\n")
    scenes = [
        *read_caffe(given.data / "caffe256"),
        *read_front_lines(given.data / "landsat_greenland" / "train"),
    ]
    for network in given.networks:
        cycle = min(given.cycles, len(CYCLES[network])) - 1
        architecture = NETWORKS["unet" if network == "optical" else network]
        for glacier in chosen(network, given.glaciers):
            weights = train(network, glacier, cycle, given)
            unseen = [scene for scene in scenes if scene.group == glacier]
            if network == "series":
                last = train("unet", glacier, len(CYCLES["unet"]) - 1, given)
                lone = NETWORKS["unet"], load_file(last)
                found = judge_series(lone, (architecture, load_file(weights)), unseen, Silent())
            else:
                found = judge(architecture, load_file(weights), unseen, Silent())
            kept = weights.with_name("accuracy.json")
            kept.write_text(json.dumps(found.values(), indent=2) + "\n", encoding="utf-8")
            steps = sum(CYCLES[network][: cycle + 1])
            steps += CYCLES["unet"][0] if network == "series" else 0
            for way, values in {"scenes": found.scenes, "series": found.series}.items():
                if values:
                    sys.stdout.write(line(network, glacier, steps, way, values))
                    sys.stdout.flush()


def line(network: str, glacier: str, steps: int, way: str, values: Values) -> str:
    """Return a line of the table."""
    figures = " ".join(f"{values[name]:7.0f}" for name in COLUMNS)
    zones = " ".join(f"{value:.2f}" for name, value in values.items() if "iou" in name)
    glacier = glacier.removeprefix("Landsat-")
    return f"{network:8} {glacier:13} {steps:6} {way:8} {figures}  {zones}\n"


if __name__ == "__main__":
    main()
