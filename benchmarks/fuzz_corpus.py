"""Small valid files of every format that the engine reads, and how a job opens each."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import h5py
import numpy as np
import onnx
import rasterio
import rasterio.shutil
import torch
from affine import Affine
from pyproj import CRS
from shapely import LineString, Polygon

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.jobs.change import TerminusChange
from glacier_qgis.models.fronts.jobs.scene import ExtractTermini, SegmentCalvingFront
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.iceflow.balance.forcing import read_curves
from glacier_qgis.models.iceflow.balance.inputs import read_bands
from glacier_qgis.models.iceflow.dynamics.conservation import Budget
from glacier_qgis.models.iceflow.dynamics.simulation import Snapshot
from glacier_qgis.models.iceflow.emulators.reading import read_card as emulator_card
from glacier_qgis.models.iceflow.emulators.reading import read_core
from glacier_qgis.models.iceflow.ground.units import read_metres
from glacier_qgis.models.iceflow.results.netcdf import create_simulation_file
from glacier_qgis.models.iceflow.results.resume import read_history
from glacier_qgis.models.networks.unet import UNet
from glacier_qgis.models.package.archive import pack, unpack
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.package.folder import CARD, load_package, save_package
from glacier_qgis.models.package.onnx_card import import_onnx
from glacier_qgis.models.raster.footprint import work_grid
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import open_raster
from glacier_qgis.models.training.delivered.describe import describe
from glacier_qgis.models.vector.source import read_lines, read_polygons

EDGE = 64
UTM = CRS.from_epsg(32624)
PLACE = Affine(60, 0, 500_000, 0, -60, 7_300_000)


def _nothing(folder: Path) -> None:
    """Leave a mutant as it is."""


@dataclass(frozen=True)
class Kind:
    """One format.

    Attributes:
        name: For the table.
        folder: With the valid files.
        victims: Names of those that are changed.
        open: Opens the files of a folder as a job does.
        prepare: What an attacker would do after the change, such as correct a hash.
    """

    name: str
    folder: Path
    victims: tuple[str, ...]
    open: Callable[[Path], object]
    prepare: Callable[[Path], None] = field(default=_nothing)


def make(folder: Path) -> list[Kind]:
    """Write the corpus."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    folder.mkdir()
    model = folder / "tiny"
    _save_model(model)
    kinds = [
        *_scenes(folder, model),
        *_elevations(folder),
        _resumable(folder),
        *_layers(folder),
        *_models(folder, model),
        *_emulators(folder),
    ]
    for kind in kinds:
        kind.open(shutil.copytree(kind.folder, folder / f"valid {kind.name}"))
    return kinds


def _write(path: Path, driver: str, values: np.ndarray, **options: object) -> Path:
    bands, height, width = values.shape
    shape = {"height": height, "width": width, "count": bands, "dtype": values.dtype}
    path.parent.mkdir(exist_ok=True, parents=True)
    with rasterio.open(
        path, "w", driver=driver, **shape, crs=UTM.to_wkt(), transform=PLACE, **options
    ) as target:
        target.write(values)
    return path


