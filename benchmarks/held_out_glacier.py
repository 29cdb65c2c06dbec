"""The scenes of a glacier of CaFFe as a user has them, and a model that was trained without it."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PLUGINS = Path(__file__).parents[1] / "build" / "plugins"
sys.path.insert(0, str(PLUGINS))

import geopandas as gpd  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from pyproj import CRS  # noqa: E402
from rasterio import open as open_raster  # noqa: E402
from shapely import LineString  # noqa: E402

from glacier_qgis.models.compute.device import DeviceName  # noqa: E402
from glacier_qgis.models.engine.events import Silent  # noqa: E402
from glacier_qgis.models.engine.outputs import Outputs  # noqa: E402
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini  # noqa: E402
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries  # noqa: E402
from glacier_qgis.models.fronts.scene.names import parse_scene_name  # noqa: E402
from glacier_qgis.models.networks.unet import FIRST  # noqa: E402
from glacier_qgis.models.package.card import Architecture  # noqa: E402
from glacier_qgis.models.package.folder import save_package  # noqa: E402
from glacier_qgis.models.package.weights import read_weights  # noqa: E402
from glacier_qgis.models.review.queue.ranking import queue, scores  # noqa: E402
from glacier_qgis.models.review.retraining.places import SceneFacts  # noqa: E402
from glacier_qgis.models.training.data.samples import LabelledScene  # noqa: E402
from glacier_qgis.models.training.delivered.caffe import read_caffe  # noqa: E402
from glacier_qgis.models.training.delivered.describe import (  # noqa: E402
    describe,
    describe_series,
)
from glacier_qgis.models.training.delivered.evaluate import (  # noqa: E402
    STAND_IN_CRS,
    ImageDistances,
    reference_lines,
    write_scene,
)
from glacier_qgis.models.training.delivered.networks import STEM  # noqa: E402
from glacier_qgis.models.vector.lines import line_parts  # noqa: E402
from glacier_qgis.models.zones.codes import ROCK  # noqa: E402

GLACIERS = ("DBE", "JAC", "Jorum", "SI")
EACH = 4
"""Of so many scenes one is also delineated alone."""
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
    fronts: dict[str, list[LineString]] = field(default_factory=dict)

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

    def series(
        self, package: Path, *, rock: bool, device: DeviceName = "automatic"
    ) -> gpd.GeoDataFrame:
        """Delineate the series with a model."""
        with tempfile.TemporaryDirectory(prefix="series-") as name:
            given = {"folder": self.folder / "scenes", "work_folder": Path(name) / "work"}
            return self._lines(TerminusTimeSeries, given, package, rock, device)

    @property
    def some(self) -> set[str]:
        """The names of every `EACH`-th scene."""
        return {scene.name for scene in self.scenes[::EACH]}

    def alone(
        self, package: Path, *, rock: bool, device: DeviceName = "automatic"
    ) -> gpd.GeoDataFrame:
        """Delineate every `EACH`-th scene with a model, without the others."""
        found = []
        for scene in (scene for scene in self.scenes if scene.name in self.some):
            given = {"input": {"path": str(self.path(scene))}}
            lines = self._lines(DelineateTermini, given, package, rock, device)
            found.append(lines.assign(image_id=image_id(scene)))
        return pd.concat(found, ignore_index=True)

    def _lines(
        self,
        job: type[DelineateTermini | TerminusTimeSeries],
        given: Mapping[str, object],
        package: Path,
        rock: bool,
        device: DeviceName,
    ) -> gpd.GeoDataFrame:
        """Return the lines that an algorithm finds with a model."""
        with tempfile.TemporaryDirectory(prefix="termini-") as name:
            target = Path(name) / "termini.gpkg"
            asked = {**given, "model": str(package), "output": target, "device": device}
            if rock:
                asked["rock"] = {"path": str(self.rock)}
            with Outputs("00000000") as outputs:
                job.model_validate(asked).run(Silent(), outputs)
            return gpd.read_file(target)

    def distances(
        self, lines: gpd.GeoDataFrame, leave_out: Collection[str] = ()
    ) -> dict[str, ImageDistances]:
        """Return the distances from the digitised fronts, by the scenes' names."""
        return {
            scene.name: ImageDistances.of(
                line_parts(lines.geometry[lines["image_id"] == image_id(scene)]),
                self.fronts[scene.name],
            )
            for scene in self.scenes
            if scene.name not in leave_out
        }

    def ranked(self, lines: gpd.GeoDataFrame) -> list[str]:
        """Return the scenes' names in the order of the review's queue, without an audit."""
        stated, doubtful = [], []
        for scene in self.scenes:
            own = lines[lines["image_id"] == image_id(scene)]
            stated.append(float(own["uncertainty_m"].mean()) if len(own) else np.nan)
            doubtful.append(not len(own) or bool(own["outlier"].any()))
        score = scores(np.array(stated), np.array(doubtful))
        days = np.array([np.datetime64(scene.date).astype(float) for scene in self.scenes])
        order = queue(score, np.zeros(len(days), np.int64), days, len(days), 0.0, 0)
        return [self.scenes[chosen.index].name for chosen in order]

    def at_random(self, draw: int) -> list[str]:
        """Return the scenes' names in a random order."""
        order = np.random.default_rng(draw).permutation(len(self.scenes))
        return [self.scenes[place].name for place in order]

    def facts(self, corrected: Collection[str]) -> list[SceneFacts]:
        """Return what a review would say of the scenes, the corrected ones first."""
        every = [
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
        return sorted(every, key=lambda scene: scene.name not in corrected)


def image_id(scene: LabelledScene) -> str:
    """Return the attribute by which lines name their scene."""
    return parse_scene_name(scene.name).image_id


def some_scenes(data: Path, glacier: str, count: int) -> list[LabelledScene]:
    """Return scenes of a glacier, evenly spread over time; 0 for all."""
    every = [scene for scene in read_caffe(data / "caffe256") if scene.group == glacier]
    every.sort(key=lambda scene: scene.date)
    some = min(count or len(every), len(every))
    return [every[place] for place in np.linspace(0, len(every) - 1, some).round().astype(int)]


def ask_for_base(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which glaciers, and where their scenes and base networks are."""
    parser.add_argument("--data", type=Path, default=os.environ.get("GLACIER_DATA"))
    parser.add_argument("--runs", type=Path, required=True, help="folder of the base networks")
    parser.add_argument("--suffix", default="_3", help="of the base networks' folders")
    parser.add_argument("--glaciers", nargs="+", choices=GLACIERS, default=GLACIERS)


def base(glacier: str, runs: Path, suffix: str, folder: Path) -> Path:
    """Write the package of the networks that were trained without a glacier.

    Args:
        glacier: Its name.
        runs: Holds the networks' folders.
        suffix: Of these folders.
        folder: Of the package.
    """
    lone, series = (
        read_weights(runs / f"{kind}_{glacier}{suffix}" / "weights.safetensors")
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
