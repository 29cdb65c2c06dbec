"""Task on one scene of a series; independent of others, so that any process can run it.

Finished results stay on disk, so that a stopped run resumes there, and every process with access to
the files can share the work.
"""

from __future__ import annotations

import shutil
import threading
import traceback
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pyproj import CRS

from glacier_qgis.models.engine.errors import DISK_FULL, EngineError, explain
from glacier_qgis.models.engine.job import Parameters, RasterInput
from glacier_qgis.models.fronts.scene.band_names import network_bands
from glacier_qgis.models.fronts.scene.view import network_view
from glacier_qgis.models.fronts.segmentation.model_choice import ModelChoice
from glacier_qgis.models.fronts.segmentation.options import Inference
from glacier_qgis.models.fronts.segmentation.segment import Drafts, segment
from glacier_qgis.models.fronts.series.clearness import certainty_of_water
from glacier_qgis.models.fronts.series.companion_files import CompanionFiles, write_ranks
from glacier_qgis.models.fronts.series.work_folder import DRAFT
from glacier_qgis.models.package.folder import read_card
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.raster.footprint import work_grid
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import Scene, open_raster

ZONES, PROBABILITY, RANKS, RECORD = "zones.tif", "probability.tif", "ranks.tif", "scene.json"

COARSER = 1.5
"""Ratio of the cells of the first look to those of the series; networks are trained up to 1.6."""

_TURN = threading.Lock()


class SceneTask(Parameters):
    """Task on one scene; sent as JSON.

    Attributes:
        source: The scene.
        options: How to run the network.
        crs: WKT of the series' metric CRS.
        cell_size: Edge of a cell, m; edges are multiples of it.
        folder: Created when the task is finished, with `RECORD` and the results.
        step: "zones" makes `ZONES` and `PROBABILITY`; "ranks" makes `RANKS`, the additional input
            for other scenes.
        companions: Ranks of other scenes, as additional input; for "zones".
    """

    source: RasterInput
    options: Inference
    crs: str
    cell_size: float
    folder: Path
    step: Literal["ranks", "zones"] = "zones"
    companions: CompanionFiles | None = None


class Outcome(Parameters):
    """Outcome of one scene; also the record in its folder after success.

    Attributes:
        reason: Why it failed; empty if it did not.
        warnings: Reasons why the result may be wrong.
        certainty: Of the water before the front, see `certainty_of_water`; of the step "ranks".
    """

    reason: str = ""
    warnings: tuple[str, ...] = ()
    certainty: float = 0.0


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


def _make_zones(
    task: SceneTask, scene: Scene, grid: Grid, target: Path, notes: _Notes
) -> dict[str, float]:
    drafts = Drafts(target / ZONES, target / PROBABILITY)
    tags = {"SCENE": scene.name}
    beside = task.companions.beside if task.companions else None
    folder = find_model(task.options.model)
    choice = ModelChoice(folder, read_card(folder))
    segment(scene, choice, task.options, drafts, tags, notes, grid=grid, turn=_TURN, beside=beside)
    return {}


def _make_ranks(
    task: SceneTask, scene: Scene, grid: Grid, target: Path, notes: _Notes
) -> dict[str, float]:
    """Write the ranks, and look once at the scene alone, on coarser cells: how clear is it?"""
    card = read_card(find_model(task.options.model))
    bands = network_bands(scene, card, task.options.bands)
    with network_view(scene, grid, bands, card.input_values) as view:
        write_ranks(view, grid, target / RANKS)
    looked = task.options.model_copy(update={"tta": False})
    first = task.model_copy(update={"options": looked})
    coarse = work_grid(scene, looked.extent, COARSER * grid.cell_size, grid.crs)
    _make_zones(first, scene, coarse, target, notes)
    certainty = certainty_of_water(target / ZONES, target / PROBABILITY)
    for path in (ZONES, PROBABILITY):
        (target / path).unlink()
    return {"certainty": certainty}


STEPS = {"zones": _make_zones, "ranks": _make_ranks}


def work_on(task: SceneTask, progress: Callable[[float], None] | None = None) -> Outcome:
    """Run a task on one scene; its folder appears when it is complete.

    An error of the scene becomes the outcome's reason; a full disk is raised, since it stops every
    other scene too.
    """
    notes = _Notes(progress)
    draft = task.folder.with_name(f"{DRAFT}{task.folder.name}-{uuid.uuid4().hex[:8]}")
    try:
        draft.mkdir()
        with open_raster(task.source) as scene:
            grid = work_grid(scene, task.options.extent, task.cell_size, CRS.from_wkt(task.crs))
            found = STEPS[task.step](task, scene, grid, draft, notes)
        outcome = Outcome(warnings=tuple(notes.warnings), **found)
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
    """Move a complete folder to its place; if another process was first, its folder stays."""
    try:
        draft.replace(folder)
    except OSError:
        if not is_whole(folder):
            raise


def is_whole(folder: Path) -> bool:
    """Return whether a task's folder exists."""
    return (folder / RECORD).is_file()
