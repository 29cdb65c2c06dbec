"""The choice of a model for an empty MODEL, by a scene's sensor and bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.folders import DELIVERED
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.fronts.scene.sensor import Sensor, recognise
from glacier_qgis.models.fronts.segmentation.adapted import adapted_from, lies_elsewhere
from glacier_qgis.models.fronts.segmentation.options import Inference
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import read_card
from glacier_qgis.models.package.registry import (
    AUTOMATIC,
    DEFAULT_MODEL,
    find_model,
    installed_models,
    readable,
)
from glacier_qgis.models.raster.footprint import Footprint, work_grid
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import Scene


@dataclass(frozen=True)
class ModelChoice:
    """The model for a scene.

    Attributes:
        folder: Its package.
        card: Its card.
        sensor: Sensor of the scene; None if the model was given.
        instead: The card of the model that was given, where its glacier is elsewhere and this is
            the one that it was adapted from, or itself if that is not installed; else None.
    """

    folder: Path
    card: ModelCard
    sensor: Sensor | None = None
    instead: ModelCard | None = None


def is_automatic(model: str) -> bool:
    """Return whether the parameter MODEL asks for an automatic choice."""
    return model.strip().lower() in AUTOMATIC


def named_model(model: str) -> ModelChoice | None:
    """Return the model that a parameter MODEL names; None where it leaves the choice.

    Raises:
        EngineError: There is no such model, or it is for echograms.
    """
    if is_automatic(model):
        return None
    folder = find_model(model)
    card = read_card(folder)
    if card.input_values.kind == "echo":
        raise EngineError(
            f"MODEL: {card.name} is for {card.task}, not for satellite scenes. Choose "
            f"'{DEFAULT_MODEL}', or run 'Trace layers' with it."
        )
    return ModelChoice(folder, card)


def choose_model(
    options: Inference, scene: Scene, source: RasterInput, stated: str = ""
) -> ModelChoice:
    """Return the model for a scene: the given one, or the one for its sensor.

    Where the given one was adapted to a glacier and what is processed lies elsewhere, it is the one
    that it was adapted from, if that is installed. Delivered models have priority over added ones,
    of which the first by name is used.

    Args:
        options: With MODEL, BANDS, EXTENT and CELL_SIZE.
        scene: The open scene.
        source: The scene as given.
        stated: The sensor as stated by the user.

    Raises:
        EngineError: There is no such model, or none for this sensor and so many bands; or the given
            one was adapted to a glacier, and EXTENT leaves nothing of the scene.
    """
    if named := named_model(options.model):
        return _where_it_lies(named, scene, options)
    sensor = recognise(scene, source.shown, stated)
    bands = len(options.bands)
    for folder, card in readable(_by_preference()):
        enough = card.bands == bands if bands else card.bands <= scene.dataset.count
        if sensor.kind in card.sensors and enough:
            return ModelChoice(folder, card, sensor)
    raise EngineError(
        f"BANDS: no installed model for {sensor.kind} scenes takes {bands or 'so few'} band(s). "
        "Choose other BANDS, or a MODEL by name."
    )


def _where_it_lies(named: ModelChoice, scene: Scene, options: Inference) -> ModelChoice:
    adapted = named.card.adapted
    if adapted is None:
        return named
    part: Footprint | Grid = scene
    if options.extent:
        cell_size = options.cell_size or named.card.cell_size_m
        part = work_grid(scene, options.extent, cell_size)
    if not lies_elsewhere(part, adapted):
        return named
    folder, card = adapted_from(adapted) or (named.folder, named.card)
    return replace(named, folder=folder, card=card, instead=named.card)


def _by_preference() -> list[Path]:
    """Return installed packages: the default, the other delivered ones, then added ones."""
    folders = installed_models()
    ordered = sorted(folders, key=lambda name: (folders[name].parent != DELIVERED, name))
    ordered.sort(key=lambda name: name != DEFAULT_MODEL)
    return [folders[name] for name in ordered]


def tell_choices(
    choices: Sequence[ModelChoice], sources: Sequence[RasterInput], reporter: Reporter
) -> None:
    """Log the choice for scenes and its reason; warn if it is not certain, or another model's."""
    _tell_elsewhere(choices, sources, reporter)
    _tell_whereabouts(choices, reporter)
    told = [
        (choice.card.name, choice.sensor, Path(source.shown).name)
        for choice, source in zip(choices, sources, strict=True)
        if choice.sensor is not None
    ]
    for model in dict.fromkeys(model for model, *_ in told):
        sure = [(sensor, name) for chosen, sensor, name in told if chosen == model and sensor.sure]
        if sure:
            sensor, first = sure[0]
            scenes = f"{len(sure)} {sensor.kind} scenes, such as {first}"
            if len(sure) == 1:
                scenes = f"the {sensor.kind} scene {first}"
            reporter.log(f"Model {model} for {scenes}: {sensor.reason}.")
    unsure = [each for each in told if not each[1].sure]
    if unsure:
        model, sensor, _ = unsure[0]
        reporter.warning(
            f"MODEL: it is not certain whether {listed([name for *_, name in unsure])} is a radar "
            f"or an optical scene ({sensor.reason}); {model} is used. To be sure, choose "
            "'caffe_unet' for radar or 'landsat_unet' for optical scenes."
        )


def _tell_whereabouts(choices: Sequence[ModelChoice], reporter: Reporter) -> None:
    """Log which models leave lines out, and where."""
    cards = {choice.card.name: choice.card for choice in choices}
    for name, card in cards.items():
        if card.coast or (card.series and card.series.coast):
            reporter.log(f"{name} draws no line along coasts where its corrected scenes have none.")
        if card.adapted and card.adapted.place:
            reporter.log(f"{name} leaves out lines far from its glacier, if others are near it.")


def _tell_elsewhere(
    choices: Sequence[ModelChoice], sources: Sequence[RasterInput], reporter: Reporter
) -> None:
    """Warn of scenes that are processed away from the glacier of the model that was asked for."""
    away = [
        (asked, adapted, choice.card, Path(source.shown).name)
        for choice, source in zip(choices, sources, strict=True)
        if (asked := choice.instead) is not None and (adapted := asked.adapted) is not None
    ]
    if not away:
        return
    asked, adapted, used, _ = away[0]
    west, south, east, north = adapted.bounds
    what = (
        f"MODEL: {asked.name} was adapted to {adapted.glacier or 'another glacier'} "
        f"(longitude {west:.2f} to {east:.2f}, latitude {south:.2f} to {north:.2f}), and "
        f"the processed part of {listed([name for *_, name in away])} lies elsewhere"
    )
    if used is asked:
        reporter.warning(
            f"{what}: the lines may be worse than those of the model that it was adapted from, "
            "which is not installed."
        )
    else:
        reporter.warning(f"{what}: {used.name}, which it was adapted from, is used there.")
