"""Labels as people draw them: spikes, bow-ties, whole oceans, both sides of the 180th meridian."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from shapely import Polygon, box

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.training.data.parts import training_parts
from glacier_qgis.models.training.jobs.inspect import examine
from glacier_qgis.models.training.jobs.prepare import PrepareTrainingData
from glacier_qgis.models.zones.codes import GLACIER, OCEAN
from kit.engine.jobs import run_job
from kit.engine.listener import Listener
from kit.training.synthetic_data import (
    CELL,
    Place,
    make_scenes,
    polygons,
    prepare,
    rasters,
    zones_of,
)


def layer(frame: gpd.GeoDataFrame, path: Path) -> dict[str, object]:
    frame.to_file(path)
    return {"label_polygons": {"path": str(path)}, "class_field": "class"}


def two_halves(place: Place, glacier: Polygon) -> gpd.GeoDataFrame:
    """Return a glacier and the ocean in the eastern half of a scene."""
    west, south, east, north = place.truth.grid.bounds
    ocean = box((west + east) / 2, south, east, north)
    fields = {"class": ["glacier", "ocean"], "glacier": ["Arni"] * 2}
    return gpd.GeoDataFrame(fields, geometry=[glacier, ocean], crs=place.truth.crs)


def test_a_spike_that_encloses_nothing_labels_nothing(places: list[Place], tmp_path: Path) -> None:
    place = places[0]
    west, south, east, north = place.truth.grid.bounds
    middle, across = (west + east) / 2, (south + north) / 2
    corners = [(west, south), (middle, south), (middle, across)]
    spike = [(east - 300, across), (middle, across), (middle, north), (west, north)]
    frame = two_halves(place, Polygon([*corners, *spike]))
    asked = layer(frame, tmp_path / "spike.gpkg")
    found = prepare([place], tmp_path / "set", **asked, validation_share=0)
    half = place.truth.size**2 // 2
    assert found.dataset.card.statistics.pixels["training"] == {"glacier": half, "ocean": half}


def test_both_lobes_of_a_polygon_that_crosses_itself_count(
    places: list[Place], tmp_path: Path
) -> None:
    place = places[0]
    west, south, east, north = place.truth.grid.bounds
    middle = (west + east) / 2
    lobes = Polygon([(west, south), (middle, north), (west, north), (middle, south)])
    asked = layer(two_halves(place, lobes), tmp_path / "lobes.gpkg")
    found = prepare([place], tmp_path / "set", **asked, validation_share=0)
    quarter = place.truth.size**2 / 4
    assert found.dataset.card.statistics.pixels["training"]["glacier"] == pytest.approx(
        quarter, rel=0.05
    )


def test_an_ocean_around_the_world_is_one_where_the_scene_is(
    places: list[Place], tmp_path: Path
) -> None:
    place = places[0]
    frame = gpd.read_file(polygons([place], tmp_path / "zones.gpkg"))
    land = frame[frame["class"] != "ocean"].to_crs(4326)
    world = gpd.GeoDataFrame(
        {"class": ["ocean"], "image_id": [place.name], "glacier": ["Arni"]},
        geometry=[box(-180, -90, 180, 90).difference(land.union_all())],
        crs=4326,
    )
    asked = layer(pd.concat([land, world]), tmp_path / "world.gpkg")
    found = prepare([place], tmp_path / "set", **asked, validation_share=0)
    wrong = 0
    for tile in found.dataset.tiles():
        rows = slice(tile.entry.row, tile.entry.row + 32)
        truth = zones_of(place)[rows, tile.entry.col : tile.entry.col + 32]
        wrong += int((tile.zones != truth).sum())
    assert wrong < 0.01 * place.truth.size**2


def test_labels_in_degrees_find_a_scene_on_the_180th_meridian(tmp_path: Path) -> None:
    truth = SyntheticScene(size=96, cell_size=CELL, seed=1, angle=0.0, centre=(0.0, -1_300_000.0))
    path = tmp_path / "Ross_2020-01-01.tif"
    truth.write(path)
    with rasterio.open(path, "r+") as raster:
        raster.crs = rasterio.CRS.from_epsg(3031)
    place = Place(path.stem, truth, path, "Ross")
    frame = gpd.read_file(polygons([place], tmp_path / "zones.gpkg"))
    frame = frame.set_crs(3031, allow_override=True)
    west, south, east, north = frame.total_bounds
    sides = [box(west, south, -1, north), box(1, south, east, north)]
    frame = pd.concat([gpd.clip(frame, side) for side in sides]).to_crs(4326)
    assert frame.total_bounds[2] - frame.total_bounds[0] > 359
    asked = layer(frame, tmp_path / "degrees.gpkg")
    found = prepare([place], tmp_path / "set", **asked, validation_share=0)
    pixels = found.dataset.card.statistics.pixels["training"]
    for code, name in ((GLACIER, "glacier"), (OCEAN, "ocean")):
        assert pixels[name] == pytest.approx((zones_of(place) == code).sum(), rel=0.03)


def test_labels_of_days_without_a_scene_are_not_passed_off_in_silence(
    places: list[Place], tmp_path: Path
) -> None:
    frame = gpd.read_file(polygons(places, tmp_path / "zones.gpkg")).drop(columns="image_id")
    frame["date"] = "2001-01-01"
    asked = layer(frame, tmp_path / "dated.gpkg")
    found = prepare(places, tmp_path / "set", **asked)
    (warning,) = [text for text in found.told.warnings if "2001-01-01" in text]
    assert "of every scene in which they are" in warning
    undated = layer(frame.drop(columns="date"), tmp_path / "undated.gpkg")
    found = prepare(places, tmp_path / "other", **undated)
    assert not any("every scene" in text for text in found.told.warnings)


def test_a_glacier_in_two_spellings_is_not_in_two_parts(
    places: list[Place], tmp_path: Path
) -> None:
    frame = gpd.read_file(polygons(places, tmp_path / "zones.gpkg"))
    frame.loc[frame["image_id"] == places[0].name, "glacier"] = "ARNI "
    found = prepare(places, tmp_path / "set", **layer(frame, tmp_path / "spelt.gpkg"))
    assert len(found.dataset.card.split) == 3


def test_names_with_dots_are_found_in_a_table_of_groups(
    places: list[Place], tmp_path: Path
) -> None:
    names = ("S1.2018.06.02.tif", "S1.2018.06.05.tif")
    dotted = []
    for name, place in zip(names, (places[0], places[2]), strict=True):
        path = Path(shutil.copy(place.path, tmp_path / name))
        dotted.append(Place(path.stem, place.truth, path, place.glacier))
    table = tmp_path / "groups.csv"
    table.write_text("scene,glacier\nS1.2018.06.02,Arni\nS1.2018.06.05.tif,Breki\n")
    labels = {"path": str(polygons(dotted, tmp_path / "zones.gpkg"))}
    asked = {"label_polygons": labels, "class_field": "class", "group_table": table}
    found = prepare(dotted, tmp_path / "set", **asked)
    assert set(found.dataset.card.split) == {"Arni", "Breki"}


def test_parameters_without_a_use_are_named(places: list[Place], tmp_path: Path) -> None:
    labels = rasters(places, tmp_path / "labels")
    asked = {"label_rasters": labels, "group_field": "glacier", "scene_field": "image"}
    found = prepare(places, tmp_path / "set", **asked)
    assert any("SCENE_FIELD and GROUP_FIELD: not used" in text for text in found.told.warnings)
    with pytest.raises(EngineError, match=r"LABEL_RASTERS: .* have the same base name"):
        prepare(places, tmp_path / "other", label_rasters=[labels[0], *labels])


def test_classes_that_no_training_takes_are_named_at_once(
    places: list[Place], tmp_path: Path
) -> None:
    frame = gpd.read_file(polygons(places, tmp_path / "zones.gpkg"))
    frame["class"] = frame["class"].replace("rock", "moraine")
    found = prepare(places, tmp_path / "set", **layer(frame, tmp_path / "own.gpkg"))
    (warning,) = [text for text in found.told.warnings if "moraine" in text]
    assert "'Train model' does not support" in warning


@pytest.mark.parametrize("fault", ["empty", "tiny", "labels"])
def test_the_scene_that_is_at_fault_is_named(tmp_path: Path, fault: str) -> None:
    places = make_scenes(tmp_path, {"Arni": ["2018-06-02"], "Breki": ["2018-06-05"]}, size=48)
    labels = rasters(places, tmp_path / "labels")
    with rasterio.open(places[1].path) as raster:
        profile, values = raster.profile, raster.read()
    if fault == "empty":
        values[:], profile["nodata"] = 0, 0
    elif fault == "tiny":
        values = values[:, :1, :1]
        profile |= {"width": 1, "height": 1}
    else:
        with rasterio.open(labels[1]["path"], "r+") as raster:
            raster.write(np.full(raster.shape, 255, np.uint8), 1)
    with rasterio.open(places[1].path, "w", **profile) as raster:
        raster.write(values)
    with pytest.raises(EngineError, match="Breki_2018-06-05"):
        prepare(places, tmp_path / "set", label_rasters=labels)
    assert not list(tmp_path.glob(".*"))


def test_scenes_in_temporary_files_go_by_the_names_of_their_layers(
    places: list[Place], tmp_path: Path
) -> None:
    sources = []
    for place in (places[0], places[2]):
        folder = tmp_path / place.glacier
        folder.mkdir()
        path = shutil.copy(place.path, folder / "OUTPUT.tif")
        sources.append({"path": str(path), "name": place.name})
    labels = polygons([places[0], places[2]], tmp_path / "zones.gpkg")
    job = PrepareTrainingData.model_validate(
        {
            "input": sources,
            "label_polygons": {"path": str(labels)},
            "class_field": "class",
            "cell_size": CELL,
            "output": tmp_path / "set",
        }
    )
    assert run_job(job)["SCENES"] == 2


@pytest.mark.parametrize(("first", "parts"), [("Arni", ["training"]), ("Breki", ["validation"])])
@pytest.mark.parametrize("metres", [150, -150])
def test_a_part_without_a_front_is_named(
    places: list[Place], tmp_path: Path, first: str, parts: list[str], metres: float
) -> None:
    own = [places[0], places[2]]
    frame = gpd.read_file(polygons(own, tmp_path / "zones.gpkg"))
    apart = (frame["class"] == "ocean") & (frame["glacier"] == first)
    frame = frame.set_geometry(frame.geometry.where(~apart, frame.buffer(metres)))
    asked = layer(frame, tmp_path / "apart.gpkg")
    found = prepare(own, tmp_path / "set", **asked, validation_groups="Breki")
    findings = examine(found.dataset, Listener())
    for warnings in (found.told.warnings, findings.warnings):
        told = [text for text in warnings if "There is no front in the" in text]
        assert [text.split()[6] for text in told] == parts
        assert all("glacier and ocean do not touch" in text for text in told)
        assert all("Snap" in text for text in told)


def test_what_a_part_lacks_is_said_by_those_who_open_it(
    places: list[Place], tmp_path: Path
) -> None:
    frame = gpd.read_file(polygons(places, tmp_path / "zones.gpkg"))
    dry = frame[(frame["glacier"] != "Breki") | (frame["class"] == "rock")]
    asked = layer(dry, tmp_path / "dry.gpkg")
    found = prepare(places, tmp_path / "set", **asked, validation_groups="Breki")
    findings = examine(found.dataset, Listener())
    assert "The validation part lacks the class glacier and ocean." in findings.warnings
    (warning,) = training_parts(found.dataset).warnings
    assert "validation part has no cells of the class glacier and ocean" in warning
