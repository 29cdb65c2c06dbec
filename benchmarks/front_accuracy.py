"""Accuracy of the calving-front networks on glaciers that they have not seen.

    build/engine/bin/python benchmarks/front_accuracy.py --data DATA --runs build/training

For each radar glacier of CaFFe a network learns from the three others and the Landsat images
and is then judged on it, scene by scene (`delineatetermini`) and as a series
(`terminustimeseries`). Runs that are whole in the folder are not repeated; a run that was
stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PLUGINS = Path(__file__).parents[1] / "build" / "plugins"
sys.path.insert(0, str(PLUGINS))

from safetensors.torch import load_file  # noqa: E402

from glacier_qgis.models.package.package import save_package  # noqa: E402
from glacier_qgis.models.training import caffe  # noqa: E402
from glacier_qgis.models.training.__main__ import NETWORKS  # noqa: E402
from glacier_qgis.models.training.describe import describe  # noqa: E402
from glacier_qgis.models.training.evaluate import (  # noqa: E402
    Silent,
    evaluate,
    evaluate_series,
)

GLACIERS = ("DBE", "JAC", "Jorum", "SI")
STEPS = {"unet": 4000, "hrnet": 2300}
"""Both take about the same time: a step of this HRNet takes 1.7 times as long."""
COLUMNS = {
    "mde_box_m": "box",
    "median_over_images_box_m": "median",
    "missed_box": "missed",
    "mde_scene_m": "scene",
}


def train(network: str, glacier: str, given: argparse.Namespace) -> Path:
    """Return the weights of a network that has not seen a glacier; learn them if need be."""
    folder: Path = given.runs / f"{network}_{glacier}"
    weights = folder / "weights.safetensors"
    if not weights.is_file():
        command = [sys.executable, "-P", "-m", "glacier_qgis.models.training", "fit"]
        command += ["--data", str(given.data / "caffe256"), "--hold-out", glacier]
        command += ["--front-lines", str(given.data / "landsat_greenland" / "train")]
        command += ["--network", network, "--steps", str(STEPS[network]), "--output", str(folder)]
        environment = {**os.environ, "PYTHONPATH": str(PLUGINS)}
        subprocess.run(command, check=True, env=environment)  # noqa: S603
    return weights


def judge(network: str, glacier: str, given: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Measure one network on one glacier, scene by scene and as a series."""
    weights = load_file(train(network, glacier, given))
    scenes = caffe.read_caffe(given.data / "caffe256")
    learnt = [scene for scene in scenes if scene.group != glacier]
    tested = [scene for scene in scenes if scene.group == glacier]
    card = describe(
        "fold", NETWORKS[network], [caffe.credit(learnt)], caffe.credit(tested), history=""
    )
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "fold"
        save_package(package, card, weights)
        return {
            "scenes": evaluate(package, tested, Silent()),
            "series": evaluate_series(package, tested, Silent()),
        }


def main() -> None:
    """Print a line for each network, glacier and way of working; keep the numbers as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("GLACIER_DATA"))
    parser.add_argument("--runs", type=Path, required=True, help="folder of the training runs")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--glaciers", nargs="+", choices=GLACIERS, default=list(GLACIERS))
    given = parser.parse_args()
    given.data = Path(given.data)
    header = " ".join(f"{name:>7}" for name in COLUMNS.values())
    sys.stdout.write(f"{'network':8} {'glacier':8} {'as':8} {header}    IoU of zones\n")
    for network in given.networks:
        for glacier in given.glaciers:
            found = judge(network, glacier, given)
            kept = given.runs / f"{network}_{glacier}" / "accuracy.json"
            kept.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
            for way, values in found.items():
                figures = " ".join(f"{values[name]:7.0f}" for name in COLUMNS)
                zones = [f"{v:.2f}" for name, v in values.items() if "iou" in name]
                sys.stdout.write(
                    f"{network:8} {glacier:8} {way:8} {figures}    {' '.join(zones)}\n"
                )
                sys.stdout.flush()


if __name__ == "__main__":
    main()
