"""Accuracy of models that were adapted to a glacier, by the number of scenes that were corrected.

    build/engine/bin/python benchmarks/adapt_glacier.py --data DATA --runs build/training

Each radar glacier of CaFFe is held out from the training of its two networks, which are those of
`front_accuracy.py` (`RUNS/unet_GLACIER_3` and `RUNS/series_GLACIER_3`; `--suffix` names others).
Then some of its scenes count as corrected, chosen by the order of the review's queue or at random,
both networks are adapted to them as `retrain` does with ADAPT, and the series is delineated again
by `terminustimeseries`. The error is pooled over all scenes that were not corrected, in the box and
over the whole scene. Rock is what is labelled rock in nine of ten scenes. `--scenes` takes fewer
scenes of each glacier, evenly spread over time. Rows are kept in RUNS/adapted.jsonl; a row that is
there is not computed again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PLUGINS = Path(__file__).parents[1] / "build" / "plugins"
sys.path.insert(0, str(PLUGINS))

import geopandas as gpd  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from pyproj import CRS  # noqa: E402
from rasterio import open as open_raster  # noqa: E402

from glacier_qgis.models.engine.events import Silent  # noqa: E402
from glacier_qgis.models.engine.job import RasterInput  # noqa: E402
from glacier_qgis.models.engine.outputs import Outputs  # noqa: E402
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries  # noqa: E402
from glacier_qgis.models.fronts.scene.names import parse_scene_name  # noqa: E402
from glacier_qgis.models.networks.unet import FIRST  # noqa: E402
from glacier_qgis.models.package.card import Architecture, TrainingData  # noqa: E402
from glacier_qgis.models.package.folder import load_package, save_package  # noqa: E402
from glacier_qgis.models.package.registry import find_model  # noqa: E402
from glacier_qgis.models.package.weights import read_weights  # noqa: E402
from glacier_qgis.models.review.queue.ranking import queue, scores  # noqa: E402
from glacier_qgis.models.review.retraining.learning import Pace  # noqa: E402
from glacier_qgis.models.review.retraining.package import (  # noqa: E402
    adapted_to,
    retrained_card,
    write_package,
)
from glacier_qgis.models.review.retraining.places import SceneFacts, read_place  # noqa: E402
from glacier_qgis.models.review.retraining.retrain import CorrectedPlace, retrain  # noqa: E402
from glacier_qgis.models.training.data.samples import LabelledScene  # noqa: E402
from glacier_qgis.models.training.delivered.caffe import read_caffe  # noqa: E402
from glacier_qgis.models.training.delivered.describe import describe, describe_series  # noqa: E402
from glacier_qgis.models.training.delivered.evaluate import (  # noqa: E402
    STAND_IN_CRS,
    front_values,
    reference_lines,
    write_scene,
)
from glacier_qgis.models.training.delivered.networks import STEM  # noqa: E402
from glacier_qgis.models.vector.lines import line_parts  # noqa: E402
from glacier_qgis.models.zones.codes import ROCK  # noqa: E402

GLACIERS = ("DBE", "JAC", "Jorum", "SI")
LABELS = (0, 1, 3, 5, 10)
MOSTLY = 0.9
"""Share of the scenes in which a cell must be labelled rock to count as known rock."""


@dataclass(frozen=True)
class World:
    """The scenes of one glacier as files.

    Attributes:
        folder: Holds them.
        scenes: With their labels, in order of time.
        fronts: The digitised fronts of each scene.
    """

    folder: Path
    scenes: Sequence[LabelledScene]
    fronts: dict[str, list[object]] = field(default_factory=dict)

    @property
    def rock(self) -> Path:
        """A raster of rock."""
        return self.folder / "rock.tif"

    def path(self, scene: LabelledScene) -> Path:
        """Return the file of a scene."""
        return self.folder / "scenes" / f"{scene.name}.tif"

    @classmethod
    def write(cls, folder: Path, scenes: Sequence[LabelledScene]) -> World:
        """Write scenes, and the rock that is seen in most of them."""
        (folder / "scenes").mkdir(parents=True)
        world = cls(folder, sorted(scenes, key=lambda scene: scene.date))
        for scene in world.scenes:
            transform = write_scene(scene, world.path(scene))
            world.fronts[scene.name] = [*reference_lines(scene, transform)]
        share = np.mean([scene.zones == ROCK for scene in world.scenes], axis=0)
        with open_raster(world.path(world.scenes[0])) as first:
            profile = first.profile
        with open_raster(world.rock, "w", **profile) as raster:
            raster.write((share >= MOSTLY).astype(np.uint8), 1)
        return world

    def series(self, package: Path, *, rock: bool) -> gpd.GeoDataFrame:
        """Delineate the series with a model."""
        target = self.folder / "termini.gpkg"
        with tempfile.TemporaryDirectory() as work, Outputs("00000000") as outputs:
            given: dict[str, object] = {
                "folder": self.folder / "scenes",
                "model": str(package),
                "work_folder": work,
                "output": target,
            }
            if rock:
                given["rock"] = {"path": str(self.rock)}
            TerminusTimeSeries.model_validate(given).run(Silent(), outputs)
        return gpd.read_file(target)

    def errors(self, lines: gpd.GeoDataFrame, leave_out: set[str]) -> dict[str, float | int]:
        """Return the error over all scenes but some."""
        return front_values(
            [
                (line_parts(lines.geometry[lines["image_id"] == image_id(scene)]), fronts)
                for scene in self.scenes
                if scene.name not in leave_out
                for fronts in [self.fronts[scene.name]]
            ]
        )

    def facts(self, corrected: set[str]) -> list[SceneFacts]:
        """Return what a review would say of the scenes."""
        return [
            SceneFacts(
                path=str(self.path(scene)),
                name=scene.name,
                glacier=scene.group,
                date=scene.date,
                lines=tuple(self.fronts[scene.name] if scene.name in corrected else ()),
                crs=CRS.from_user_input(STAND_IN_CRS),
            )
            for scene in self.scenes
        ]


def image_id(scene: LabelledScene) -> str:
    """Return the attribute by which lines name their scene."""
    return parse_scene_name(scene.name).image_id


def base(glacier: str, given: argparse.Namespace, folder: Path) -> Path:
    """Return the package of the networks that were trained without a glacier."""
    lone, series = (
        read_weights(given.runs / f"{kind}_{glacier}{given.suffix}" / "weights.safetensors")
        for kind in ("unet", "series")
    )
    architectures = [
        Architecture(
            name="unet",
            parameters={
                "bands": weights[FIRST].shape[1] // STEM**2,
                "classes": 4,
                "width": weights[FIRST].shape[0],
                "stem": STEM,
            },
        )
        for weights in (lone, series)
    ]
    card = describe(f"without_{glacier}", architectures[0], [], split=glacier)
    card = card.model_copy(update={"series": describe_series(architectures[1])})
    save_package(folder, card, lone, series)
    return folder


def ranked(world: World, lines: gpd.GeoDataFrame) -> list[int]:
    """Return the scenes in the order of the review's queue, without an audit."""
    stated, doubtful = [], []
    for scene in world.scenes:
        own = lines[lines["image_id"] == image_id(scene)]
        stated.append(float(own["uncertainty_m"].mean()) if len(own) else np.nan)
        doubtful.append(not len(own) or bool(own["outlier"].any()))
    score = scores(np.array(stated), np.array(doubtful))
    days = np.array([np.datetime64(scene.date).astype(float) for scene in world.scenes])
    place = np.zeros(len(days), np.int64)
    return [chosen.index for chosen in queue(score, place, days, len(days), 0.0, 0)]


