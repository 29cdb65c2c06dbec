"""The delivered model on series: a front that moves is found where it is, and not where it was."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from listener import Listener
from shapely import LineString

from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.metrics import front_distances, reference_box
from glacier_qgis.models.fronts.synthetic import SyntheticScene
from glacier_qgis.models.fronts.time_series import TerminusTimeSeries
from glacier_qgis.models.vector.lines import clip_lines, line_parts

CELL_OF_THE_MODEL = 66.0
MONTHS = ["2018-01-15", "2018-03-15", "2018-05-15", "2018-07-15", "2018-09-15", "2018-11-15"]


@pytest.mark.parametrize(
    "retreat",
    [[0, 400, 800, 1200, 1600, 2000], [0, 800, 1600, 1600, 800, 0]],
    ids=["retreats", "comes back"],
)
def test_the_front_of_a_series_is_where_it_is(tmp_path: Path, retreat: list[float]) -> None:
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    truth: dict[str, LineString] = {}
    for number, (date, moved) in enumerate(zip(MONTHS, retreat, strict=True)):
        scene = SyntheticScene(size=512, cell_size=25.0, retreat=moved, overflight=number)
        scene.write(scenes / f"scene_{date}.tif")
        truth[date] = scene.front
    parameters = {"folder": scenes, "output": tmp_path / "lines.gpkg"}
    with Outputs("0123456789abcdef") as outputs:
        TerminusTimeSeries.model_validate(parameters).run(Listener(), outputs)
    lines = gpd.read_file(tmp_path / "lines.gpkg")
    off = {}
    for date, front in truth.items():
        found = line_parts(lines.geometry[lines["date"].dt.strftime("%Y-%m-%d") == date])
        near = clip_lines(found, reference_box([front]))
        off[date] = front_distances(near, [front], 30.0).mean() / CELL_OF_THE_MODEL
    assert max(off.values()) < 3, off
    assert np.median(list(off.values())) < 1.5, off
