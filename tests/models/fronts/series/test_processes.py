"""Real processes: a run that is killed, a cluster that loses a worker, and what is left of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
import pytest

import glacier_qgis
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.fronts.series.task import RECORD, ZONES
from glacier_qgis.models.fronts.series.work_folder import DRAFT

LAUNCHER = Path(glacier_qgis.__file__).parent / "launch.py"
SCENES = 6
PATIENCE = 1800.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    for day in range(1, SCENES + 1):
        scene = SyntheticScene(
            size=128, cell_size=60, seed=day, centre=(302_000 + 7 * day, -2.577e6)
        )
        scene.write(folder / f"scene_2018010{day}.tif")
    return folder


class Series:
    """One run of the job in a process of its own."""

    def __init__(self, place: Path, folder: Path, model: Path, **parameters: object) -> None:
        place.mkdir(exist_ok=True)
        self.lines = place / "lines.gpkg"
        self.summary = place / "scenes.gpkg"
        self.cache = place / "cache"
        job = {
            "folder": str(folder),
            "model": str(model),
            "min_confidence": 0,
            "min_length": 1500,
            "output": str(self.lines),
            "summary": str(self.summary),
            **parameters,
        }
        order = {"job": "terminustimeseries", "id": "0123456789abcdef", "parameters": job}
        (place / "job.json").write_text(json.dumps(order))
        self.process = subprocess.Popen(
            [sys.executable, "-I", LAUNCHER, place / "job.json"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_CACHE_HOME": str(self.cache), "LOCALAPPDATA": str(self.cache)},
        )

    def finish(self) -> list[dict[str, Any]]:
        with self.process:
            try:
                stdout, _ = self.process.communicate(timeout=PATIENCE)
            finally:
                self.process.kill()
        return [json.loads(line) for line in stdout.splitlines()]


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, folder: Path, tiny_series_model: Path
) -> gpd.GeoDataFrame:
    series = Series(tmp_path_factory.mktemp("undisturbed"), folder, tiny_series_model)
    events = series.finish()
    assert events[-1]["event"] == "result", events[-1]
    return gpd.read_file(series.lines)


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, "the run ended before it could be disturbed"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def whole_scenes(work: Path) -> list[Path]:
    """Return the folders of zones; a worker that is killed leaves its draft of one behind.

    Folders may come and go meanwhile, which `os.walk` does not mind.
    """
    found = [Path(folder) for folder, _, files in os.walk(work) if {RECORD, ZONES} <= {*files}]
    return [folder for folder in found if not folder.name.startswith(DRAFT)]


def same_lines(found: Path, expected: gpd.GeoDataFrame) -> None:
    lines = gpd.read_file(found)
    assert list(lines["image_id"]) == list(expected["image_id"])
    assert list(lines["date"]) == list(expected["date"])
    assert lines.geometry.hausdorff_distance(expected.geometry).max() < 6
    assert len(lines) > 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "darwin", reason="the cache cannot be moved there")
def test_a_killed_run_resumes_where_it_was(
    tmp_path: Path, folder: Path, tiny_series_model: Path, undisturbed: gpd.GeoDataFrame
) -> None:
    killed = Series(tmp_path, folder, tiny_series_model)
    wait_for(lambda: whole_scenes(killed.cache), killed.process)
    killed.process.kill()
    killed.finish()
    done = len(whole_scenes(killed.cache))
    assert 1 <= done < SCENES
    assert not killed.lines.exists()
    series = Series(tmp_path, folder, tiny_series_model)
    events = series.finish()
    assert events[-1]["event"] == "result", events[-1]
    before = f"{done} scenes were segmented before and are not computed again."
    assert before in [event.get("message") for event in events]
    same_lines(series.lines, undisturbed)
    assert not list(series.cache.rglob("scene.json"))


class Cluster:
    """A scheduler and its workers, each a process that knows nothing of this software."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._file = place / "scheduler.json"
        self.workers: list[subprocess.Popen[str]] = []
        self.scheduler = self._start("scheduler", "--port", "0", "--no-show")
        wait_for(self._file.exists, self.scheduler)
        self.address = json.loads(self._file.read_text())["address"]

    def add_worker(self) -> None:
        self.workers.append(self._start("worker", "--nthreads", "1", "--no-nanny"))

    def stop(self) -> None:
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.communicate()

    def _start(self, kind: str, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *options]
        command += ["--scheduler-file", str(self._file), "--no-dashboard", "--host", "127.0.0.1"]
        return subprocess.Popen(
            command,
            cwd=self._place,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    place = tmp_path / "cluster"
    place.mkdir()
    cluster = Cluster(place)
    yield cluster
    cluster.stop()


@pytest.mark.slow
def test_a_cluster_delivers_every_scene_though_a_worker_is_killed_midway(
    tmp_path: Path,
    folder: Path,
    tiny_series_model: Path,
    undisturbed: gpd.GeoDataFrame,
    cluster: Cluster,
) -> None:
    cluster.add_worker()
    cluster.add_worker()
    work = tmp_path / "work"
    series = Series(
        tmp_path, folder, tiny_series_model, scheduler=cluster.address, work_folder=str(work)
    )
    wait_for(lambda: whole_scenes(work), series.process)
    cluster.workers[0].kill()
    events = series.finish()
    assert events[-1]["event"] == "result", events[-1]
    assert events[-1]["outputs"]["FAILED"] == 0
    assert any("2 workers" in str(event.get("message")) for event in events)
    assert set(pyogrio.read_dataframe(series.summary)["status"]) <= {"ok", "no front"}
    assert len(whole_scenes(work)) == SCENES
    same_lines(series.lines, undisturbed)


@pytest.mark.slow
def test_clusters_that_cannot_do_the_work_are_refused_with_the_remedy(
    tmp_path: Path, folder: Path, tiny_series_model: Path, cluster: Cluster
) -> None:
    def refusal(**parameters: object) -> str:
        series = Series(
            tmp_path, folder, tiny_series_model, work_folder=str(tmp_path / "w"), **parameters
        )
        last = series.finish()[-1]
        assert last["event"] == "error", last
        return str(last["message"])

    assert "no worker" in refusal(scheduler=cluster.address)
    assert "no Dask scheduler answers" in refusal(scheduler="nonsense://here:1")