def adapt(
    world: World, package: Path, corrected: set[str], given: argparse.Namespace, *, rock: bool
) -> tuple[Path, str]:
    """Return the package of a model adapted to corrected scenes, and how long it was trained."""
    model = load_package(package)
    source = RasterInput(path=str(world.rock)) if rock else None
    facts = sorted(world.facts(corrected), key=lambda scene: scene.name not in corrected)
    place, _ = read_place(facts, model.card, source)
    there = CorrectedPlace(place, dict.fromkeys(corrected, True), {})
    pace = Pace(given.steps, given.minutes, 1, torch.device("cpu"))
    result = retrain(model, [there], [], pace, Silent(), rock=rock, held=False)
    trained_on = TrainingData(
        dataset="corrections",
        credit="",
        licence="",
        doi="",
        groups=[place.glacier],
        images=len(corrected),
        first_date="",
        last_date="",
    )
    adapted = adapted_to(place.glacier, [], place.grid, model.card.weights.sha256)
    card = retrained_card(model.card, "adapted", result, trained_on, "", [], adapted)
    path = world.folder / "adapted.zip"
    write_package(card, result, path)
    return find_model(str(path)), f"{result.stop.done:.0%}"


def chosen(world: World, order: str, draw: int, lines: gpd.GeoDataFrame) -> list[str]:
    """Return the names of scenes in the order in which they are corrected."""
    places = ranked(world, lines)
    if order == "random":
        places = np.random.default_rng(draw).permutation(len(world.scenes)).tolist()
    return [world.scenes[place].name for place in places]