def _scenes(folder: Path, model: Path) -> list[Kind]:
    source = folder / "scene.tif"
    SyntheticScene(size=EDGE, cell_size=60.0).write(source)
    with rasterio.open(source) as dataset:
        values, tags = dataset.read(), {"nodata": dataset.nodata}
    byte = np.clip(np.nan_to_num(values) * 255, 0, 255).astype(np.uint8)
    tiles = {"tiled": True, "blockxsize": 16, "blockysize": 16}

    def segment(name: str) -> Callable[[Path], object]:
        def job(work: Path) -> object:
            given = {"input": {"path": str(work / name)}, "model": str(model), "tta": False}
            return _run(SegmentCalvingFront.model_validate({**given, "output": work / "out.tif"}))

        return job

    made = [
        ("GeoTIFF, strips", "a.tif", _write(folder / "tif" / "a.tif", "GTiff", values, **tags)),
        (
            "GeoTIFF, tiles, deflate",
            "a.tif",
            _write(
                folder / "tiles" / "a.tif", "GTiff", values, compress="deflate", **tiles, **tags
            ),
        ),
        (
            "GeoTIFF, tiles, LZW",
            "a.tif",
            _write(folder / "lzw" / "a.tif", "GTiff", byte, compress="lzw", predictor=2, **tiles),
        ),
        ("JPEG2000", "a.jp2", _write(folder / "jp2" / "a.jp2", "JP2OpenJPEG", byte)),
        ("PNG", "a.png", _write(folder / "png" / "a.png", "PNG", byte)),
    ]
    kinds = [Kind(title, path.parent, (name,), segment(name)) for title, name, path in made]
    mosaic = folder / "vrt"
    _write(mosaic / "part.tif", "GTiff", byte)
    rasterio.shutil.copy(mosaic / "part.tif", mosaic / "a.vrt", driver="VRT")
    kinds.append(Kind("VRT", mosaic, ("a.vrt",), segment("a.vrt")))
    zones = np.full((1, EDGE, EDGE), 3, np.uint8)
    zones[:, :, EDGE // 2 :] = 4
    _write(folder / "zones" / "a.tif", "GTiff", zones, nodata=0, compress="lzw")

    def extract(work: Path) -> object:
        given = {"input": {"path": str(work / "a.tif")}, "output": work / "out.gpkg"}
        return _run(ExtractTermini.model_validate({**given, "min_area": 0}))

    return [*kinds, Kind("zones GeoTIFF", folder / "zones", ("a.tif",), extract)]


def _elevations(folder: Path) -> list[Kind]:
    row = np.arange(EDGE, dtype=np.float32)
    heights = np.broadcast_to(1000 + row[:, None] + row, (12, EDGE, EDGE)).copy()
    plain = _write(folder / "dem" / "a.tif", "GTiff", heights[:1], nodata=-9999)
    bands = _write(folder / "bands" / "a.tif", "GTiff", heights / 1000, compress="deflate")
    kinds = []
    for title, name, driver, options in (
        ("NetCDF 4 DEM", "nc4", "netCDF", {"FORMAT": "NC4", "COMPRESS": "DEFLATE"}),
        ("NetCDF 3 DEM", "nc3", "netCDF", {"FORMAT": "NC"}),
        ("ERDAS DEM", "img", "HFA", {}),
        ("ASCII DEM", "asc", "AAIGrid", {}),
    ):
        path = folder / name / f"a.{name[:2] if driver == 'netCDF' else name}"
        path.parent.mkdir()
        rasterio.shutil.copy(plain, path, driver=driver, **options)

        def surface(work: Path, name: str = path.name) -> object:
            with open_raster(RasterInput(path=str(work / name)), "SURFACE") as scene:
                return read_metres(scene, work_grid(scene), "metre", None, Silent())

        kinds.append(Kind(title, path.parent, (path.name,), surface))

    def climate(work: Path) -> object:
        source = RasterInput(path=str(work / "a.tif"))
        with open_raster(source) as scene:
            grid = work_grid(scene)
        return read_bands(source, "TEMPERATURE", grid, Silent())

    return [*kinds, Kind("climate GeoTIFF", bands.parent, ("a.tif",), climate)]


def _resumable(folder: Path) -> Kind:
    path = folder / "resume" / "a.nc"
    path.parent.mkdir()
    grid = Grid(UTM, PLACE, 24, 32)
    field = np.ones(grid.shape, np.float32)
    facts = {"SOFTWARE": "x", "EMULATOR": "x", "CREATED": "x", "ALGORITHM": "x"}
    with create_simulation_file(path, grid, field, facts | {"PARAMETERS": '{"end": 3}'}) as file:
        for year in range(3):
            budget = Budget(1.0, 1.0, 0.0, 0.0, 0.0)
            state = (field, field, field, field, field, 1.0, 1.0, 1.0, budget, 4)
            file.append(Snapshot(float(year), *state), {})

    def resume(work: Path) -> object:
        history = read_history(work / "a.nc", None)
        return history.last, [*history.earlier()], history.differences({"end": 4.0})

    return Kind("NetCDF of RESUME", path.parent, (path.name,), resume)


def _layers(folder: Path) -> list[Kind]:
    lines = [
        LineString([(500_000 + 40 * n, 7_300_000), (500_900 + 40 * n, 7_302_000 + 10 * n)])
        for n in range(6)
    ]
    dates = [f"201{n}-07-0{n + 1}" for n in range(6)]
    termini = gpd.GeoDataFrame({"date": dates, "glacier": "Åsa"}, geometry=lines, crs=UTM)
    flow = gpd.GeoDataFrame(
        geometry=[LineString([(499_000, 7_301_000), (503_000, 7_301_000)])], crs=UTM
    )
    area = [Polygon([(0, 0), (900, 0), (900, 900), (0, 900)], [[(9, 9), (9, 99), (99, 99)]])] * 3
    areas = gpd.GeoDataFrame({"a": [1, 2, 3]}, geometry=area, crs=UTM).translate(500_000, 7_300_000)
    flow.to_file(_own(folder / "flow.gpkg"))
    kinds = []
    for title, ending, driver in (
        ("GeoPackage", "gpkg", "GPKG"),
        ("shapefile", "shp", "ESRI Shapefile"),
        ("GeoJSON", "geojson", "GeoJSON"),
        ("FlatGeobuf", "fgb", "FlatGeobuf"),
        ("KML", "kml", "KML"),
    ):
        for what, frame in (("lines", termini), ("polygons", areas.to_frame("geometry"))):
            place = folder / f"{ending} {what}"
            place.mkdir()
            path = place / f"a.{ending}"
            frame = frame.to_crs(4326) if driver in ("GeoJSON", "KML") else frame
            frame.to_file(path, driver=driver, engine="pyogrio")
            victims = tuple(sorted(each.name for each in place.iterdir() if each.suffix != ".cpg"))

            def read(work: Path, name: str = path.name, what: str = what) -> object:
                source = VectorInput(path=str(work / name))
                if what == "polygons":
                    return read_polygons(source, UTM, "MASK")
                read_lines(source, "INPUT")
                given = {
                    "termini": source,
                    "centerline": VectorInput(path=str(folder / "flow.gpkg")),
                    "output": work / "out.gpkg",
                }
                return _run(TerminusChange.model_validate(given))

            kinds.append(Kind(f"{title}, {what}", place, victims, read))
    table = folder / "csv" / "a.csv"
    table.parent.mkdir()
    table.write_text("year,temperature,note\n" + "".join(f"{y},{y / 7:.2f},å\n" for y in range(9)))

    def courses(work: Path) -> object:
        source = VectorInput(path=str(work / "a.csv"))
        return read_curves(source, "TABLE", ["temperature"], None)

    return [*kinds, Kind("CSV", table.parent, (table.name,), courses)]


def _own(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    return path


def _save_model(folder: Path) -> None:
    parameters = {"bands": 2, "classes": 4, "width": 4, "levels": 1, "dilations": [1, 2]}
    card = describe("tiny", Architecture(name="unet", parameters=parameters), [], "none")
    network = UNet(**parameters)
    save_package(folder, card.model_copy(update={"cell_size_m": 60.0}), network.state_dict())


def _models(folder: Path, model: Path) -> list[Kind]:
    zipped = folder / "zip"
    zipped.mkdir()
    pack(model, zipped / "a.zip")
    graph = folder / "onnx"
    graph.mkdir()
    _save_onnx(graph / "a.onnx")

    def rehash(work: Path) -> None:
        card = json.loads((work / CARD).read_text(encoding="utf-8"))
        content = (work / card["weights"]["file"]).read_bytes()
        card["weights"]["sha256"] = hashlib.sha256(content).hexdigest()
        (work / CARD).write_text(json.dumps(card), encoding="utf-8")

    def unzip(work: Path) -> object:
        return unpack(work / "a.zip", work / "out"), load_package(work / "out")

    return [
        Kind("card.json", model, (CARD,), load_package),
        Kind("safetensors", model, ("weights.safetensors",), load_package, rehash),
        Kind("package zip", zipped, ("a.zip",), unzip),
        Kind("ONNX", graph, ("a.onnx",), lambda work: import_onnx(work / "a.onnx", work / "out")),
    ]


def _save_onnx(path: Path) -> None:
    describe_value, real = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    weights = {"w": np.ones((2, 1, 3, 3), np.float32), "b": np.array([1, -1], np.float32)}
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("Conv", ["image", "w", "b"], ["logits"], pads=[1, 1, 1, 1]),
            onnx.helper.make_node("Softmax", ["logits"], ["out"], axis=1),
        ],
        "small",
        [describe_value("image", real, ["batch", 1, "size", "size"])],
        [describe_value("out", real, ["batch", 2, "size", "size"])],
        [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opset = onnx.helper.make_opsetid("", 18)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9)
    stated = {
        "model_type": "Segmentor",
        "class_names": {"0": "glacier", "1": "ocean"},
        "resolution": 1000,
        "tile_size": 128,
        "tiles_overlap": 10,
        "standardization_mean": [0.4],
        "standardization_std": [0.2],
    }
    onnx.helper.set_model_props(model, {key: json.dumps(value) for key, value in stated.items()})
    onnx.save(model, str(path))


def _emulators(folder: Path) -> list[Kind]:
    listed = folder / "emulator" / "100"
    listed.mkdir(parents=True)
    chance = np.random.default_rng(0)
    shapes = {"conv2d": (3, 3, 5, 8), "conv2d_1": (3, 3, 8, 8), "conv2d_2": (1, 1, 8, 2)}
    layers = [{"class_name": "InputLayer", "config": {"batch_input_shape": [None, None, None, 5]}}]
    for index, (name, shape) in enumerate(shapes.items()):
        layers.append({"class_name": "Conv2D", "config": _convolution(name, shape)})
        if index < len(shapes) - 1:
            leak = {"class_name": "LeakyReLU", "config": {"alpha": 0.01}, "inbound_nodes": [[]]}
            layers.append(leak)
    with h5py.File(listed / "model.h5", "w") as file:
        file.attrs["model_config"] = json.dumps({"config": {"layers": layers}})
        for name, shape in shapes.items():
            group = file.create_group(f"model_weights/{name}/{name}")
            group["kernel:0"] = chance.normal(size=shape).astype("f4")
            group["bias:0"] = np.zeros(shape[-1], "f4")
    inputs = ("thk", "slopsurfx", "slopsurfy", "arrhenius", "slidingco")
    (listed / "fieldin.dat").write_text("".join(f"{name} 100\n" for name in inputs))
    (listed / "fieldout.dat").write_text("ubar 1000\nvbar 1000\n")
    names = ("model.h5", "fieldin.dat", "fieldout.dat")

    def emulator(work: Path) -> object:
        return emulator_card(work), read_core(work)

    return [Kind("Keras HDF5 and lists", listed, names, emulator)]


def _convolution(name: str, shape: tuple[int, ...]) -> dict[str, object]:
    plain = {"activation": "linear", "use_bias": True, "strides": [1, 1], "dilation_rate": [1, 1]}
    return {
        "name": name,
        "kernel_size": [*shape[:2]],
        "padding": "same",
        "filters": shape[-1],
    } | plain


def _run(job: object) -> object:
    with Outputs("0123456789abcdef") as outputs:
        return job.run(Silent(), outputs)  # type: ignore[attr-defined]
