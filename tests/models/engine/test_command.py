"""The command of a report repeats its job."""

from __future__ import annotations

import shlex
from pathlib import Path

from glacier_qgis.models.engine.provenance import command
from glacier_qgis.models.iceflow.jobs.train_emulator import TrainEmulator


def test_layers_are_their_paths_and_a_list_repeats_its_name() -> None:
    job = TrainEmulator(
        snapshots=[Path("/a/one.nc"), Path("/a/the other.nc")],
        topographies=[{"path": "/a/ground.tif", "crs": "EPSG:32632", "name": "ground"}],
        selection=True,
        epochs=7,
        output=Path("/a/mine.zip"),
    )
    program, run, algorithm, dashes, *options = shlex.split(command("trainemulator", job))
    assert [program, run, algorithm, dashes] == [
        *("qgis_process", "run", "glacier:trainemulator", "--")
    ]
    assert options == [
        "SNAPSHOTS=/a/one.nc",
        "SNAPSHOTS=/a/the other.nc",
        "TOPOGRAPHIES=/a/ground.tif",
        "EPOCHS=7",
        "SELECTION=true",
        "OUTPUT=/a/mine.zip",
    ]
