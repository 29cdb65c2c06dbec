"""The quick look at what is in view: what a run would give, and quickly again."""

from __future__ import annotations

import base64
import os
import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from rasterio.io import MemoryFile
from rasterio.warp import transform_bounds
from shapely import LineString, box

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.fronts.jobs import preview
from glacier_qgis.models.fronts.jobs.preview import PreparePreview, PreviewTermini
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from kit.engine.jobs import run_listened
from kit.engine.listener import Listener

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

CELL = 66.0  # of the model that is delivered


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenes") / "S1A_IW_GRDH_20180602 ü.tif"
    SyntheticScene(size=256, cell_size=CELL).write(path)
    return path


@pytest.fixture
def spied(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return what the network is called with."""
    calls: list[dict[str, Any]] = []
    segment = preview.segment

    def spy(
        scene: object,
        choice: object,
        options: object,
        *rest: Any,  # noqa: ANN401
        **more: Any,  # noqa: ANN401
    ) -> object:
        calls.append({"options": options, **more})
        return segment(scene, choice, options, *rest, **more)

    monkeypatch.setattr(preview, "segment", spy)
    return calls


def view_of(scene: Path, crs: str | None = None, part: float = 1.0) -> dict[str, object]:
    """Return the middle of a scene, a share of its edges, as a map shows it."""
    with rasterio.open(scene) as raster:
        own = raster.crs.to_wkt()
        bounds = transform_bounds(raster.crs, crs, *raster.bounds) if crs else raster.bounds
    west, south, east, north = bounds
    across, up = (1 - part) / 2 * (east - west), (1 - part) / 2 * (north - south)
    names = ("xmin", "ymin", "xmax", "ymax")
    values = (west + across, south + up, east - across, north - up)
    return {**dict(zip(names, values, strict=True)), "crs": crs or own}


def asked(scene: Path, view: dict[str, object], **options: object) -> tuple[Result, Listener]:
    return run_listened(
        PreviewTermini.model_validate({"input": {"path": str(scene)}, "view": view, **options})
    )


def look(scene: Path, view: dict[str, object], **options: object) -> dict[str, Any]:
    return dict(asked(scene, view, **options)[0])


def picture(result: dict[str, Any]) -> npt.NDArray[np.uint8]:
    with MemoryFile(base64.b64decode(result["PICTURE"])) as file, file.open() as image:
        assert image.driver == "PNG"
        assert image.count == 1
        return np.asarray(image.read(1))


@pytest.mark.parametrize("part", [1.0, 0.8])
def test_a_narrow_view_shows_what_a_run_over_this_extent_gives(
    scene: Path, tmp_path: Path, part: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "NARROW", 256)
    view = view_of(scene, part=part)
    shown = look(scene, view, view_only=True)
    job = {"input": {"path": str(scene)}, "extent": view}
    names = {"output": tmp_path / "lines.gpkg", "zones": tmp_path / "zones.tif"}
    run_listened(DelineateTermini.model_validate({**job, **names}))
    with rasterio.open(tmp_path / "zones.tif") as zones:
        np.testing.assert_array_equal(picture(shown), zones.read(1))
        np.testing.assert_allclose(shown["EXTENT"], zones.bounds)
    lines = gpd.read_file(tmp_path / "lines.gpkg")
    assert len(lines) == len(shown["LINES"]) > 0
    for written, drawn in zip(lines.itertuples(), shown["LINES"], strict=True):
        assert LineString(drawn["points"]).hausdorff_distance(written.geometry) < 0.01
        assert drawn["confidence"] == pytest.approx(written.confidence)
        assert drawn["length_m"] == pytest.approx(written.length_m)
        assert drawn["uncertainty_m"] == pytest.approx(written.uncertainty_m)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857"])
def test_picture_and_lines_lie_on_the_map_in_its_own_crs(scene: Path, crs: str) -> None:
    here = look(scene, view_of(scene))
    there = look(scene, view_of(scene, crs))
    with rasterio.open(scene) as raster:
        around = box(*transform_bounds(raster.crs, crs, *raster.bounds))
    west, south, east, north = there["EXTENT"]
    assert box(west, south, east, north).intersection(around).area > 0.95 * around.area
    lines = gpd.GeoSeries([LineString(line["points"]) for line in there["LINES"]], crs=crs)
    with rasterio.open(scene) as raster:
        back = lines.to_crs(raster.crs)
    assert len(back) == len(here["LINES"]) > 0
    for mine, yours in zip(back, here["LINES"], strict=True):
        assert mine.hausdorff_distance(LineString(yours["points"])) < CELL


def test_a_narrow_view_shows_what_a_run_over_the_whole_scene_gives(
    scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "NARROW", 256)
    shown = look(scene, view_of(scene, part=0.2))
    names = {"output": tmp_path / "lines.gpkg", "zones": tmp_path / "zones.tif"}
    run_listened(DelineateTermini.model_validate({"input": {"path": str(scene)}, **names}))
    with rasterio.open(tmp_path / "zones.tif") as zones:
        np.testing.assert_array_equal(picture(shown), zones.read(1))
    assert [line["length_m"] for line in shown["LINES"]] == pytest.approx(
        gpd.read_file(tmp_path / "lines.gpkg")["length_m"].to_list()
    )


def test_values_are_ranked_in_the_whole_scene_unless_the_view_is_all_there_is(
    scene: Path, spied: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "NARROW", 64)
    view = view_of(scene, part=0.5)
    whole, alone = look(scene, view), look(scene, view, view_only=True)
    assert picture(alone).shape == (128, 128)
    assert 128 < min(picture(whole).shape) <= max(picture(whole).shape) < 150  # what lies around
    with rasterio.open(scene) as raster:
        middle = np.median(raster.read(1, masked=True).compressed())
    known = spied[0]["known"].quantiles[0]
    assert known[known.size // 2] == pytest.approx(middle, rel=0.02)
    assert spied[1]["known"] is None


def test_a_wide_view_has_larger_cells_and_says_so(
    scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not asked(scene, view_of(scene))[1].warnings
    monkeypatch.setattr(preview, "EDGE", 64)
    shown, listener = asked(scene, view_of(scene))
    assert max(picture(shown).shape) <= 65
    assert shown["CELL_SIZE"] == pytest.approx(CELL * 256 / 64, rel=0.05)
    (warning,) = listener.warnings
    assert "Zoom in" in warning


def test_a_wide_view_goes_without_averaging_over_flips(
    scene: Path, spied: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "NARROW", 128)
    for part in (0.31, 0.45, 0.6):
        look(scene, view_of(scene, part=part))
    assert [call["options"].tta for call in spied] == [True, True, False]


def test_a_scene_is_measured_once_and_again_when_its_file_has_changed(
    scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[int] = []
    measure = preview.scene_statistics

    def count(*arguments: Any) -> object:  # noqa: ANN401
        measured.append(1)
        return measure(*arguments)

    monkeypatch.setattr(preview, "scene_statistics", count)
    copy = tmp_path / "scene.tif"
    shutil.copy(scene, copy)
    run_listened(PreparePreview.model_validate({"input": {"path": str(copy)}}))
    for part in (1.0, 0.7, 0.5):
        look(copy, view_of(copy, part=part))
    assert len(measured) == 1
    os.utime(copy, ns=(1, 1))
    look(copy, view_of(copy))
    assert len(measured) == 2
    look(copy, view_of(copy), view_only=True)
    assert len(measured) == 2


def test_undeclared_fill_around_the_scene_is_no_zone_in_a_view_of_its_border(
    tmp_path: Path,
) -> None:
    path = tmp_path / "scene.tif"
    SyntheticScene(size=208, cell_size=CELL, border=30, form="uint8").write(path)
    with rasterio.open(path, "r+") as raster:
        raster.nodata = None
    shown = picture(look(path, view_of(path)))
    assert (shown[:28] == 0).all()
    assert (shown[40:-40, 40:-40] > 0).all()


def test_a_view_beside_the_scene_is_refused(scene: Path) -> None:
    view = view_of(scene)
    shift = 2 * (float(str(view["xmax"])) - float(str(view["xmin"])))
    beside = {**view, "xmin": view["xmin"] + shift, "xmax": view["xmax"] + shift}  # type: ignore[operator]
    with pytest.raises(EngineError, match="does not touch"):
        look(scene, beside)


def test_no_front_is_said(tmp_path: Path) -> None:
    path = tmp_path / "noise.tif"
    SyntheticScene(size=160, cell_size=CELL).write(path)
    with rasterio.open(path, "r+") as raster:
        noise = np.random.default_rng(1).gamma(4, 0.02, raster.shape)
        raster.write(noise.astype(raster.dtypes[0]), 1)
    shown = look(path, view_of(path))
    assert not shown["LINES"]
    assert "no glacier" in shown["REASON"]


def test_nothing_is_written(scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = sorted(scene.parent.iterdir())
    look(scene, view_of(scene))
    assert sorted(scene.parent.iterdir()) == before
    assert not list(tmp_path.iterdir())
