"""How far lines move when the weights of the delivered models are stored in fewer bits.

    git archive ff03064 models/zoo | tar -x -C build
    GLACIER_DATA=... build/engine/bin/python benchmarks/half_precision.py --zoo build/models/zoo

Real scenes are delineated by the toolbox' own jobs with the weights as they are in the packages of
``--zoo`` (that commit has all in float32), and with the same as float16 and as `compact` stores
them. Each network sees the scenes that it is for; a network for series sees them as series.
Distances are those of the vertices of either line to the other, in cells of the model.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "build" / "plugins"))

import geopandas as gpd
import numpy as np
import shapely
from front_inference import moved, write_scene
from skimage import io
from torch import Tensor

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries
from glacier_qgis.models.package.folder import CARD, read_card, save_package
from glacier_qgis.models.package.weights import compact, read_weights
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.delivered.caffe import read_caffe
from glacier_qgis.models.training.delivered.front_lines import read_front_lines

ALLOWED = 0.1
"""Cells that a line may move."""
OPTICAL_CASES = {"optical_cases/*_image.png": 30.0, "calfin_crops/*.png": 60.0}
"""Pictures without a place, and the size of their pixels (m); that of the latter is assumed."""
Lines = dict[str, shapely.MultiLineString]


def optical_cases(data: Path) -> Iterator[LabelledScene]:
    """Yield optical pictures that no model was trained on, their bands averaged."""
    for pattern, cell in OPTICAL_CASES.items():
        for path in sorted(data.glob(pattern)):
            picture = io.imread(path)
            grey = picture if picture.ndim == 2 else picture[..., :3].mean(axis=2)
            blank = np.zeros(grey.shape, np.uint8)
            yield LabelledScene(
                name=path.stem,
                group="",
                date="",
                image=grey.astype(np.uint8),
                zones=blank,
                traced=blank > 0,
                cell_size=(cell, cell),
            )


def lone_lines(scenes: list[Path], model: Path, folder: Path) -> Lines:
    """Delineate each scene by itself."""
    found = {}
    for scene in scenes:
        job = {"input": {"path": str(scene)}, "model": str(model), "output": folder / "lines.gpkg"}
        with Outputs("00000000") as outputs:
            DelineateTermini.model_validate(job).run(Silent(), outputs)
        found[scene.stem] = _lines(gpd.read_file(folder / "lines.gpkg"))
    return found


def series_lines(scenes: Path, model: Path, folder: Path) -> Lines:
    """Delineate the scenes of a folder as a series."""
    job = {
        "folder": scenes,
        "model": str(model),
        "work_folder": folder / f"work_{model.name}_{scenes.name}",
        "output": folder / "lines.gpkg",
    }
    with Outputs("00000000") as outputs:
        TerminusTimeSeries.model_validate(job).run(Silent(), outputs)
    frame = gpd.read_file(folder / "lines.gpkg")
    return {f"{scenes.name} {name}": _lines(part) for name, part in frame.groupby("image_id")}


def _lines(frame: gpd.GeoDataFrame) -> shapely.MultiLineString:
    return shapely.MultiLineString(shapely.get_parts(frame.geometry.values).tolist())


def in_half(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state dictionary whose kernels are float16."""
    return {name: value.half() if value.ndim > 1 else value for name, value in state.items()}


WAYS: dict[str, Callable[[Mapping[str, Tensor]], dict[str, Tensor]]] = {
    "float16": in_half,
    "24 bits": compact,
}


def stored(package: Path, way: str, folder: Path) -> Path:
    """Write a package whose weights are stored in one of the ways."""
    card = read_card(package)
    states = [WAYS[way](read_weights(package / part.file)) for part in card.all_weights]
    save_package(folder / way, card, *states)
    return folder / way


def tell(name: str, before: Lines, after: Lines, cell: float) -> bool:
    """Print how far the lines of a network moved; return whether that is little enough."""
    empty = shapely.MultiLineString()
    shifts = {
        scene: moved(before.get(scene, empty), after.get(scene, empty)) / cell
        for scene in {**before, **after}
    }
    steps = np.concatenate(list(shifts.values()))
    far = {scene: shift.max() for scene, shift in shifts.items() if (shift > ALLOWED).any()}
    numbers = sum(len(before[s].geoms) != len(after.get(s, empty).geoms) for s in before)
    mean = max(shift.mean() for shift in shifts.values() if shift.size)
    print(
        f"{name}: {len(shifts)} scenes, {steps.size} vertices: median {np.median(steps):.3f}, "
        f"99.9 % {np.quantile(steps, 0.999):.3f}, most {steps.max():.3f} cells; further than "
        f"{ALLOWED} in {len(far)} scenes, mean of the line that moved most {mean:.3f}; another "
        f"number of lines in {numbers} scenes",
        flush=True,
    )
    return not far and not numbers


def main() -> int:
    """Compare all networks; 0 if 24 bits move no line too far."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--zoo", type=Path, required=True, help="folder of packages")
    parser.add_argument("--models", nargs="+", help="names of packages; all by default")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--every", type=int, default=1, help="take each n-th scene")
    given = parser.parse_args()
    data = Path(os.environ["GLACIER_DATA"])
    passed = True
    for path in sorted(given.zoo.glob(f"*/{CARD}")):
        if not given.models or path.parent.name in given.models:
            passed &= compare(path.parent, data, given.every, given.ways)
    return 0 if passed else 1


def compare(package: Path, data: Path, every: int, ways: list[str]) -> bool:
    """Compare the networks of a package; return whether no line moves too far in 24 bits."""
    card = read_card(package)
    passed = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenes = write_scenes(folder / "scenes", data, every, radar="radar" in card.sensors)
        models = {way: stored(package, way, folder) for way in ways}
        before = lone_lines(scenes, package, folder)
        for way, model in models.items():
            after = lone_lines(scenes, model, folder)
            enough = tell(f"{card.name}, lone scenes, {way}", before, after, card.cell_size_m)
            passed &= enough or way != "24 bits"
        if card.series:
            places = sorted(path for path in (folder / "scenes").iterdir() if path.is_dir())
            before = all_series(places, package, folder)
            for way, model in models.items():
                after = all_series(places, model, folder)
                enough = tell(f"{card.name}, series, {way}", before, after, card.cell_size_m)
                passed &= enough or way != "24 bits"
    return passed


def write_scenes(folder: Path, data: Path, every: int, *, radar: bool) -> list[Path]:
    """Write the scenes that a model is for, those of one place into one folder."""
    if radar:
        scenes = [data / "helheim_s1" / "helheim_S1_20180602.tif"]
        labelled = read_caffe(data / "caffe256")[::every]
    else:
        scenes = []
        labelled = read_front_lines(data / "landsat_greenland" / "train")[::every]
        labelled += optical_cases(data)
    for scene in labelled:
        place = folder / scene.group
        place.mkdir(parents=True, exist_ok=True)
        scenes.append(place / f"{scene.name}.tif")
        write_scene(scene, scenes[-1])
    return scenes


def all_series(places: list[Path], model: Path, folder: Path) -> Lines:
    """Delineate the scenes of each place as a series."""
    found: Lines = {}
    for place in places:
        found |= series_lines(place, model, folder)
    return found


if __name__ == "__main__":
    sys.exit(main())
