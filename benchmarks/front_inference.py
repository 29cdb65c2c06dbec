"""How fast fronts are found, and that being fast moves none of them.

    build/engine/bin/python benchmarks/front_inference.py network [--rounds N]
    GLACIER_DATA=... build/engine/bin/python benchmarks/front_inference.py lines [--every N]

``network`` gives the processor time of one thread for the same tiles, in turn with ONNX
Runtime. ``lines`` gives how far lines of real scenes move, in cells of the model's grid.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

sys.path.append(str(Path(__file__).parents[1] / "build" / "plugins"))

from glacier_qgis.models.compute.device import rest_idle_threads, tune_allocator

rest_idle_threads()
tune_allocator()

import geopandas as gpd  # noqa: E402  after the threads are set up
import numpy as np  # noqa: E402
import rasterio  # noqa: E402
import shapely  # noqa: E402
import torch  # noqa: E402
from affine import Affine  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from glacier_qgis.models.compute.device import tune_allocator  # noqa: E402
from glacier_qgis.models.engine.events import Silent  # noqa: E402
from glacier_qgis.models.engine.outputs import Outputs  # noqa: E402
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini  # noqa: E402
from glacier_qgis.models.fronts.segmentation import predictor as inference  # noqa: E402
from glacier_qgis.models.fronts.segmentation import segment  # noqa: E402
from glacier_qgis.models.fronts.segmentation.predictor import TILE, Predictor, fold_normalisation  # noqa: E402
from glacier_qgis.models.package.folder import Model, load_package  # noqa: E402
from glacier_qgis.models.package.registry import find_model  # noqa: E402
from glacier_qgis.models.training.data.samples import LabelledScene  # noqa: E402
from glacier_qgis.models.training.delivered.caffe import read_caffe  # noqa: E402

CPU = torch.device("cpu")
SMALL_TILE = 256
"""Real scenes here are as large as one tile; smaller ones make many of them."""


def network_times(rounds: int) -> None:
    """Print the time of each way to compute a tile, and its ratio to ONNX Runtime."""
    torch.set_num_threads(1)
    model = load_package(find_model(""))
    tiles = np.random.default_rng(0).random((1, len(model.card.channels), TILE, TILE), np.float32)
    ways = {"ONNX Runtime": onnx_runtime(model, tiles), **torch_ways(model, tiles)}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            start = time.process_time()
            way()
            if turn:  # the first only warms up
                times[name].append(time.process_time() - start)
    for name, seconds in times.items():
        ratios = [a / b for a, b in zip(times["ONNX Runtime"], seconds, strict=True)]
        print(
            f"{name:<36} {statistics.median(seconds):6.3f} s per tile, "
            f"{statistics.median(ratios):5.2f} × ONNX Runtime ({min(ratios):.2f} to "
            f"{max(ratios):.2f})",
            flush=True,
        )


def onnx_runtime(model: Model, tiles: np.ndarray) -> Callable[[], object]:
    """Return the network as ONNX Runtime computes it, softmax included."""
    import onnxruntime

    network = nn.Sequential(model.network, nn.Softmax(dim=1)).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "network.onnx")
        torch.onnx.export(
            network, (torch.from_numpy(tiles),), path, input_names=["tiles"], verbose=False
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"tiles": tiles})


def torch_ways(model: Model, tiles: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return the ways that torch computes it, one change after the other."""
    folder = find_model("")

    def plain(network: nn.Module, memory: torch.memory_format) -> Callable[[], object]:
        network = network.to(memory_format=memory)  # type: ignore[call-overload]
        inputs = torch.from_numpy(tiles).contiguous(memory_format=memory)

        def compute() -> Tensor:
            with torch.inference_mode():
                return network(inputs).softmax(dim=1).contiguous()

        return compute

    folded = load_package(folder).network
    fold_normalisation(folded)
    codes = [zone.value for zone in model.card.classes]
    shipped = Predictor(load_package(folder).network, CPU, codes)
    looking = AllHalf(load_package(folder).network, CPU, codes, half=torch.bfloat16)
    return {
        "torch": plain(load_package(folder).network, torch.contiguous_format),
        "… channels last": plain(load_package(folder).network, torch.channels_last),
        "… normalisation folded": plain(folded, torch.channels_last),
        "the product, float32": lambda: shipped(tiles, 0),
        "the product, first look in bfloat16": lambda: looking(tiles, 0),
    }


