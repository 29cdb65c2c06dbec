"""A folder with scenes of several sensors: each is seen by the model for its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import pytest

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.fronts.segmentation import model_choice
from glacier_qgis.models.package.folder import CARD, read_card
from kit.fronts.series_scenes import CELL, NORTH, WEST, run, table, write

CORNER = (WEST, NORTH)


@pytest.fixture
def models(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Let a model for radar and one for optical scenes, with larger cells, be all there is."""
    found = {}
    for kind, cell in (("radar", CELL), ("optical", 2 * CELL)):
        found[kind] = tmp_path / "models" / kind
        shutil.copytree(tiny_model, found[kind])
        card = read_card(tiny_model).model_copy(
            update={
                "name": kind,
                "sensors": (kind,),
                "cell_size_m": cell,
                "cell_size_range_m": (cell, cell),
            }
        )
        (found[kind] / CARD).write_text(card.model_dump_json(), encoding="utf-8")
    monkeypatch.setattr(model_choice, "installed_models", lambda: found)
    return found


def test_each_scene_is_seen_by_the_model_for_its_sensor(
    models: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "scenes"
    for name in ("S1A_2018-01-01", "LC08_2018-01-08", "S1B_2018-01-15", "S2A_2018-01-22"):
        write(folder / f"{name}.tif", "EPSG:3413", CORNER, CELL)
    outputs = {"output": tmp_path / "lines.gpkg", "summary": tmp_path / "scenes.gpkg"}
    result, listener = run(folder=folder, work_folder=tmp_path / "work", **outputs)
    assert (result["SCENES"], result["FAILED"]) == (4, 0)
    assert [*table(outputs["summary"]).index] == [
        "S1A_2018-01-01",
        "LC08_2018-01-08",
        "S1B_2018-01-15",
        "S2A_2018-01-22",
    ]
    seen = gpd.read_file(outputs["output"]).groupby("image_id")["model"].first()
    assert {name: model.split()[0] for name, model in seen.items()} == {
        "S1A_2018-01-01": "radar",
        "S1B_2018-01-15": "radar",
        "LC08_2018-01-08": "optical",
        "S2A_2018-01-22": "optical",
    }
    assert listener.fractions == sorted(listener.fractions)
    assert listener.fractions[-1] == 1
    told = [line for line in listener.logs if line.startswith("Model ")]
    assert told == [
        "Model radar for 2 radar scenes, such as S1A_2018-01-01.tif: the name "
        "'S1A_2018-01-01.tif' says so.",
        "Model optical for 2 optical scenes, such as LC08_2018-01-08.tif: the name "
        "'LC08_2018-01-08.tif' says so.",
    ]
    again, listener = run(folder=folder, work_folder=tmp_path / "work", **outputs)
    assert again["COUNT"] == result["COUNT"]
    assert any("were segmented before" in line for line in listener.logs)


def test_scenes_of_one_sensor_that_all_fail_leave_the_others(
    models: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "scenes"
    write(folder / "S1A_2018-01-01.tif", "EPSG:3413", CORNER, CELL)
    write(folder / "S2A_2018-01-02.tif", "EPSG:3031", (-2_500_000.0, 1_200_000.0), CELL)
    given = {"folder": folder, "output": tmp_path / "lines.gpkg"}
    result, _ = run(**given, work_folder=tmp_path / "work")
    assert (result["SCENES"], result["FAILED"]) == (2, 1)


def test_no_model_for_the_bands_is_said_for_every_scene(
    models: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "scenes"
    write(folder / "S1A_2018-01-01.tif", "EPSG:3413", CORNER, CELL)
    with pytest.raises(EngineError, match=r"All 1 scenes failed\. BANDS: "):
        run(folder=folder, output=tmp_path / "lines.gpkg", bands="1, 1")