CASE = ("glacier", "rock", "order", "draw", "labels", "scenes", "steps")
"""Columns that name a row."""


def rows_kept(path: Path) -> list[dict[str, object]]:
    """Return the rows of earlier runs."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def lines_of_table(
    glacier: str, given: argparse.Namespace, kept: Sequence[dict[str, object]]
) -> Iterator[dict[str, object]]:
    """Yield one row per adapted model of a glacier that is not kept."""
    there = {tuple(row.get(name) for name in CASE) for row in kept}
    every = [scene for scene in read_caffe(given.data / "caffe256") if scene.group == glacier]
    every.sort(key=lambda scene: scene.date)
    count = min(given.scenes or len(every), len(every))
    some = [every[place] for place in np.linspace(0, len(every) - 1, count).round().astype(int)]
    with tempfile.TemporaryDirectory(prefix="adapt-") as name:
        world = World.write(Path(name) / "world", some)
        package = base(glacier, given, Path(name) / "base")
        first = world.series(package, rock=False)
        for rock in map(bool, given.rock):
            before = world.series(package, rock=True) if rock else first
            for order in given.orders:
                for draw in range(given.draws if order == "random" else 1):
                    names = chosen(world, order, draw, first)
                    for labels in given.labels:
                        corrected = set(names[:labels])
                        row = {"glacier": glacier, "rock": rock, "order": order, "draw": draw}
                        row |= {"labels": labels, "scenes": given.scenes, "steps": given.steps}
                        if tuple(row[name] for name in CASE) in there:
                            continue
                        start, stop, lines = time.monotonic(), "", before
                        if labels:
                            new, stop = adapt(world, package, corrected, given, rock=rock)
                            row["minutes"] = round((time.monotonic() - start) / 60, 1)
                            lines = world.series(new, rock=rock)
                        yield (
                            row
                            | {"stop": stop}
                            | world.errors(lines, corrected)
                            | {
                                f"same_{key}": value
                                for key, value in world.errors(before, corrected).items()
                                if key.startswith("mde")
                            }
                        )


def main() -> None:
    """Print a row per adapted model; keep all numbers as JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("GLACIER_DATA"))
    parser.add_argument("--runs", type=Path, required=True, help="folder of the base networks")
    parser.add_argument("--suffix", default="_3", help="of the base networks' folders")
    parser.add_argument("--glaciers", nargs="+", choices=GLACIERS, default=GLACIERS)
    parser.add_argument("--labels", nargs="+", type=int, default=LABELS)
    parser.add_argument("--orders", nargs="+", choices=("ranked", "random"), default=["ranked"])
    parser.add_argument("--draws", type=int, default=3, help="of the random order")
    parser.add_argument("--rock", nargs="+", type=int, choices=(0, 1), default=[0, 1])
    parser.add_argument("--scenes", type=int, default=0, help="of each glacier; 0 = all")
    parser.add_argument("--steps", type=int, default=1000, help="of each training")
    parser.add_argument("--minutes", type=float, default=10.0, help="of one adaptation")
    given = parser.parse_args()
    given.data = Path(given.data)
    kept = given.runs / "adapted.jsonl"
    for glacier in given.glaciers:
        for row in lines_of_table(glacier, given, rows_kept(kept)):
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            sys.stdout.write(
                f"{row['glacier']:6} rock {row['rock']} {row['order']} {row['draw']}: "
                f"{row['labels']:2} corrected, {row['mde_box_m']} m in the box "
                f"(before {row['same_mde_box_m']}), {row['mde_scene_m']} m over the scene "
                f"(before {row['same_mde_scene_m']}), {row['missed_box']} of {row['images']} "
                f"missed, {row.get('minutes', 0)} min, stop {row['stop']}\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