class Float32(Predictor):
    """Without a first look."""

    def __init__(self, *given: object, **options: object) -> None:
        super().__init__(*given, **{**options, "half": None})  # type: ignore[arg-type]


class FirstLook(Predictor):
    """Looks first wherever it is allowed to, whether it pays or not."""

    def __init__(self, *given: object, **options: object) -> None:
        super().__init__(*given, **{**options, "half": torch.bfloat16})  # type: ignore[arg-type]


class AllHalf(FirstLook):
    """Believes the first look."""

    def _looking_first(self, inputs: Tensor, row: int) -> Tensor:
        return self._probabilities(inputs, torch.bfloat16)


def line_shifts(every: int) -> None:
    """Print how far the lines of real scenes move from those of float32."""
    data = Path(os.environ["GLACIER_DATA"])
    ways = {"bfloat16 throughout": AllHalf, "a first look": FirstLook}
    shifts: dict[str, list[np.ndarray]] = {name: [] for name in ways}
    cell = load_package(find_model("")).card.cell_size_m
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenes = [data / "helheim_s1" / "helheim_S1_20180602.tif"]
        for scene in read_caffe(data / "caffe256")[::every]:
            scenes.append(folder / f"{scene.name}.tif")
            write_scene(scene, scenes[-1])
        for path in scenes:
            exact = lines(path, folder, Float32)
            for way, predictor in ways.items():
                shifts[way].append(moved(exact, lines(path, folder, predictor)) / cell)
    for way, found in shifts.items():
        steps = np.concatenate(found)
        print(
            f"{way:<20} {len(scenes)} scenes, {steps.size} vertices: median "
            f"{np.median(steps):.3f}, 99.9 % {np.quantile(steps, 0.999):.3f}, most "
            f"{steps.max():.3f} cells; further than 0.1 in "
            f"{sum((one > 0.1).any() for one in found)} scenes",
            flush=True,
        )


def lines(scene: Path, folder: Path, predictor: type[Predictor]) -> shapely.MultiLineString:
    """Delineate a scene with a kind of predictor, in small tiles."""
    job = {"input": {"path": str(scene)}, "output": folder / "lines.gpkg", "tile_size": SMALL_TILE}
    with (
        patch.object(segment, "Predictor", predictor),
        patch.object(inference, "WORTH", 1.0),
        Outputs("00000000") as outputs,
    ):
        DelineateTermini.model_validate(job).run(Silent(), outputs)
    frame = gpd.read_file(folder / "lines.gpkg")
    return shapely.MultiLineString(shapely.get_parts(frame.geometry.values).tolist())


def write_scene(scene: LabelledScene, path: Path) -> None:
    """Write an image with the true size of its pixels, in a stand-in CRS."""
    height, width = scene.image.shape
    transform = Affine.scale(scene.cell_size[0], -scene.cell_size[1])
    form = {"driver": "GTiff", "dtype": "uint8", "count": 1, "height": height, "width": width}
    with rasterio.open(path, "w", crs="EPSG:3031", transform=transform, **form) as target:
        target.write(scene.image, 1)


def moved(one: shapely.MultiLineString, other: shapely.MultiLineString) -> np.ndarray:
    """Return the distance of each vertex of either to the other, m; infinite if one has none."""
    if one.is_empty and other.is_empty:
        return np.empty(0)
    if one.is_empty or other.is_empty:
        return np.array([np.inf])
    there, back = (shapely.points(shapely.get_coordinates(line)) for line in (one, other))
    return np.concatenate([shapely.distance(there, other), shapely.distance(back, one)])


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["network", "lines"])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--every", type=int, default=10, help="take each n-th CaFFe image")
    given = parser.parse_args()
    tune_allocator()  # as the engine does before any job
    if given.what == "network":
        network_times(given.rounds)
    else:
        line_shifts(given.every)


if __name__ == "__main__":
    main()
