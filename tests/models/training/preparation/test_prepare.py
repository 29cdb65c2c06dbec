"""The job on scenes whose truth is known: tiles, ranks, georeference, classes, refusals."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from rasterio.windows import Window

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.fronts.scene.view import network_view
from glacier_qgis.models.raster.footprint import work_grid
from glacier_qgis.models.raster.source import open_raster
from glacier_qgis.models.training.preparation.writer import tile_starts
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK
from kit.training.synthetic_data import (
    CELL,
    Place,
    Prepared,
    fronts,
    polygons,
    prepare,
    rasters,
    zones_of,
)


@given(st.integers(1, 300), st.integers(1, 64), st.data())
def test_tiles_cover_a_side_and_end_with_it(length: int, size: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, size))
    starts = tile_starts(length, size, stride)
    covered = np.zeros(max(length, size), bool)
    for start in starts:
        covered[start : start + size] = True
    assert covered[:length].all()
    assert starts == sorted(set(starts))
    assert all(start + size <= max(length, size) for start in starts)
    assert all(after - before <= stride for before, after in pairwise(starts))


def test_labels_put_back_together_are_the_true_zones(
    prepared: Prepared, places: list[Place]
) -> None:
    for place in places:
        whole = np.zeros((place.truth.size, place.truth.size), np.uint8)
        for tile in prepared.dataset.tiles():
            if tile.scene.name == place.name:
                rows = slice(tile.entry.row, tile.entry.row + 32)
                whole[rows, tile.entry.col : tile.entry.col + 32] = tile.zones
        assert (whole == zones_of(place)).all()


def test_images_are_what_inference_sees(prepared: Prepared, places: list[Place]) -> None:
    place = places[0]
    with open_raster(RasterInput(path=str(place.path))) as scene:
        grid = work_grid(scene, None, CELL)
        with network_view(scene, grid, [1]) as view:
            for tile in prepared.dataset.tiles():
                if tile.scene.name != place.name:
                    continue
                seen = view.read(Window(tile.entry.col, tile.entry.row, 32, 32))
                ranks, valid = tile.equalised()
                assert np.array_equal(ranks, seen[:-1])
                assert np.array_equal(valid, seen[-1])


def test_every_tile_lies_where_its_cells_were(prepared: Prepared, places: list[Place]) -> None:
    truths = {place.name: place.truth for place in places}
    for tile in prepared.dataset.tiles():
        grid = truths[tile.scene.name].grid
        for room in ("images", "labels"):
            with rasterio.open(tile.folder / room / f"{tile.name}.tif") as raster:
                assert raster.crs.to_epsg() == 3413
                assert raster.transform == tile.grid.transform
        corner = grid.transform @ (tile.entry.col, tile.entry.row)
        assert tile.grid.transform @ (0, 0) == pytest.approx(corner)


def test_the_split_is_by_glacier_and_statistics_add_up(prepared: Prepared) -> None:
    card, entries = prepared.dataset.card, prepared.dataset.entries
    parts = {group: {e.part for e in entries if e.group == group} for group in card.split}
    assert {group: {part} for group, part in card.split.items()} == parts
    assert prepared.told.warnings == []
    for part, count in card.statistics.tiles.items():
        own = prepared.dataset.tiles(part)
        assert len(own) == count == prepared.result[f"{part.upper()}_TILES"]
        for zone in card.classes:
            cells = sum(int((tile.zones == zone.value).sum()) for tile in own)
            assert card.statistics.pixels[part][zone.name] == cells


def test_the_front_has_its_true_length(places: list[Place], tmp_path: Path) -> None:
    labels = polygons(places, tmp_path / "zones.gpkg")
    found = prepare(
        places, tmp_path / "out", label_polygons={"path": str(labels)}, class_field="class"
    )
    front = sum(found.dataset.card.statistics.front_m.values())
    assert front == pytest.approx(sum(place.truth.front.length for place in places), rel=0.1)


def test_rasters_and_polygons_give_the_same_labels(
    prepared: Prepared, places: list[Place], tmp_path: Path
) -> None:
    sources = rasters(places, tmp_path / "labels")
    found = prepare(places, tmp_path / "out", label_rasters=sources, stride=24)
    assert found.dataset.card.labels == "rasters"
    for one, other in zip(found.dataset.tiles(), prepared.dataset.tiles(), strict=True):
        assert one.entry == other.entry
        assert np.array_equal(one.zones, other.zones)


@pytest.mark.parametrize("turned", [False, True])
def test_lines_label_both_of_their_sides(places: list[Place], tmp_path: Path, turned: bool) -> None:
    path = fronts(places, tmp_path / "fronts.gpkg")
    if turned:
        gpd.read_file(path).reverse().to_frame("geometry").assign(
            image_id=[place.name for place in places]
        ).to_file(path)
    found = prepare(
        places, tmp_path / "out", label_lines={"path": str(path)}, line_reach=400, tile_size=96
    )
    swap = {GLACIER: OCEAN, OCEAN: GLACIER} if turned else {}
    truths = {place.name: zones_of(place) for place in places}
    for tile in found.dataset.tiles():
        truth = truths[tile.scene.name]
        for code in (GLACIER, OCEAN):
            told = tile.zones == swap.get(code, code)
            assert told.sum() > 100
            assert ((truth == code) | (truth == ROCK))[told].mean() > 0.97


def test_geographic_scenes_work_on_metric_tiles(places: list[Place], tmp_path: Path) -> None:
    turned = []
    for place in places:
        with (
            rasterio.open(place.path) as source,
            rasterio.vrt.WarpedVRT(source, crs="EPSG:4326") as view,
        ):
            path = tmp_path / place.path.name
            profile = view.profile | {"driver": "GTiff"}
            with rasterio.open(path, "w", **profile) as target:
                target.write(view.read())
        turned.append(Place(place.name, place.truth, path, place.glacier))
    labels = polygons(places, tmp_path / "zones.gpkg")
    found = prepare(
        turned,
        tmp_path / "out",
        label_polygons={"path": str(labels)},
        class_field="class",
        cell_size=CELL,
    )
    assert {scene.crs for scene in found.dataset.card.scenes} != {"EPSG:4326"}
    for tile in found.dataset.tiles():
        assert tile.cell_size == (CELL, CELL)
    assert found.dataset.card.statistics.front_m["training"] > 1000


def test_nothing_is_left_of_a_job_that_fails(places: list[Place], tmp_path: Path) -> None:
    far = gpd.GeoDataFrame(
        {"class": ["glacier"]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:4326"
    )
    far.to_file(tmp_path / "far.gpkg")
    with pytest.raises(EngineError, match="No label overlaps"):
        prepare(
            places,
            tmp_path / "out",
            label_polygons={"path": str(tmp_path / "far.gpkg")},
            class_field="class",
        )
    assert [path.name for path in tmp_path.iterdir()] == ["far.gpkg"]
