"""The calving-front jobs on whole scenes: tiles, grids, masks, refusals.

The network here is small and its weights are drawn at random: what it answers means
nothing, but tiling, masking and writing must not change it.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import torch
from affine import Affine
from rasterio.warp import transform as transform_points
from shapely import box

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.fronts.jobs.scene import (
    DelineateTermini,
    ExtractTermini,
    SegmentCalvingFront,
)
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.fronts.termini import bodies
from glacier_qgis.models.package.folder import load_package
from glacier_qgis.models.vector import source as source_of_layers
from kit.engine.jobs import run_job, run_listened
from kit.engine.listener import Listener
from kit.engine.rasters import write_raster

CELL = 60.0


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenes") / "S1A_IW_GRDH_20180602 ü.tif"
    SyntheticScene(size=208, cell_size=CELL, border=12).write(path)
    return path


def delineation(scene: Path, model: Path, output: Path, **options: object) -> DelineateTermini:
    return DelineateTermini.model_validate(
        {"input": {"path": str(scene)}, "model": str(model), "output": output, **options}
    )


def segment(
    scene: Path, tiny_model: Path, folder: Path, **options: object
) -> dict[str, npt.NDArray[np.generic]]:
    job = SegmentCalvingFront.model_validate(
        {
            "input": {"path": str(scene)},
            "model": str(tiny_model),
            "output": folder / "zones.tif",
            "probability": folder / "probability.tif",
            "uncertainty": folder / "uncertainty.tif",
            **options,
        }
    )
    run_listened(job)
    arrays = {}
    for name in ("zones", "probability", "uncertainty"):
        with rasterio.open(folder / f"{name}.tif") as raster:
            arrays[name] = raster.read()
    return arrays


def test_the_result_does_not_depend_on_tiles_where_padding_covers_the_reach(
    scene: Path, tiny_model: Path, tmp_path: Path
) -> None:
    reach = load_package(tiny_model).network.receptive_radius
    whole = segment(scene, tiny_model, tmp_path, padding=reach, tile_size=4096)
    for tile in (96, 132, 160):
        tiled = segment(scene, tiny_model, tmp_path, padding=reach, tile_size=tile, batch_size=3)
        change = np.abs(whole["probability"].astype(int) - tiled["probability"].astype(int))
        assert change.max() <= 1, tile
        assert (whole["zones"] != tiled["zones"]).mean() < 1e-3


def test_mirroring_the_scene_mirrors_the_prediction_averaged_over_flips(
    scene: Path, tiny_model: Path, tmp_path: Path
) -> None:
    with rasterio.open(scene) as source:
        profile, values = source.profile, source.read()
    mirrored = tmp_path / "mirrored.tif"
    straight = segment(scene, tiny_model, tmp_path)["probability"].astype(int)
    for axes in ((2,), (1,), (1, 2)):
        with rasterio.open(mirrored, "w", **profile) as target:
            target.write(np.flip(values, axes))
        after = segment(mirrored, tiny_model, tmp_path)["probability"].astype(int)
        assert np.abs(np.flip(straight, axes) - after).max() <= 1


def test_zones_carry_names_colours_nodata_and_where_they_come_from(
    scene: Path, tiny_model: Path, tmp_path: Path
) -> None:
    arrays = segment(scene, tiny_model, tmp_path)
    with rasterio.open(tmp_path / "zones.tif") as zones:
        assert zones.nodata == 0
        assert zones.colormap(1)[3] == (207, 239, 255, 255)
        assert zones.tags()["MODEL"] == "tiny"
        assert len(zones.tags()["MODEL_HASH"]) == 64
        assert zones.tags()["SCENE"] == str(scene)
    table = (tmp_path / "zones.tif.aux.xml").read_text(encoding="utf-8")
    assert all(name in table for name in ("no data", "rock", "glacier", "ocean"))
    assert set(np.unique(arrays["zones"])) <= {0, 1, 2, 3, 4}
    valid = arrays["zones"][0] > 0
    assert not valid[:11].any()
    assert valid[13:-13, 13:-13].all()
    probability = arrays["probability"].astype(float)
    assert (probability[:, ~valid] == 255).all()
    np.testing.assert_allclose(probability[:, valid].sum(axis=0), 250, atol=2)
    chosen = np.take_along_axis(probability, np.maximum(arrays["zones"].astype(int) - 1, 0), axis=0)
    assert (probability.max(axis=0) - chosen[0])[valid].max() <= 1


def test_a_mask_limits_what_is_segmented(scene: Path, tiny_model: Path, tmp_path: Path) -> None:
    grid = SyntheticScene(size=208, cell_size=CELL).grid
    west, south, east, north = grid.bounds
    half = gpd.GeoSeries([box(west, south, (west + east) / 2, north)], crs=grid.crs)
    half.to_crs(4326).to_file(tmp_path / "mask ä.gpkg")
    mask = {"path": str(tmp_path / "mask ä.gpkg")}
    zones = segment(scene, tiny_model, tmp_path, mask=mask)["zones"][0]
    assert (zones[20:-20, 20:100] > 0).all()
    assert (zones[:, 108:] == 0).all()


def test_results_on_the_pixels_of_a_geographic_scene(tiny_model: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    transform = Affine(0.0012, 0, -38.28, 0, -0.0005, 66.41)
    path = tmp_path / "degrees.tif"
    values = (rng.gamma(4, 1, (160, 120)) * np.where(np.arange(120) > 60, 1, 9)).astype("float32")
    write_raster(path, values, transform, crs="EPSG:4326")
    on_input = segment(path, tiny_model, tmp_path, grid="input")["zones"][0]
    with rasterio.open(tmp_path / "zones.tif") as raster:
        assert raster.crs.to_epsg() == 4326
        assert raster.transform.almost_equals(transform)
        assert raster.shape == (160, 120)
    segment(path, tiny_model, tmp_path)
    with rasterio.open(tmp_path / "zones.tif") as model:
        assert model.crs.to_epsg() == 32624
        columns, rows = np.meshgrid(np.arange(5, 115, 7), np.arange(5, 155, 7))
        x, y = transform @ (columns.ravel() + 0.5, rows.ravel() + 0.5)
        points = zip(*transform_points("EPSG:4326", model.crs, x, y), strict=True)
        sampled = np.array([value[0] for value in model.sample(points)])
    assert (sampled == on_input[rows.ravel(), columns.ravel()]).mean() > 0.97


@pytest.mark.slow
def test_delineating_is_segmenting_and_extracting(
    scene: Path, tiny_model: Path, tmp_path: Path
) -> None:
    segment(scene, tiny_model, tmp_path)
    extract = ExtractTermini.model_validate(
        {
            "input": {"path": str(tmp_path / "zones.tif")},
            "probability": {"path": str(tmp_path / "probability.tif")},
            "output": tmp_path / "two steps.gpkg",
            "glacier_area": tmp_path / "area.gpkg",
            "ocean_area": tmp_path / "ocean.gpkg",
            "points": tmp_path / "points.gpkg",
            "glacier_id": "G7",
            "author": "A. Person",
            "min_confidence": 0,
            "min_length": 300,
        }
    )
    two, _ = run_listened(extract)
    delineate = delineation(
        scene, tiny_model, tmp_path / "one step.gpkg", min_length=300, min_confidence=0
    )
    one, listener = run_listened(delineate)
    assert one["COUNT"] == two["COUNT"] > 0
    steps, step = (gpd.read_file(tmp_path / f"{name}.gpkg") for name in ("two steps", "one step"))
    assert steps.geometry.geom_equals(step.geometry).all()
    assert set(step["model"]) == {"tiny"}
    assert one["REASON"] == two["REASON"] == ""
    assert set(steps["glacier_id"]) == {"G7"}
    assert set(steps["author"]) == {"A. Person"}
    points = gpd.read_file(tmp_path / "points.gpkg")
    assert set(points["line"]) <= set(steps["line"])
    lines = steps.set_index("line").geometry[points["line"]].reset_index(drop=True)
    assert points.distance(lines).max() < 1e-6
    mean = points.groupby("line")["uncertainty_m"].mean()
    np.testing.assert_allclose(mean, steps.set_index("line")["uncertainty_m"][mean.index])
    with rasterio.open(tmp_path / "zones.tif") as raster:
        zones = raster.read(1)
    for name, code in (("area", 3), ("ocean", 4)):
        area = gpd.read_file(tmp_path / f"{name}.gpkg")
        assert area.area.sum() <= (zones == code).sum() * CELL**2 * (1 + 1e-9)
        assert (steps.distance(area.union_all()) < CELL).all()
    assert set(step["satellite"]) == {"Sentinel-1A"}
    assert {day.isoformat()[:10] for day in step["date"]} == {"2018-06-02"}
    assert listener.fractions == sorted(listener.fractions)
    assert listener.fractions[-1] == 1
    leftovers = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert leftovers == []


@pytest.mark.slow
def test_a_calibration_goes_from_the_card_into_the_lines(
    scene: Path, tiny_model: Path, tmp_path: Path
) -> None:
    calibrated = tmp_path / "calibrated"
    shutil.copytree(tiny_model, calibrated)
    card = json.loads((calibrated / "card.json").read_text(encoding="utf-8"))
    relation = {"widths_m": [0, 1000], "uncertainties_m": [0, 2500]}
    card["calibration"] = {"level": 0.68, "data": "synthetic", **relation}
    (calibrated / "card.json").write_text(json.dumps(card), encoding="utf-8")
    means = []
    for model in (tiny_model, calibrated):
        segment(scene, model, tmp_path)
        job = ExtractTermini.model_validate(
            {
                "input": {"path": str(tmp_path / "zones.tif")},
                "probability": {"path": str(tmp_path / "probability.tif")},
                "output": tmp_path / "lines.gpkg",
                "longest_only": True,
                "min_confidence": 0,
                "min_area": 0,
            }
        )
        run_listened(job)
        means.append(gpd.read_file(tmp_path / "lines.gpkg")["uncertainty_m"][0])
    assert means[1] == pytest.approx(2.5 * means[0])


def case(**change: object) -> Callable[[Path, Path, Path], dict[str, Any]]:
    def build(scene: Path, tiny_model: Path, folder: Path) -> dict[str, Any]:
        return {
            "input": {"path": str(scene)},
            "model": str(tiny_model),
            "output": folder / "z.tif",
        } | change

    return build


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (case(bands=[1, 1]), "needs 1 band"),
        (case(bands=[3]), "band 3 was requested"),
        (case(model="mountain"), "no model 'mountain'"),
        (
            case(extent={"xmin": 0, "ymin": 0, "xmax": 9, "ymax": 9, "crs": "EPSG:32624"}),
            "does not touch",
        ),
        (case(device="gpu"), "finds none"),
        (case(tile_size=64, padding=64), "TILE_SIZE of at least"),
        (case(input={"path": "nowhere.tif"}), "cannot be opened"),
        (case(output=Path("/nowhere/z.tif")), "does not exist"),
        (case(cell_size=0.01), r"6000 times finer .* CELL_SIZE"),
    ],
)
def test_refusals_name_the_remedy_and_write_nothing(
    scene: Path, tiny_model: Path, tmp_path: Path, build: Callable[..., dict[str, Any]], words: str
) -> None:
    if "finds none" in words and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    job = SegmentCalvingFront.model_validate(build(scene, tiny_model, tmp_path))
    with pytest.raises(EngineError, match=words):
        run_listened(job)
    assert list(tmp_path.iterdir()) == []


def test_zones_that_are_none_are_refused(scene: Path, tiny_model: Path, tmp_path: Path) -> None:
    job = ExtractTermini.model_validate(
        {"input": {"path": str(scene)}, "output": tmp_path / "a.gpkg"}
    )
    with pytest.raises(EngineError, match="is not a zones raster"):
        run_listened(job)
    segment(scene, tiny_model, tmp_path)
    job = ExtractTermini.model_validate(
        {
            "input": {"path": str(tmp_path / "zones.tif")},
            "probability": {"path": str(tmp_path / "uncertainty.tif")},
            "output": tmp_path / "a.gpkg",
        }
    )
    with pytest.raises(EngineError, match="not the 4 of"):
        run_listened(job)


def test_no_front_is_a_warning_and_an_empty_layer(
    scene: Path, tiny_model: Path, tmp_path: Path
) -> None:
    job = delineation(scene, tiny_model, tmp_path / "a.gpkg", min_length=1e6)
    result, listener = run_listened(job)
    assert result["COUNT"] == 0
    assert "No front was found" in listener.warnings[-1]
    assert str(result["REASON"]) in listener.warnings[-1]
    assert result["REASON"]
    assert len(gpd.read_file(tmp_path / "a.gpkg")) == 0


@pytest.mark.parametrize("kind", ["web Mercator", "upside down", "half a turn", "oblong"])
def test_zones_that_lines_cannot_be_measured_on_are_refused(tmp_path: Path, kind: str) -> None:
    scene = SyntheticScene(size=64, cell_size=CELL)
    west, _, _, north = scene.grid.bounds
    across, down = {"upside down": (60, 60), "half a turn": (-60, 60), "oblong": (60, -90)}.get(
        kind, (60, -60)
    )
    mercator = kind == "web Mercator"
    write_raster(
        tmp_path / "zones.tif",
        np.repeat(np.uint8([[3, 4]]), 32, axis=1).repeat(64, axis=0)[None],
        Affine(
            across, 0, -4_240_000 if mercator else west, 0, down, 10_080_000 if mercator else north
        ),
        crs="EPSG:3857" if mercator else "EPSG:3413",
    )
    job = ExtractTermini.model_validate(
        {"input": {"path": str(tmp_path / "zones.tif")}, "output": tmp_path / "a.gpkg"}
    )
    with pytest.raises(EngineError, match=r"north-up.*true to scale.*Segment with GRID"):
        run_listened(job)


def test_a_fjord_mask_that_is_none_is_reported_before_the_network_runs(
    scene: Path, tiny_model: Path, tmp_path: Path
) -> None:
    mask = {"path": str(tmp_path / "none.gpkg")}
    job = delineation(scene, tiny_model, tmp_path / "a.gpkg", fjord_mask=mask)
    listener = Listener()
    with pytest.raises(EngineError, match="FJORD_MASK"):
        run_job(job, listener)
    assert listener.fractions == []


def test_masks_are_read_and_bodies_are_labelled_once(
    scene: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rasterio.open(scene) as source:
        frame = gpd.GeoDataFrame(geometry=[box(*source.bounds)], crs=source.crs)
    frame.to_file(tmp_path / "fjord.gpkg")
    calls: Counter[str] = Counter()

    def count(module: ModuleType, name: str) -> None:
        real = getattr(module, name)

        def counted(*given: object, **named: object) -> object:
            calls[name] += 1
            return real(*given, **named)

        monkeypatch.setattr(module, name, counted)

    count(bodies, "Components")
    count(source_of_layers, "read_frame")
    areas = {name: tmp_path / f"{name}.gpkg" for name in ("glacier_area", "ocean_area")}
    fjord = {"path": str(tmp_path / "fjord.gpkg")}
    run_listened(delineation(scene, tiny_model, tmp_path / "a.gpkg", fjord_mask=fjord, **areas))
    assert calls == {"Components": 2, "read_frame": 1}, "one labelling of the ocean, one of the ice"
