"""ONNX models: read, refused, run through the real jobs, written and found to be the same."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import shapely
import torch
from affine import Affine

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini, SegmentCalvingFront
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.package.export import ExportModel
from glacier_qgis.models.package.folder import load_package, read_card
from glacier_qgis.models.package.onnx_card import import_onnx
from glacier_qgis.models.package.onnx_export import TOLERANCE
from glacier_qgis.models.package.onnx_file import read_onnx
from glacier_qgis.models.package.registry import find_model
from kit.engine.jobs import run_job
from kit.engine.rasters import write_raster

onnx = pytest.importorskip("onnx", reason="the extra 'onnx' is not installed")

Write = Callable[..., Path]
NAMES = ("Water", "bare rock", "Glacier", "sea")
CENTRES = (20.0, 110.0, 210.0, 60.0)
CODES = np.array([4, 5, 3, 4], dtype=np.uint8)
CELL = 10.0


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def scene() -> npt.NDArray[np.uint8]:
    """Ocean on the left, then glacier, a corner of rock, and two kinds of water."""
    values = np.full((150, 170), 205, np.uint8)
    values[:, :60] = 25
    values[90:, :30] = 66
    values[:40, 130:] = 118
    return values


def write_scene(path: Path, values: npt.NDArray[np.generic]) -> Path:
    write_raster(path, values, Affine(CELL, 0, 500_000, 0, -CELL, 7_300_000), crs="EPSG:32624")
    return path


def zones(folder: Path, model: Path, **options: object) -> npt.NDArray[np.uint8]:
    source = write_scene(folder / "scene.tif", scene())
    job = {"input": {"path": str(source)}, "model": str(model), "output": folder / "zones.tif"}
    run_job(SegmentCalvingFront.model_validate({**job, **options}))
    with rasterio.open(folder / "zones.tif") as raster:
        return raster.read(1)


def nearest(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    distance = np.abs(values[..., None].astype(float) - np.array(CENTRES))
    return CODES[distance.argmin(axis=-1)]


@pytest.mark.parametrize("last", ["", "Softmax"])
@pytest.mark.parametrize("size", ["size", 64])
def test_every_cell_gets_the_class_that_the_model_means(
    deepness_model: Write, tmp_path: Path, size: int | str, last: str
) -> None:
    path = tmp_path / "Modell für Grönland.onnx"
    model = deepness_model(path, CENTRES, NAMES, size, last)
    np.testing.assert_array_equal(zones(tmp_path, model), nearest(scene()))
    card = read_card(find_model(str(model)))
    assert card.name == "Modell_f_r_Gr_nland"
    assert [(zone.value, zone.name) for zone in card.classes] == [
        (3, "glacier"),
        (4, "ocean"),
        (5, "bare rock"),
    ]
    assert (card.cell_size_m, card.has_mask) == (CELL, False)


def test_classes_of_their_own_have_names_in_the_raster(
    deepness_model: Write, tmp_path: Path
) -> None:
    model = deepness_model(tmp_path / "m.onnx", CENTRES, NAMES)
    zones(tmp_path, model, probability=tmp_path / "p.tif")
    table = (tmp_path / "zones.tif.aux.xml").read_text(encoding="utf-8")
    assert "bare rock" in table
    with rasterio.open(tmp_path / "p.tif") as raster:
        assert raster.descriptions == ("no data", "rock", "glacier", "ocean", "bare rock")
        stored = raster.read()
    assert (stored[:2] == 255).all()
    assert (stored[2:].argmax(axis=0) + 3 == nearest(scene())).all()


def test_the_front_lies_where_glacier_and_ocean_meet(deepness_model: Write, tmp_path: Path) -> None:
    model = deepness_model(tmp_path / "m.onnx", CENTRES, NAMES)
    source = write_scene(tmp_path / "scene.tif", scene())
    output = tmp_path / "lines.gpkg"
    job = {"input": {"path": str(source)}, "model": str(model), "output": output}
    run_job(DelineateTermini.model_validate(job))
    (line,) = gpd.read_file(output).geometry
    across = shapely.get_coordinates(line)[:, 0]
    assert np.abs(across - (500_000 + 60 * CELL)).max() < CELL / 2


@pytest.mark.parametrize("last", ["", "Sigmoid"])
def test_one_channel_is_the_second_of_two_classes(
    deepness_model: Write, tmp_path: Path, last: str
) -> None:
    names = ["background", "glacier"]
    model = deepness_model(tmp_path / "m.onnx", [150], names, last=last)
    found = zones(tmp_path, model)
    np.testing.assert_array_equal(found, np.where(scene() > 150, 3, 5))


def test_a_model_without_ocean_segments_but_says_why_it_draws_no_line(
    deepness_model: Write, tmp_path: Path
) -> None:
    names = ["background", "glacier"]
    model = deepness_model(tmp_path / "m.onnx", [50, 200], names)
    source = write_scene(tmp_path / "scene.tif", scene())
    job = {"input": {"path": str(source)}, "model": str(model), "output": tmp_path / "l.gpkg"}
    with pytest.raises(EngineError, match=r"glacier, background.*needs ocean too.*another"):
        run_job(DelineateTermini.model_validate(job))


@pytest.mark.parametrize("kind", ["decibels", "reflectance"])
def test_values_that_the_model_was_not_made_for_are_refused(
    deepness_model: Write, tmp_path: Path, kind: str
) -> None:
    model = deepness_model(tmp_path / "m.onnx", CENTRES, NAMES)
    values = scene().astype("float32")
    values = values / 10 - 25 if kind == "decibels" else values / 255
    source = write_scene(tmp_path / "scene.tif", values)
    job = {"input": {"path": str(source)}, "model": str(model), "output": tmp_path / "z.tif"}
    with pytest.raises(EngineError, match=r"made for 0 to 255. Stretch"):
        run_job(SegmentCalvingFront.model_validate(job))


def test_a_fixed_tile_is_not_negotiable(deepness_model: Write, tmp_path: Path) -> None:
    model = deepness_model(tmp_path / "m.onnx", CENTRES, NAMES, 64)
    with pytest.raises(EngineError, match="tiles of 64 × 64 cells: leave TILE_SIZE at 0"):
        zones(tmp_path, model, tile_size=128)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": None, "resolution": None}, "lacks the metadata model_type, resolution"),
        ({"class_names": None}, "lacks the metadata class_names.*onnx.save"),
        ({"model_type": "Detector"}, "is a Detector, but only"),
        ({"class_names": {"0": "ice", "2": "sea"}}, "a name for each of the numbers 0 to 3"),
        ({"class_names": 7}, "number of the class: name"),
        ({"resolution": 0}, "above 0"),
        ({"resolution": "fine"}, "'resolution' must be a number"),
        ({"standardization_mean": [0.1, 0.2]}, "list of 1 numbers"),
        ({"standardization_std": [0.0]}, "above 0"),
        ({"tiles_overlap": 100}, "overlap below 100"),
        ({"class_names": dict.fromkeys("0123", "ice")}, "only one class"),
    ],
)
def test_metadata_that_are_missing_or_wrong_are_named(
    deepness_model: Write, tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    path = deepness_model(tmp_path / "m.onnx", CENTRES, NAMES, keys=changes)
    with pytest.raises(EngineError, match=words):
        find_model(str(path))
    assert not list((tmp_path / "data" / "glacier_qgis" / "models" / ".opened").iterdir())


def test_a_graph_that_picks_the_class_itself_is_refused(
    deepness_model: Write, tmp_path: Path
) -> None:
    path = deepness_model(tmp_path / "m.onnx", CENTRES, NAMES, last="ArgMax")
    with pytest.raises(EngineError, match=r"predicts 2 classes|1 classes|class_names"):
        find_model(str(path))


def shaped(model: Path, shape: tuple[int | str, ...]) -> Path:
    """Let a model see images of another shape, and answer with them."""
    changed = onnx.load(str(model))
    real = onnx.TensorProto.FLOAT
    for name, value in (("image", changed.graph.input[0]), ("out", changed.graph.output[0])):
        value.CopyFrom(onnx.helper.make_tensor_value_info(name, real, shape))
    changed.graph.node[0].CopyFrom(onnx.helper.make_node("Identity", ["image"], ["out"]))
    model.write_bytes(changed.SerializeToString())
    return model


@pytest.mark.parametrize(
    "shape", [(1, 256, 256, 1), ("batch", 256, 256, 4), (1, 64, 64, 13), (1, "rows", "columns", 3)]
)
def test_channels_that_come_last_are_named(
    deepness_model: Write, tmp_path: Path, shape: tuple[int | str, ...]
) -> None:
    path = shaped(deepness_model(tmp_path / "m.onnx", CENTRES, NAMES), shape)
    with pytest.raises(EngineError, match=r"channels last.*channels first.*--inputs-as-nchw"):
        find_model(str(path))


@pytest.mark.parametrize("shape", [(1, 256, 256, 256), (1, 4, 64, 4), (1, 13, "rows", "columns")])
def test_channels_that_come_first_are_taken_for_that(
    deepness_model: Write, tmp_path: Path, shape: tuple[int | str, ...]
) -> None:
    path = shaped(deepness_model(tmp_path / "m.onnx", CENTRES, NAMES), shape)
    assert read_onnx(path).bands == shape[1]


def test_data_outside_of_the_file_are_refused(deepness_model: Write, tmp_path: Path) -> None:
    path = deepness_model(tmp_path / "m.onnx", CENTRES, NAMES)
    model = onnx.load(str(path))
    tensor = model.graph.initializer[0]
    onnx.external_data_helper.set_external_data(tensor, location="secret.bin")
    tensor.ClearField("raw_data")
    (tmp_path / "secret.bin").write_bytes(bytes(16))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(EngineError, match=r"'w' refers to another file, 'secret.bin'"):
        read_onnx(path)


def test_custom_operators_are_named(deepness_model: Write, tmp_path: Path) -> None:
    path = deepness_model(tmp_path / "m.onnx", CENTRES, NAMES)
    model = onnx.load(str(path))
    model.graph.node[0].domain = "evil.example"
    model.opset_import.append(onnx.helper.make_opsetid("evil.example", 1))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(EngineError, match=r"custom operators \(evil\.example::Conv\)"):
        read_onnx(path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_what_is_no_whole_model_is_refused(
    deepness_model: Write, tmp_path: Path, share: float
) -> None:
    whole = deepness_model(tmp_path / "m.onnx", CENTRES, NAMES).read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(EngineError, match=r"cut.onnx"):
        find_model(str(path))


def test_a_missing_runtime_names_the_remedy(
    deepness_model: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = deepness_model(tmp_path / "m.onnx", CENTRES, NAMES)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EngineError, match=r"onnxruntime.*'Set up engine' with the extra 'onnx'"):
        find_model(str(path))


def test_the_tile_and_overlap_of_the_metadata_count(deepness_model: Write, tmp_path: Path) -> None:
    keys = {"tile_size": 96, "tiles_overlap": 20}
    path = deepness_model(tmp_path / "m.onnx", CENTRES, NAMES, keys=keys)
    model = load_package(find_model(str(path)))
    assert (model.tile, model.padding) == (96, 10)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("exported ü") / "front.onnx"
    run_job(ExportModel.model_validate({"format": "onnx", "output": path}))
    return path


@pytest.mark.slow
def test_the_exported_model_answers_as_the_delivered_one(exported: Path, tmp_path: Path) -> None:
    own = load_package(find_model(""))
    import_onnx(exported, tmp_path / "front")
    theirs = load_package(tmp_path / "front")
    changed = {"architecture", "weights", "series"}
    assert own.card.series is not None
    assert theirs.card.series is None
    assert theirs.card.model_dump(exclude=changed) == own.card.model_dump(exclude=changed)
    assert theirs.stride == own.stride
    image = torch.rand(1, 2, 5 * own.stride, 8 * own.stride) * 2 - 1
    with torch.inference_mode():
        change = theirs.network(image).softmax(dim=1) - own.network(image).softmax(dim=1)
    assert float(change.abs().max()) < TOLERANCE


def test_a_scene_has_the_same_zones_with_the_exported_model(exported: Path, tmp_path: Path) -> None:
    source = tmp_path / "scene.tif"
    SyntheticScene(size=160, cell_size=60.0, border=12).write(source)
    found = []
    for name, model in (("own", ""), ("exported", str(exported))):
        job = {"input": {"path": str(source)}, "model": model, "output": tmp_path / f"{name}.tif"}
        options = {"tile_size": 128, "padding": 16, "device": "cpu"}
        run_job(SegmentCalvingFront.model_validate({**job, **options}))
        with rasterio.open(tmp_path / f"{name}.tif") as raster:
            found.append(raster.read(1))
    assert (found[0] != found[1]).mean() < 1e-3
    assert len(np.unique(found[0])) > 1


def test_the_exported_model_carries_what_deepness_reads(exported: Path) -> None:
    file = read_onnx(exported)
    keys = {key: json.loads(value) for key, value in file.metadata.items()}
    card = load_package(find_model("")).card
    assert keys["model_type"] == "Segmentor"
    assert list(keys["class_names"].values()) == [zone.name for zone in card.classes]
    assert keys["resolution"] == 100 * card.cell_size_m
    assert len(keys["standardization_mean"]) == len(card.channels) == file.bands
    black, white = ((x - keys["standardization_mean"][0]) for x in (0.0, 1.0))
    assert [value / keys["standardization_std"][0] for value in (black, white)] == [-1, 1]
    axes = [
        axis.dim_param
        for axis in onnx.load(str(exported)).graph.output[0].type.tensor_type.shape.dim
    ]
    assert axes[2] == axes[3] != ""
