"""First pass over a series: zones and probabilities of each scene, on cells that coincide.

If the model has a network for series, the ranks of every scene are written first, as additional
input for the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from pyproj import CRS

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Stage
from glacier_qgis.models.fronts.scene.companions import with_reference
from glacier_qgis.models.fronts.segmentation.options import Inference
from glacier_qgis.models.fronts.series.catalogue import SeriesScene
from glacier_qgis.models.fronts.series.clearness import clearness
from glacier_qgis.models.fronts.series.companion_files import CompanionFiles, add_up
from glacier_qgis.models.fronts.series.duplicates import Shown, find_originals
from glacier_qgis.models.fronts.series.task import (
    RANKS,
    RECORD,
    Outcome,
    SceneTask,
    is_whole,
    work_on,
)
from glacier_qgis.models.fronts.series.work_folder import WorkFolder, digest, scene_identity
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.raster.metric import centre, is_true, metric_crs

SCENES_AT_ONCE = 2
"""Number of scenes at the same time: while the network computes one, the next is read and the last
is written."""
RANKS_SHARE = 0.25
"""Share of the progress bar for ranks and a first look, before the segmentation."""


@dataclass(frozen=True)
class SegmentedScene:
    """A scene after the first pass.

    Attributes:
        scene: The scene.
        folder: Holds `ZONES` and `PROBABILITY`; None if the scene failed.
        outcome: Of the first pass.
        card: Of the network that saw it.
        duplicate: Whether it is the same observation as another scene, and so is not used as
            evidence.
    """

    scene: SeriesScene
    folder: Path | None
    outcome: Outcome
    card: ModelCard
    duplicate: bool = False


Watch = Callable[[SceneTask, float], None]
"""Receives a task and its completed fraction."""
DoTasks = Callable[[Sequence[SceneTask], Watch], Iterator[tuple[SceneTask, Outcome]]]
"""Runs tasks, in any order."""


def series_crs(scenes: Sequence[SeriesScene], work: WorkFolder) -> CRS:
    """Return the metric CRS of a series.

    That is the CRS of its work folder, otherwise that of most scenes; among several, the one that
    is suitable for most of the others; among these, the first.

    Raises:
        EngineError: No scene can be used.
    """
    if work.crs is not None:
        return work.crs
    reasons, systems, places = [], [], []
    for scene in scenes:
        if (footprint := scene.survey.footprint) is None:
            reasons.append(scene.survey.problem)
            continue
        try:
            systems.append(metric_crs(footprint))
            places.append(centre(footprint))
        except EngineError as error:
            reasons.append(str(error))
    if not systems:
        raise EngineError(f"None of the {len(scenes)} scenes can be used. {reasons[0]}")

    def votes(crs: CRS) -> tuple[int, int]:
        return systems.count(crs), sum(is_true(crs, *place) for place in places)

    crs = max(dict.fromkeys(systems), key=votes)
    work.keep_crs(crs)
    return crs


@dataclass(frozen=True)
class SeriesPlan:
    """Settings for the segmentation of a series.

    Attributes:
        options: How to run the network.
        card: Of the model.
        cell_size: Edge of a cell, m.
        settings: Everything that affects the result, besides the scenes and the CRS.
        together: Whether the other scenes are additional input; the model has a network for series.
        work: Folder of the results.
        crs: WKT of the series' metric CRS.
    """

    options: Inference
    card: ModelCard
    cell_size: float
    settings: str
    together: bool
    work: WorkFolder
    crs: str

    def ranks(self, scene: SeriesScene) -> SceneTask:
        """Return the task of writing the ranks of a scene."""
        return self._task(scene, "ranks", None)

    def zones(self, scene: SeriesScene, companions: CompanionFiles | None) -> SceneTask:
        """Return the task of segmenting a scene, optionally with companions."""
        return self._task(scene, "zones", companions)

    def _task(
        self,
        scene: SeriesScene,
        step: Literal["ranks", "zones"],
        companions: CompanionFiles | None,
    ) -> SceneTask:
        beside = companions.model_dump_json() if companions else ""
        identity = scene_identity(scene.source)
        return SceneTask(
            source=scene.source,
            options=self.options,
            crs=self.crs,
            cell_size=self.cell_size,
            folder=self.work.path / digest(self.settings, self.crs, identity, step, beside),
            step=step,
            companions=companions,
        )


def segment_scenes(
    scenes: Sequence[SeriesScene],
    shown: Sequence[Shown | None],
    plan: SeriesPlan,
    run: DoTasks,
    reporter: Reporter,
) -> list[SegmentedScene]:
    """Segment every scene that was not segmented before.

    Args:
        scenes: The series.
        shown: Identity of each scene.
        plan: Settings.
        run: Runs the tasks.
        reporter: Receives progress, and a warning for each failed scene.

    Returns:
        In the order of `scenes`.
    """
    share = RANKS_SHARE if plan.together else 0.0
    beside, failed = _companions(scenes, shown, plan, run, Stage(reporter, 0, share))
    tasks = [plan.zones(scene, beside.get(index)) for index, scene in enumerate(scenes)]
    outcomes = {tasks[index].folder: outcome for index, outcome in failed.items()}
    whole = {task.folder for task in tasks if is_whole(task.folder)}
    if whole:
        reporter.log(f"{len(whole)} scenes were segmented before and are not computed again.")
    left = [task for task in tasks if task.folder not in outcomes]
    outcomes |= _do(left, run, Stage(reporter, share, 1), "Segmenting the scenes")
    for task in tasks:
        _tell(task, outcomes[task.folder], reporter)
    return [
        SegmentedScene(
            scene,
            task.folder if not outcome.reason else None,
            outcome,
            plan.card.for_series() if task.companions else plan.card,
        )
        for scene, task in zip(scenes, tasks, strict=True)
        for outcome in [outcomes[task.folder]]
    ]


def _companions(
    scenes: Sequence[SeriesScene],
    shown: Sequence[Shown | None],
    plan: SeriesPlan,
    run: DoTasks,
    reporter: Reporter,
) -> tuple[dict[int, CompanionFiles], dict[int, Outcome]]:
    """Write the ranks of each scene, as additional input for the others.

    A duplicate is not a companion; it gets the companions of the scene that it duplicates.

    Returns:
        The companions of each scene, none if there are fewer than two scenes, and the failed
        scenes; by index.
    """
    if not plan.together:
        return {}, {}
    tasks = [plan.ranks(scene) for scene in scenes]
    outcomes = _do(tasks, run, reporter, "Reading the scenes")
    failed = {
        index: outcomes[task.folder]
        for index, task in enumerate(tasks)
        if outcomes[task.folder].reason
    }
    whole = [index for index in range(len(scenes)) if index not in failed]
    firsts = find_originals([shown[index] for index in whole])
    original = {index: whole[first] for index, first in zip(whole, firsts, strict=True)}
    folders = {tasks[index].folder: index for index in whole if original[index] == index}
    if len(folders) < 2:
        return {}, failed
    ranks = [folder / RANKS for folder in folders]
    sums = plan.work.path / f"{digest(*sorted(folder.name for folder in folders))}.tif"
    if not sums.is_file():
        add_up(ranks, sums)
    years = [scenes[index].year for index in folders.values()]
    clear = [
        clearness(scenes[index].date, scenes[index].survey.footprint, outcomes[folder].certainty)
        for folder, index in folders.items()
    ]
    files = {
        folder: CompanionFiles(
            own=folder / RANKS,
            near=tuple(ranks[other] for other in with_reference(years, clear, place)),
            sums=sums,
        )
        for place, folder in enumerate(folders)
    }
    return {index: files[tasks[original[index]].folder] for index in whole}, failed


def _do(
    tasks: Sequence[SceneTask], run: DoTasks, reporter: Reporter, doing: str
) -> dict[Path, Outcome]:
    """Run tasks, each once and none that is finished; return their outcomes by folder."""
    outcomes = {task.folder: _stored(task.folder) for task in tasks if is_whole(task.folder)}
    missing = list({task.folder: task for task in tasks if task.folder not in outcomes}.values())
    bar = _Bar(reporter, len(missing), doing)
    for task, outcome in run(missing, bar.watch):
        outcomes[task.folder] = outcome
        bar.finish(task)
        if task.step == "zones" and not outcome.reason:
            reporter.log(f"{Path(task.source.shown).name}: segmented ({bar.state}).")
    return outcomes


def run_here(tasks: Sequence[SceneTask], watch: Watch) -> Iterator[tuple[SceneTask, Outcome]]:
    """Run tasks on this machine, `SCENES_AT_ONCE` at the same time."""
    pool = ThreadPoolExecutor(SCENES_AT_ONCE, thread_name_prefix="scene")
    try:
        futures = {pool.submit(work_on, task, partial(watch, task)): task for task in tasks}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _stored(folder: Path) -> Outcome:
    return Outcome.model_validate_json((folder / RECORD).read_bytes())


def _tell(task: SceneTask, outcome: Outcome, reporter: Reporter) -> None:
    name = Path(task.source.shown).name
    for warning in outcome.warnings:
        reporter.warning(f"{name}: {warning}")
    if outcome.reason:
        reporter.warning(f"{name} failed and is left out: {outcome.reason}")


class _Bar:
    """Progress over scenes that are processed at the same time."""

    def __init__(self, reporter: Reporter, count: int, doing: str) -> None:
        self._reporter = reporter
        self._count = count
        self._doing = doing
        self._fractions: dict[Path, float] = {}
        self._finished = 0
        self._lock = threading.Lock()

    @property
    def state(self) -> str:
        """Number of finished scenes."""
        return f"{self._finished} of {self._count}"

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
        self._reporter.progress(share, f"{self._doing}: {self.state}")
