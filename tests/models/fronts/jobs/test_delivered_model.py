"""The delivered model: one scene in every form that reaches a user gives one terminus."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString

from glacier_qgis.models.fronts.jobs.scene import DelineateTermini
from glacier_qgis.models.fronts.scene.synthetic import Form, SyntheticScene
from glacier_qgis.models.fronts.termini.metrics import front_distances
from kit.engine.jobs import run_job

CELL_OF_THE_MODEL = 66.0


def delineate(folder: Path, form: Form) -> list[LineString]:
    """Return the terminus of the simulated scene: its longest line."""
    scene = folder / f"{form}.tif"
    SyntheticScene(size=768, cell_size=20.0, form=form).write(scene)
    job = DelineateTermini.model_validate(
        {
            "input": {"path": str(scene)},
            "longest_only": True,
            "output": folder / f"{form}.gpkg",
        }
    )
    run_job(job)
    return list(gpd.read_file(folder / f"{form}.gpkg").geometry)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> list[LineString]:
    return delineate(tmp_path_factory.mktemp("reference"), "linear")


@pytest.mark.slow
@pytest.mark.parametrize("form", [form for form in get_args(Form) if form != "linear"])
def test_every_form_of_a_scene_gives_the_same_terminus_within_a_cell(
    tmp_path: Path, reference: list[LineString], form: Form
) -> None:
    lines = delineate(tmp_path, form)
    assert lines
    distances = front_distances(lines, reference, CELL_OF_THE_MODEL)
    assert np.mean(distances) < CELL_OF_THE_MODEL
    assert np.median(distances) < CELL_OF_THE_MODEL / 2
