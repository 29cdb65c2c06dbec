"""What an inspection finds in sound and in spoilt data."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.training.jobs.inspect import InspectTrainingData
from kit.engine.jobs import run_job
from kit.training.synthetic_data import (
    Listener,
    Place,
    Prepared,
    make_scenes,
    polygons,
    prepare,
    rasters,
)


def inspect(folder: Path, report: Path) -> tuple[Result, Listener, str]:
    told = Listener()
    job = InspectTrainingData(dataset=folder, report=report)
    result = run_job(job, told)
    return result, told, report.read_text(encoding="utf-8")


def test_sound_data_raise_no_warning(prepared: Prepared, tmp_path: Path) -> None:
    result, told, page = inspect(prepared.dataset.folder, tmp_path / "r.html")
    assert told.warnings == []
    assert result["WARNINGS"] == 0
    assert result["TILES"] == len(prepared.dataset.entries)
    pictures = re.findall('src="data:image/png;base64,', page)
    classes = len(prepared.dataset.card.classes)
    assert 2 * (classes - 1) <= len(pictures) <= 2 * (classes + 1)  # two parts, one row per class
    assert all(group in page for group in ("Arni", "Breki", "Dagur"))


def test_the_sample_depends_on_the_seed_alone(prepared: Prepared, tmp_path: Path) -> None:
    _, _, one = inspect(prepared.dataset.folder, tmp_path / "1.html")
    _, _, other = inspect(prepared.dataset.folder, tmp_path / "2.html")
    assert one == other


def test_a_damaged_tile_is_reported_not_shown(copied: Callable[[], Path], tmp_path: Path) -> None:
    folder = copied()
    victim = sorted((folder / "images").iterdir())[0]
    victim.write_bytes(victim.read_bytes()[:-10])
    _, told, page = inspect(folder, tmp_path / "r.html")
    assert len(told.warnings) == 1
    assert victim.name in told.warnings[0]
    assert victim.name in page


def test_one_picture_with_two_labellings_is_found(tmp_path: Path) -> None:
    first, second = make_scenes(tmp_path, {"Arni": ["2018-06-02"], "Breki": ["2018-06-02"]})
    shutil.copy(first.path, second.path)
    twin = Place(second.name, first.truth, second.path, second.glacier)
    labels = rasters([first, twin], tmp_path / "labels")
    with rasterio.open(labels[1]["path"], "r+") as raster:
        zones = raster.read(1)
        raster.write(np.where(zones == 2, 3, zones).astype(np.uint8), 1)
    found = prepare([first, twin], tmp_path / "out", label_rasters=labels)
    assert any("are the same image" in line for line in found.told.warnings)
    _, told, page = inspect(tmp_path / "out", tmp_path / "r.html")
    assert any("are the same image" in line for line in told.warnings)
    assert any("look wrong" in line for line in told.warnings)
    assert "of the labels differ" in page


@pytest.mark.parametrize(("day", "apart"), [("2018-06-20", 18), ("2021-08-01", 1156)])
def test_one_glacier_under_two_names_is_found(tmp_path: Path, day: str, apart: int) -> None:
    (first,) = make_scenes(tmp_path, {"Arni": ["2018-06-02"]})
    (later,) = make_scenes(tmp_path, {"Breki": [day]})
    again = Place(later.name, first.truth, later.path, later.glacier)
    later.truth.__class__(size=96, cell_size=60.0, seed=9, centre=first.truth.centre).write(
        later.path
    )
    labels = polygons([first, again], tmp_path / "zones.gpkg")
    found = prepare(
        [first, again],
        tmp_path / "out",
        label_polygons={"path": str(labels)},
        class_field="class",
    )
    (warning,) = [line for line in found.told.warnings if "show the same ground" in line]
    assert f"{apart} day(s) apart" in warning
    assert "33.2 km²" in warning


def test_two_glaciers_on_one_ground_are_named_once_with_their_nearest_scenes(
    tmp_path: Path,
) -> None:
    days = ["2018-06-02", "2019-06-02", "2020-06-02"]
    places = make_scenes(tmp_path, {"Arni": days}) + make_scenes(tmp_path, {"Breki": days[1:]})
    labels = rasters(places, tmp_path / "labels")
    found = prepare(places, tmp_path / "out", label_rasters=labels, validation_groups="Breki")
    (warning,) = [line for line in found.told.warnings if "show the same ground" in line]
    assert "Arni (training) and Breki (validation)" in warning
    assert "Arni_2019-06-02 and Breki_2019-06-02, share 33.2 km², 0 day(s) apart" in warning


def test_one_glacier_split_by_date_is_no_ground_of_two(tmp_path: Path) -> None:
    places = make_scenes(tmp_path, {"Arni": ["2018-06-02", "2019-06-02", "2020-06-02"]})
    labels = rasters(places, tmp_path / "labels")
    found = prepare(places, tmp_path / "out", label_rasters=labels)
    assert not any("show the same ground" in line for line in found.told.warnings)
