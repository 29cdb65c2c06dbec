"""The delivered model on simulated series: the line goes with a front that moves."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.fronts.termini.metrics import reference_box
from glacier_qgis.models.package.folder import read_card
from glacier_qgis.models.package.registry import DEFAULT_MODEL, find_model
from glacier_qgis.models.vector.lines import clip_lines, line_parts
from kit.engine.jobs import run_job

MONTHS = ["2018-01-15", "2018-03-15", "2018-05-15", "2018-07-15", "2018-09-15", "2018-11-15"]
SPACING = 30.0


@pytest.mark.slow
@pytest.mark.parametrize(
    "retreat",
    [[0, 400, 800, 1200, 1600, 2000], [0, 800, 1600, 1600, 800, 0]],
    ids=["retreats", "comes back"],
)
def test_lines_of_scenes_seen_together_go_with_the_front(
    tmp_path: Path, retreat: list[float]
) -> None:
    assert read_card(find_model(DEFAULT_MODEL)).series is not None
    (tmp_path / "scenes").mkdir()
    fronts = {}
    for number, (date, moved) in enumerate(zip(MONTHS, retreat, strict=True)):
        scene = SyntheticScene(size=512, cell_size=25.0, retreat=moved, overflight=number)
        scene.write(tmp_path / "scenes" / f"scene_{date}.tif")
        fronts[date] = scene.front
    parameters = {"folder": tmp_path / "scenes", "output": tmp_path / "lines.gpkg"}
    run_job(TerminusTimeSeries.model_validate(parameters))
    lines = gpd.read_file(tmp_path / "lines.gpkg")
    days = lines["date"].dt.strftime("%Y-%m-%d")
    found = []
    for date, front in fronts.items():
        parts = clip_lines(line_parts(lines.geometry[days == date]), reference_box([front]))
        places = shapely.get_coordinates(shapely.segmentize(parts, SPACING))
        angle = np.radians(scene.angle)
        found.append(np.median(places @ [np.cos(angle), np.sin(angle)]))
    slope, _ = np.polyfit(-np.asarray(retreat), found, 1)
    assert 0.6 < slope < 1.2, found
