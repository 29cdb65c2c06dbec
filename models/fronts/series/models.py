"""Series whose scenes need different models: each scene gets the model for its sensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Stage
from glacier_qgis.models.fronts.segmentation.model_choice import ModelChoice, tell_choices
from glacier_qgis.models.fronts.series.catalogue import SeriesScene
from glacier_qgis.models.fronts.series.duplicates import Shown, find_originals
from glacier_qgis.models.fronts.series.first_pass import (
    DoTasks,
    SegmentedScene,
    SeriesPlan,
    segment_scenes,
)
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import read_card
from glacier_qgis.models.package.registry import find_model


@dataclass(frozen=True)
class ModelGroup:
    """The scenes of one model.

    Attributes:
        folder: The model's package.
        card: The model's card.
        scenes: Their indices in the series.
    """

    folder: Path
    card: ModelCard
    scenes: dict[int, SeriesScene]


def group_by_model(
    scenes: Sequence[SeriesScene], named: ModelChoice | None, reporter: Reporter
) -> list[ModelGroup]:
    """Return the models of a series, each with its scenes.

    A scene that cannot be opened, or without a suitable model, is assigned to the first model and
    fails there with its own reason.

    Args:
        scenes: The series.
        named: The model that was asked for; None for the one for each sensor.
        reporter: Receives the choice and its reason.

    Raises:
        EngineError: There is no such model.
    """
    if named is not None and named.card.adapted is None:
        return [ModelGroup(named.folder, named.card, dict(enumerate(scenes)))]
    choices = {
        place: scene.survey.choice
        for place, scene in enumerate(scenes)
        if scene.survey.choice is not None
    }
    tell_choices([*choices.values()], [scenes[place].source for place in choices], reporter)
    cards = {choice.folder: choice.card for choice in choices.values()} or _default(named)
    groups = {folder: ModelGroup(folder, card, {}) for folder, card in cards.items()}
    first = next(iter(groups))
    for place, scene in enumerate(scenes):
        folder = choices[place].folder if place in choices else first
        groups[folder].scenes[place] = scene
    return [*groups.values()]


def _default(named: ModelChoice | None) -> dict[Path, ModelCard]:
    folder = named.folder if named else find_model("")
    return {folder: read_card(folder)}


def segment_groups(
    groups: Sequence[ModelGroup],
    plans: Sequence[SeriesPlan],
    shown: Sequence[Shown | None],
    run: DoTasks,
    reporter: Reporter,
) -> list[SegmentedScene]:
    """Segment the scenes of every model, and mark duplicates.

    Args:
        groups: The models with their scenes.
        plans: How the scenes of each are segmented.
        shown: Identity of each scene, by its index in the series.
        run: Runs the tasks.
        reporter: Receives progress, and a warning for each failed scene.

    Returns:
        In order of time, as in `catalogue`.

    Raises:
        EngineError: Every scene failed.
    """
    count, done = sum(len(group.scenes) for group in groups), 0
    found: dict[int, SegmentedScene] = {}
    for group, plan in zip(groups, plans, strict=True):
        after = done + len(group.scenes)
        stage = Stage(reporter, done / count, after / count)
        seen = [shown[place] for place in group.scenes]
        segmented = segment_scenes([*group.scenes.values()], seen, plan, run, stage)
        found |= zip(group.scenes, segmented, strict=True)
        done = after
    ordered = [found[place] for place in sorted(found)]
    if all(scene.folder is None for scene in ordered):
        raise EngineError(f"All {count} scenes failed. {ordered[0].outcome.reason}")
    whole = [place for place, scene in enumerate(ordered) if scene.folder is not None]
    originals = find_originals([shown[place] for place in whole])
    again = {place for at, place in enumerate(whole) if originals[at] != at}
    return [replace(scene, duplicate=place in again) for place, scene in enumerate(ordered)]
