"""First pass over a series: zones and probabilities of each scene, on cells that coincide.

Scenes are independent and what is whole stays on disk, so that a run that was stopped goes
on where it was, and any process that sees the same files can do a part.
"""

from __future__ import annotations

import shutil
import threading
import traceback
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pyproj import CRS

from glacier_qgis.models.engine.errors import DISK_FULL, EngineError, explain
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import Parameters, RasterInput
from glacier_qgis.models.fronts.options import Inference
from glacier_qgis.models.fronts.segment import Drafts, segment
from glacier_qgis.models.fronts.time_series_catalogue import SeriesScene
from glacier_qgis.models.fronts.time_series_work import DRAFT, WorkFolder, digest, scene_identity
from glacier_qgis.models.raster.metric import centre, is_true, metric_crs
from glacier_qgis.models.raster.source import open_raster, work_grid

ZONES, PROBABILITY, RECORD = "zones.tif", "probability.tif", "scene.json"
SCENES_AT_ONCE = 2
"""While the network computes one scene, the next is read and the last is written."""

_TURN = threading.Lock()


class SceneTask(Parameters):
    """One scene to segment; travels as JSON.

    Attributes:
        source: The scene.
        options: How to run the network.
        crs: WKT of the series' metric CRS.
        cell_size: Edge of a cell, m; edges are multiples of it.
        folder: To create when all is done, with `ZONES`, `PROBABILITY` and `RECORD` in it.
    """

    source: RasterInput
    options: Inference
    crs: str
    cell_size: float
    folder: Path


class Outcome(Parameters):
    """How one scene went; also the record in its folder, where it went well.

    Attributes:
        reason: Why it failed; blank if it did not.
        warnings: What may make the result wrong.
    """

    reason: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class SegmentedScene:
    """A scene after the first pass.

    Attributes:
        scene: Which.
        folder: Holds `ZONES` and `PROBABILITY`; None if the scene failed.
        outcome: How it went.
    """

    scene: SeriesScene
    folder: Path | None
    outcome: Outcome


Watch = Callable[[SceneTask, float], None]
"""Told a task and the fraction of it that is done."""
Run = Callable[[Sequence[SceneTask], Watch], Iterator[tuple[SceneTask, Outcome]]]
"""Does tasks, in any order."""


def series_crs(scenes: Sequence[SeriesScene], work: WorkFolder) -> CRS:
    """Return the metric CRS of a series.

    That is the one of its work folder, or else that of most scenes: of several, the one in which
    most of the others can be worked on, too; of these, the first.

    Raises:
        EngineError: No scene can be opened.
    """
    if work.crs is not None:
        return work.crs
    reasons, systems, places = [], [], []
    for scene in scenes:
        try:
            with open_raster(scene.source) as opened:
                systems.append(metric_crs(opened))
                places.append(centre(opened))
        except EngineError as error:
            reasons.append(str(error))
    if not systems:
        raise EngineError(f"None of the {len(scenes)} scenes can be used. {reasons[0]}")

    def votes(crs: CRS) -> tuple[int, int]:
        return systems.count(crs), sum(is_true(crs, *place) for place in places)

    crs = max(dict.fromkeys(systems), key=votes)
    work.keep_crs(crs)
    return crs


def segment_scenes(
    scenes: Sequence[SeriesScene],
    options: Inference,
    cell_size: float,
    settings: str,
    work: WorkFolder,
    run: Run,
    reporter: Reporter,
) -> list[SegmentedScene]:
    """Segment every scene that was not segmented before.

    Args:
        scenes: The series.
        options: How to run the network.
        cell_size: Edge of a cell, m.
        settings: Everything that the result depends on, besides the scene and the CRS.
        work: Where the results are.
        run: Who does the work.
        reporter: Told of progress, and warned of each scene that failed.

    Returns:
        In the order of `scenes`.

    Raises:
        EngineError: Every scene failed.
    """
    crs = series_crs(scenes, work).to_wkt()
    tasks = [
        SceneTask(
            source=scene.source,
            options=options,
            crs=crs,
            cell_size=cell_size,
            folder=work.path / digest(settings, crs, scene_identity(scene.source)),
        )
        for scene in scenes
    ]
    outcomes = {task.folder: _stored(task.folder) for task in tasks if _is_whole(task.folder)}
    if outcomes:
        reporter.log(f"{len(outcomes)} scenes were segmented before and are not computed again.")
    missing = list({task.folder: task for task in tasks if task.folder not in outcomes}.values())
    bar = _Bar(reporter, len(missing))
    for task, outcome in run(missing, bar.watch):
        outcomes[task.folder] = outcome
        bar.finish(task)
    for task in tasks:
        _tell(task, outcomes[task.folder], reporter)
    failed = [outcomes[task.folder].reason for task in tasks if outcomes[task.folder].reason]
    if len(failed) == len(tasks):
        raise EngineError(f"Every one of the {len(tasks)} scenes failed. {failed[0]}")
    return [
        SegmentedScene(scene, task.folder if not outcome.reason else None, outcome)
        for scene, task in zip(scenes, tasks, strict=True)
        for outcome in [outcomes[task.folder]]
    ]


