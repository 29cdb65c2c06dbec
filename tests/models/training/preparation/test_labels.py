"""Labels as people keep them: names, matching by field, date or place; refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.zones.codes import GLACIER, NO_DATA, OCEAN, ROCK
from glacier_qgis.models.zones.names import class_codes
from kit.training.synthetic_data import Place, make_scenes, polygons, prepare, rasters, zones_of

Change = Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]


def changed(places: list[Place], path: Path, change: Change) -> dict[str, object]:
    polygons(places, path)
    change(gpd.read_file(path)).to_file(path, layer="zones")
    return {"label_polygons": {"path": str(path)}, "class_field": "class"}


def test_names_and_numbers_of_the_products_classes() -> None:
    known = {
        NO_DATA: ["No data", "nodata", "1", 1.0],
        ROCK: ["ROCK", 2],
        GLACIER: [" glacier", 3],
        OCEAN: ["Mélange", "me\u0301lange", "ocean", "4"],
    }
    for code, names in known.items():
        assert set(class_codes(names).values()) == {code}
    assert class_codes(["Lake", "dead ice", "ocean"]) == {"ocean": OCEAN, "Lake": 5, "dead ice": 6}
    with pytest.raises(EngineError, match="300 different values"):
        class_codes(range(1000, 1300))


def test_labels_belong_to_scenes_of_their_date(places: list[Place], tmp_path: Path) -> None:
    def by_date(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        days = frame["image_id"].str.rpartition("_")[2].str.replace("-", "")
        return frame.drop(columns="image_id").assign(date=days)

    found = prepare(places, tmp_path / "out", **changed(places, tmp_path / "z.gpkg", by_date))
    assert any("of the day in 'date'" in line for line in found.told.logs)
    truths = {place.name: zones_of(place) for place in places}
    for tile in found.dataset.tiles():
        rows = slice(tile.entry.row, tile.entry.row + 32)
        expected = truths[tile.scene.name][rows, tile.entry.col : tile.entry.col + 32]
        assert (tile.zones == expected).all()


def test_glaciers_of_one_day_that_share_no_scene_are_kept_apart(tmp_path: Path) -> None:
    day = "2018-06-02"
    (tmp_path / "scenes").mkdir()
    places = make_scenes(tmp_path / "scenes", {"Arni": [day], "Breki": [day], "Dagur": [day]})
    labels = changed(
        places, tmp_path / "z.gpkg", lambda f: f.drop(columns="image_id").assign(date=day)
    )
    found = prepare(places, tmp_path / "out", **labels, validation_groups="Breki")
    assert found.dataset.card.split == {
        "Arni": "training",
        "Breki": "validation",
        "Dagur": "training",
    }


def test_one_set_of_labels_serves_all_scenes_that_it_lies_in(
    places: list[Place], tmp_path: Path
) -> None:
    own = [places[0], places[2]]
    labels = changed(own, tmp_path / "z.gpkg", lambda frame: frame.drop(columns="image_id"))
    found = prepare(places[:3], tmp_path / "out", **labels)
    assert any("every scene in which they are" in line for line in found.told.logs)
    assert {scene.name for scene in found.dataset.card.scenes} == {p.name for p in places[:3]}


def test_scenes_without_labels_are_left_out_and_named(places: list[Place], tmp_path: Path) -> None:
    labels = changed(places[:3], tmp_path / "z.gpkg", lambda frame: frame)
    found = prepare(places, tmp_path / "out", **labels)
    assert found.result["SCENES"] == 3
    assert any(
        "2 scene(s) have no label" in line and places[3].name in line
        for line in found.told.warnings
    )


def test_overlapping_polygons_leave_cells_unlabelled(places: list[Place], tmp_path: Path) -> None:
    def grow(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        ocean = frame["class"] == "ocean"
        return frame.assign(geometry=frame.geometry.where(~ocean, frame.buffer(150)))

    found = prepare(places, tmp_path / "out", **changed(places, tmp_path / "z.gpkg", grow))
    cells = sum(int((tile.zones == 0).sum()) for tile in found.dataset.tiles())
    assert cells > 100
    assert any(f"{cells} cells are in polygons" in line for line in found.told.warnings)


def test_a_class_of_ones_own_gets_a_code_and_the_log_tells(
    places: list[Place], tmp_path: Path
) -> None:
    labels = changed(
        places, tmp_path / "z.gpkg", lambda frame: frame.replace({"class": {"rock": "Nunatak"}})
    )
    found = prepare(places, tmp_path / "out", **labels)
    assert {zone.value: zone.name for zone in found.dataset.card.classes}[5] == "Nunatak"
    assert any("'Nunatak' is another class (5)" in line for line in found.told.logs)


def test_groups_from_a_table_go_before_all_else(places: list[Place], tmp_path: Path) -> None:
    table = tmp_path / "groups.csv"
    lines = [f"{place.name}.tif,{'North' if i < 3 else 'South'}" for i, place in enumerate(places)]
    table.write_text("\n".join(["scene,glacier", *lines]), encoding="utf-8")
    labels = changed(places, tmp_path / "z.gpkg", lambda frame: frame)
    found = prepare(places, tmp_path / "out", **labels, group_table=table)
    assert set(found.dataset.card.split) == {"North", "South"}


@pytest.mark.parametrize("options", [{"group_field": "glacier"}, {}])
def test_scenes_whose_group_field_is_blank_are_named_with_the_group_they_got(
    places: list[Place], tmp_path: Path, options: dict[str, object]
) -> None:
    def blank(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        named = frame["image_id"] != places[1].name
        north = frame["glacier"].replace({"Arni": "North", "Breki": "ARNI"})
        return frame.assign(glacier=north.where(named, None))

    labels = changed(places, tmp_path / "z.gpkg", blank)
    found = prepare(places, tmp_path / "out", **labels, **options, validation_groups="arni")
    assert set(found.dataset.card.split) == {"North", "Arni", "Dagur"}
    (warning,) = [line for line in found.told.warnings if "GROUP_FIELD" in line]
    assert "'glacier' is empty for 1 scene(s)" in warning
    assert f"{places[1].name} (Arni)" in warning
    assert "GROUP_TABLE" in warning
    assert any("show the same ground" in line for line in found.told.warnings)


def test_a_table_of_groups_makes_up_for_a_blank_field(places: list[Place], tmp_path: Path) -> None:
    table = tmp_path / "groups.csv"
    lines = [f"{place.name},{place.glacier}" for place in places]
    table.write_text("\n".join(["scene,glacier", *lines]), encoding="utf-8")
    labels = changed(places, tmp_path / "z.gpkg", lambda frame: frame.assign(glacier=""))
    found = prepare(places, tmp_path / "out", **labels, group_table=table)
    assert found.told.warnings == []


def test_a_single_glacier_is_split_by_date_and_leakage_is_named(
    places: list[Place], tmp_path: Path
) -> None:
    labels = changed(places[:2], tmp_path / "z.gpkg", lambda frame: frame)
    found = prepare(places[:2], tmp_path / "out", **labels)
    assert found.dataset.card.split == {"Arni": "by date"}
    assert [scene.part for scene in found.dataset.card.scenes] == ["training", "validation"]
    assert any("32 day(s) apart" in line for line in found.told.warnings)


def test_radar_scenes_without_a_glacier_are_refused(places: list[Place], tmp_path: Path) -> None:
    path = tmp_path / "S1A_2018-06-02.tif"
    path.write_bytes(places[0].path.read_bytes())
    scene = Place(path.stem, places[0].truth, path, "")
    sources = rasters([scene], tmp_path / "labels")
    with pytest.raises(EngineError, match="S1A_2018-06-02 has no group"):
        prepare([scene], tmp_path / "out", label_rasters=sources)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda f: f, {"class_field": "klass"}, "no field 'klass'; its fields are: class"),
        (lambda f: f, {"scene_field": "scene"}, "no field 'scene'"),
        (lambda f: f, {"scene_field": "glacier"}, "no value of 'glacier'"),
        (lambda f: f, {"group_field": "basin"}, "GROUP_FIELD: .* no field 'basin'"),
        (lambda f: f.assign(**{"class": ""}), {}, "empty for every polygon"),
        (lambda f: f[f["class"] != "ocean"], {}, "have no class ocean"),
        (lambda f: f.assign(geometry=f.translate(1e6)), {}, "No label overlaps"),
        (
            lambda f: f,
            {"test_groups": "Arni, Breki", "validation_groups": "Dagur"},
            "left for training",
        ),
    ],
)
def test_labels_that_cannot_be_used_are_refused(
    places: list[Place], tmp_path: Path, change: Change, options: dict[str, object], message: str
) -> None:
    labels = changed(places, tmp_path / "z.gpkg", change)
    with pytest.raises(EngineError, match=message):
        prepare(places, tmp_path / "out", **{**labels, **options})
    assert not (tmp_path / "out").exists()


def test_labels_without_crs_and_scenes_with_other_bands_are_refused(
    places: list[Place], tmp_path: Path
) -> None:
    labels = changed(places, tmp_path / "z.gpkg", lambda frame: frame)
    bare = tmp_path / "bare.geojson.gpkg"
    frame = gpd.read_file(tmp_path / "z.gpkg")
    with pytest.warns(UserWarning, match="crs"):
        frame.set_crs(None, allow_override=True).to_file(bare)
    with pytest.raises(EngineError, match="no coordinate reference system"):
        prepare(places, tmp_path / "out", **{**labels, "label_polygons": {"path": str(bare)}})
    path = tmp_path / "Two_2018-01-01.tif"
    with (
        rasterio.open(places[0].path) as one,
        rasterio.open(path, "w", **{**one.profile, "count": 2}) as two,
    ):
        two.write(np.repeat(one.read(), 2, 0))
    mixed = [places[0], Place(path.stem, places[0].truth, path, "Two")]
    with pytest.raises(EngineError, match="different numbers of bands"):
        prepare(mixed, tmp_path / "out", **labels)


def test_label_rasters_with_other_values_or_names_are_refused(
    places: list[Place], tmp_path: Path
) -> None:
    sources = rasters(places, tmp_path / "labels")
    with pytest.raises(EngineError, match="cannot be matched with scenes"):
        prepare(places[:2], tmp_path / "out", label_rasters=sources[2:5])
    with rasterio.open(sources[0]["path"], "r+") as raster:
        raster.write(np.full(raster.shape, 255, np.uint8), 1)
    with pytest.raises(EngineError, match="has the value 255"):
        prepare(places, tmp_path / "out", label_rasters=sources)


def test_exactly_one_kind_of_label(places: list[Place], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="exactly one of LABEL_POLYGONS"):
        prepare(places, tmp_path / "out")
