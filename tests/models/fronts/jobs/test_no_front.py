"""Scenes of real glaciers without a front, cut from real images, and pure noise: no line.

The delivered model was trained on these images; `benchmarks/no_front.py` measures its errors on
unseen glaciers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from affine import Affine

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.delivered.caffe import read_caffe
from glacier_qgis.models.zones.codes import GLACIER, OCEAN, ROCK
from kit.engine.jobs import run_job
from kit.engine.rasters import write_raster
from kit.real_data import real_data

CELL = 66.0
EVERY = 35
ALLOWED = 0.15
"""Share of scenes without a front that may get a line. The aim is none."""
LEAST_KM2 = 8.0

Image = npt.NDArray[np.float32]


def delineate(image: Image, cell: tuple[float, float], folder: Path) -> Result:
    scene = folder / "scene.tif"
    write_raster(scene, image, Affine.scale(cell[0], -cell[1]), crs="EPSG:3031", nodata=np.nan)
    job = DelineateTermini.model_validate(
        {"input": {"path": str(scene)}, "output": folder / "lines.gpkg"}
    )
    return run_job(job)


@pytest.fixture(scope="module")
def scenes() -> list[LabelledScene]:
    return read_caffe(real_data("caffe256"))[::EVERY]


def without(scene: LabelledScene, code: int) -> Image:
    """Return an image from which a zone was clipped, as by the outlines of glaciers."""
    kept = np.isin(scene.zones, [zone for zone in (ROCK, GLACIER, OCEAN) if zone != code])
    return np.where(kept & ~scene.filled, scene.image, np.nan).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("code", [OCEAN, GLACIER])
def test_scenes_from_which_the_ocean_or_the_glacier_is_clipped_have_no_front(
    scenes: list[LabelledScene], tmp_path: Path, code: int
) -> None:
    results = []
    for scene in scenes:
        image = without(scene, code)
        if np.isfinite(image).sum() * np.prod(scene.cell_size) >= LEAST_KM2 * 1e6:
            results.append(delineate(image, scene.cell_size, tmp_path))
    assert all((result["COUNT"] == 0) == bool(result["REASON"]) for result in results)
    wrong = [result for result in results if result["COUNT"]]
    assert len(wrong) <= ALLOWED * len(results)


@pytest.mark.slow
def test_the_same_scenes_as_they_are_have_one(scenes: list[LabelledScene], tmp_path: Path) -> None:
    for scene in scenes:
        image = np.where(scene.filled, np.nan, scene.image).astype(np.float32)
        assert delineate(image, scene.cell_size, tmp_path)["COUNT"], scene.name


@pytest.mark.parametrize("looks", [1.0, 4.0])
def test_speckle_has_no_front(tmp_path: Path, looks: float) -> None:
    noise = np.random.default_rng(0).gamma(looks, 1 / looks, (256, 256)).astype(np.float32)
    result = delineate(noise, (CELL, CELL), tmp_path)
    assert result["COUNT"] == 0
    assert result["REASON"]


def test_a_scene_of_one_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="same value"):
        delineate(np.full((256, 256), 7, np.float32), (CELL, CELL), tmp_path)