def run_here(tasks: Sequence[SceneTask], watch: Watch) -> Iterator[tuple[SceneTask, Outcome]]:
    """Do tasks on this machine, `SCENES_AT_ONCE` of them beside each other."""
    pool = ThreadPoolExecutor(SCENES_AT_ONCE, thread_name_prefix="scene")
    try:
        futures = {pool.submit(segment_scene, task, partial(watch, task)): task for task in tasks}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def segment_scene(task: SceneTask, progress: Callable[[float], None] | None = None) -> Outcome:
    """Segment one scene into its folder, which appears when it is whole.

    What is wrong with the scene becomes the outcome's reason; a full disk is raised, since it
    stops every other scene as well.
    """
    notes = _Notes(progress)
    draft = task.folder.with_name(f"{DRAFT}{task.folder.name}-{uuid.uuid4().hex[:8]}")
    try:
        draft.mkdir()
        with open_raster(task.source) as scene:
            grid = work_grid(scene, task.options.extent, task.cell_size, CRS.from_wkt(task.crs))
            drafts = Drafts(draft / ZONES, draft / PROBABILITY)
            tags = {"SCENE": scene.name}
            segment(scene, task.options, drafts, tags, notes, grid=grid, turn=_TURN)
        outcome = Outcome(warnings=tuple(notes.warnings))
        (draft / RECORD).write_text(outcome.model_dump_json(), encoding="utf-8")
        _deliver(draft, task.folder)
    except Exception as error:
        reason = explain(error)
        if reason == DISK_FULL:
            raise EngineError(reason) from error
        if reason is None:
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error}"
        return Outcome(reason=reason, warnings=tuple(notes.warnings))
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return outcome


def _deliver(draft: Path, folder: Path) -> None:
    """Let a whole folder appear; where another process was first, its own stays."""
    try:
        draft.replace(folder)
    except OSError:
        if not _is_whole(folder):
            raise


def _is_whole(folder: Path) -> bool:
    return (folder / RECORD).is_file()


def _stored(folder: Path) -> Outcome:
    return Outcome.model_validate_json((folder / RECORD).read_bytes())


def _tell(task: SceneTask, outcome: Outcome, reporter: Reporter) -> None:
    name = Path(task.source.path).name
    for warning in outcome.warnings:
        reporter.warning(f"{name}: {warning}")
    if outcome.reason:
        reporter.warning(f"{name} failed and is left out: {outcome.reason}")


@dataclass
class _Notes:
    """A reporter for one scene: passes progress on and keeps warnings."""

    listener: Callable[[float], None] | None
    warnings: list[str] = field(default_factory=list)

    def progress(self, fraction: float, message: str = "") -> None:
        if self.listener:
            self.listener(fraction)

    def log(self, message: str) -> None: ...

    def warning(self, message: str) -> None:
        self.warnings.append(message)


class _Bar:
    """Progress over scenes that are done beside each other."""

    def __init__(self, reporter: Reporter, count: int) -> None:
        self._reporter = reporter
        self._count = count
        self._fractions: dict[Path, float] = {}
        self._finished = 0
        self._lock = threading.Lock()

    def watch(self, task: SceneTask, fraction: float) -> None:
        with self._lock:
            self._fractions[task.folder] = fraction
            self._report()

    def finish(self, task: SceneTask) -> None:
        with self._lock:
            self._fractions[task.folder] = 1.0
            self._finished += 1
            self._report()

    def _report(self) -> None:
        share = sum(self._fractions.values()) / self._count
        self._reporter.progress(share, f"Segmented {self._finished} of {self._count} scenes")
