"""Which corrections can be trained on, and why others cannot."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.fronts.termini.metrics import front_distances
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.review.retraining.places import SceneFacts
from glacier_qgis.models.review.tables.corrected import (
    CorrectedScene,
    glaciers_of,
    latest_corrections,
)
from glacier_qgis.models.review.tables.kinds import LAYERS, kind_of
from glacier_qgis.models.review.tables.store import read_table, read_tasks
from glacier_qgis.models.vector.dates import read_dates
from glacier_qgis.models.vector.glaciers import same_name
from glacier_qgis.models.vector.texts import value_text
from glacier_qgis.wall.fingerprint import fingerprint
from glacier_qgis.wall.review import CORRECTIONS, SCENES

DISAGREE_M = 500.0
"""Mean distance from which two corrections of one scene contradict each other."""
SPACING_M = 60.0
MOST = 60
"""Scenes of a glacier up to which those that no task is for are read and predicted, too."""


def usable(scenes: Sequence[CorrectedScene], reporter: Reporter) -> list[CorrectedScene]:
    """Return the corrections whose scene is there, unchanged, and whose lines do not disagree.

    Raises:
        EngineError: None is, or two corrections of one scene contradict each other.
    """
    there, gone, changed = [], [], []
    for scene in scenes:
        if not Path(scene.scene).is_file():
            gone.append(Path(scene.scene).name)
        elif scene.scene_hash and fingerprint(scene.scene) != scene.scene_hash:
            changed.append(Path(scene.scene).name)
        else:
            there.append(scene)
    for names, what in ((gone, "are gone"), (changed, "have changed since the queue was made")):
        if names:
            reporter.warning(
                f"{len(names)} corrected scenes {what} and are left out: {listed(names)}. Put the "
                "files back to train on them."
            )
    if scenes and not there:
        raise EngineError(
            f"REVIEW: all {len(scenes)} corrected scenes are gone or have changed, such as "
            f"{[*gone, *changed][0]}. Put the files back as they were, or prepare a "
            "review of what is there now."
        )
    if not scenes:
        raise EngineError(
            "REVIEW: it has no corrected scene to train on. Correct some in the review panel, "
            "and record them with 'Record corrections'."
        )
    return _one_each(there)


def _one_each(scenes: Sequence[CorrectedScene]) -> list[CorrectedScene]:
    """Return one correction per file, of an echogram one per task; two that agree are one."""
    first: dict[tuple[str, int], CorrectedScene] = {}
    for scene in scenes:
        part = scene.task if kind_of(scene.crs) is LAYERS else 0
        other = first.setdefault((scene.scene, part), scene)
        if other is not scene and _apart(other, scene) > DISAGREE_M:
            raise EngineError(
                f"REVIEW: tasks {other.task} and {scene.task} correct the same scene "
                f"{Path(scene.scene).name} and contradict each other. Reject one of them, and "
                "record the corrections again."
            )
    return [*first.values()]


def _apart(first: CorrectedScene, second: CorrectedScene) -> float:
    """Return the mean distance between two corrections of a scene, m; infinite if one has none."""
    if not first.lines or not second.lines:
        return 0.0 if bool(first.lines) == bool(second.lines) else np.inf
    given = gpd.GeoSeries([*first.lines], crs=first.crs)
    metres = given.estimate_utm_crs()
    other = gpd.GeoSeries([*second.lines], crs=second.crs)
    lines, others = ([*each.to_crs(metres)] for each in (given, other))
    return float(front_distances(lines, others, SPACING_M).mean())


def of_glacier(
    scenes: Sequence[CorrectedScene], glacier: str, reporter: Reporter
) -> list[CorrectedScene]:
    """Return the corrections of one glacier; of the only one, if none is named.

    Raises:
        EngineError: There are several, or none of this name.
    """
    wanted = glacier.strip()
    if not wanted and len({scene.glacier for scene in scenes}) > 1:
        blank = any(not scene.glacier for scene in scenes)
        fill_in = ", and fill in the field 'glacier' of the tasks that lack it" if blank else ""
        raise EngineError(
            f"GLACIER: the corrected scenes show several: {_glaciers(scenes)}. Name one of "
            f"them{fill_in}."
        )
    key = same_name(wanted or scenes[0].glacier)
    kept = [scene for scene in scenes if same_name(scene.glacier) == key]
    if not kept:
        raise EngineError(
            f"GLACIER: no corrected scene shows '{wanted}', only {_glaciers(scenes)}."
        )
    if others := [scene for scene in scenes if same_name(scene.glacier) != key]:
        reporter.warning(
            f"GLACIER: {len(others)} of {len(scenes)} corrected scenes are left out, as they "
            f"are of {_glaciers(others)}, not of {kept[0].glacier}. Fill in the field 'glacier' of "
            "their tasks where it is wrong or blank, and run again."
        )
    return kept


def _glaciers(scenes: Sequence[CorrectedScene]) -> str:
    """Return the names of the glaciers of scenes, for messages."""
    return listed(sorted({scene.glacier or "(no name)" for scene in scenes}))


def beside_fronts(
    scenes: Sequence[CorrectedScene], among: Sequence[CorrectedScene]
) -> list[CorrectedScene]:
    """Return the scenes of glaciers on which a corrected scene shows a front; of layers, all.

    Args:
        scenes: Some of `among`.
        among: All that can be trained on, at least one.
    """
    if kind_of(among[0].crs) is LAYERS:
        return [*scenes]
    shown = {scene.glacier for scene in among if scene.lines}
    return [scene for scene in scenes if scene.glacier in shown]


def check_model(scenes: Sequence[CorrectedScene], card: ModelCard, reporter: Reporter) -> None:
    """Warn if the corrections are of predictions of another model."""
    own = {weights.sha256 for weights in card.all_weights}
    others = {scene.model for scene in scenes if scene.model_hash and scene.model_hash not in own}
    if others:
        reporter.warning(
            f"MODEL: the corrections are of predictions by {listed(sorted(others))}, not by "
            f"{card.name} {card.version}. The corrected lines hold for any model, but the queue "
            "was ranked by what the other one found difficult."
        )


def facts_of(
    review: Path, scenes: Sequence[CorrectedScene], known: Sequence[CorrectedScene], glacier: str
) -> list[SceneFacts]:
    """Return the scenes of a glacier in a review: the corrected ones, then those without labels.

    Of the scenes that no task is for, those nearest in time to corrected ones, up to `MOST` in all.

    Args:
        review: The GeoPackage.
        scenes: The corrected ones of the glacier.
        known: All corrected ones, also those that cannot be used.
        glacier: Its name.
    """
    facts = [
        SceneFacts(
            path=scene.scene,
            name=scene.scene,
            glacier=glacier,
            date=scene.date.isoformat() if scene.date else "",
            lines=scene.lines,
            crs=scene.crs,
        )
        for scene in scenes
    ]
    recorded = latest_corrections(read_table(review, CORRECTIONS), read_tasks(review))
    reviewed = {value_text(path) for path in recorded["scene"]}
    reviewed |= {scene.scene for scene in known}
    queued, others = (
        _of_table(review, rows, scenes, glacier)
        for rows in (read_tasks(review), read_table(review, SCENES))
    )
    days = [scene.date.toordinal() for scene in scenes if scene.date]
    others.sort(key=lambda each: _gap(each.date, days))
    for more, most in ((queued, math.inf), (others, MOST)):
        for each in more:
            if len(facts) < most and each.path not in reviewed and Path(each.path).is_file():
                reviewed.add(each.path)
                facts.append(each)
    return facts


def _of_table(
    review: Path, rows: pd.DataFrame, corrected: Sequence[CorrectedScene], glacier: str
) -> list[SceneFacts]:
    """Return the scenes of a glacier among rows of the tasks or the scenes, without labels."""
    days = read_dates(rows, "date", "REVIEW") if len(rows) else rows["date"]
    return [
        SceneFacts(
            path=value_text(row["scene"]),
            name=value_text(row["scene"]),
            glacier=glacier,
            date="" if day is None or day != day else day.date().isoformat(),
            lines=(),
            crs=corrected[0].crs,
        )
        for (_, row), day, name in zip(
            rows.iterrows(), days, glaciers_of(review, rows), strict=True
        )
        if same_name(name) == same_name(glacier)
    ]


def _gap(date: str, days: Sequence[int]) -> float:
    """Return the days between a scene and the nearest of some; infinite if not known."""
    if not date:
        return math.inf
    own = datetime.date.fromisoformat(date).toordinal()
    return min((abs(own - day) for day in days), default=math.inf)
