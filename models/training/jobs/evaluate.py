"""The job `evaluatemodel`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from glacier_qgis.models.compute.device import DeviceName, choose_device
from glacier_qgis.models.compute.hardware import hardware
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, Job
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import command, software_version
from glacier_qgis.models.fronts.segmentation.adapted import lies_elsewhere
from glacier_qgis.models.fronts.termini.whereabouts import Whereabouts
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import load_package
from glacier_qgis.models.package.registry import DEFAULT_MODEL, find_model
from glacier_qgis.models.report.page import HtmlPage
from glacier_qgis.models.training.data.dataset import Dataset, LabelledTile
from glacier_qgis.models.training.data.parts import check_classes, leaked_groups
from glacier_qgis.models.training.jobs import echograms
from glacier_qgis.models.training.measuring.evaluator import Evaluator, Measured
from glacier_qgis.models.training.measuring.totals import Totals, finite
from glacier_qgis.models.training.publishing.report import add_evaluation
from glacier_qgis.models.vector.sink import write_layer
from glacier_qgis.models.zones.codes import CLASS_NAMES


class EvaluateModel(Job):
    """Evaluate a model on a data set."""

    model: str = DEFAULT_MODEL
    dataset: Path
    part: Literal["test", "validation", "training", "all"] = "test"
    device: DeviceName = "automatic"
    output: Destination
    report: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Write one line per tile and the report, and return the metrics over all tiles."""
        data = Dataset.open(self.dataset)
        if data.card.of_echograms:
            return echograms.evaluate(self, data, reporter, outputs)
        table = outputs.stage(self.output) if self.output else None
        report = outputs.stage(self.report) if self.report else None
        model = load_package(find_model(self.model))
        tiles = self._tiles(data, rock=model.card.rock)
        _check_fit(model.card, data)
        warnings = _doubts(model.card, data, tiles)
        for warning in warnings:
            reporter.warning(warning)
        device = choose_device(self.device)
        card = model.card
        found = Evaluator(
            model.network,
            device,
            card.cell_size_m,
            card.calibration,
            oriented=card.oriented,
            whereabouts=Whereabouts.of(card.provenance),
        ).measure(tiles, reporter)
        if table:
            write_layer(pd.DataFrame(found.figures.rows), table, "evaluation")
        if report:
            page = self._page(card, data, found)
            for warning in warnings:
                page.warning(warning)
            add_evaluation(page, f"{self._what(data)}, {len(tiles)} tiles", found)
            page.heading("How it was made")
            page.facts(
                {
                    "Model": f"{card.name} {card.version}, weights {card.weights.sha256[:12]}…",
                    "Trained on": "; ".join(
                        f"{learnt.dataset}: {', '.join(learnt.groups)}"
                        for learnt in card.training_data
                    ),
                    "Data set": f"{data.card.name}, index {data.card.complete[:12]}…",
                    "Cells": f"{card.cell_size_m:g} m; the data set's have "
                    f"{data.card.cell_size_m:g} m",
                    **hardware(device, None),
                    "Software": software_version(),
                    "Command": command("evaluatemodel", self),
                }
            )
            page.write(report)
        figures = found.figures
        reporter.log(
            f"{self._what(data)}: mean IoU {figures.scores.mean_iou:.3f}, {_front_words(figures)}."
        )
        return {
            "OUTPUT": str(self.output) if table else None,
            "REPORT": str(self.report) if report else None,
            **finite(
                {
                    "MEAN_IOU": figures.scores.mean_iou,
                    "MEAN_DISTANCE_ERROR_BOX": figures.box.mean_m,
                    "MEAN_DISTANCE_ERROR": figures.whole.mean_m,
                }
            ),
            "MISSED": figures.box.missed,
        }

    def _tiles(self, data: Dataset, *, rock: bool) -> list[LabelledTile]:
        """Return the tiles to evaluate.

        Raises:
            EngineError: The data set has no such part, or other classes.
        """
        check_classes(data)
        tiles = data.tiles(None if self.part == "all" else self.part, rock=rock)
        if not tiles:
            sizes = ", ".join(
                f"{part} {count}" for part, count in data.card.statistics.tiles.items() if count
            )
            raise EngineError(
                f"PART: the data set {data.card.name} has no tiles for '{self.part}' (it has: "
                f"{sizes}). Choose another part, or prepare the data with one."
            )
        return tiles

    def _what(self, data: Dataset) -> str:
        return data.card.name if self.part == "all" else f"The {self.part} part of {data.card.name}"

    def _page(self, card: ModelCard, data: Dataset, found: Measured) -> HtmlPage:
        return HtmlPage(
            f"Evaluation of {card.name}",
            f"{self._what(data)}: mean IoU {found.figures.scores.mean_iou:.3f}, "
            f"{_front_words(found.figures)}.",
        )


def _front_words(figures: Totals) -> str:
    box, whole = figures.box, figures.whole
    if not box.images:
        return "no front is labelled"
    missed = f"{box.missed} of {box.images} fronts missed"
    if box.missed == box.images:
        return missed
    return (
        f"mean distance error {box.mean_m:.0f} m in the box and {whole.mean_m:.0f} m on whole "
        f"tiles, {missed}"
    )


def _check_fit(card: ModelCard, data: Dataset) -> None:
    """Make sure that a model is suitable for a data set.

    Raises:
        EngineError: It needs other bands, values or classes.
    """
    bands = len(data.card.bands)
    if card.bands != bands:
        raise EngineError(
            f"MODEL: {card.name} needs {card.bands} band(s) ({'; '.join(card.channels)}), but the "
            f"data set {data.card.name} has {bands}. Choose a model for {bands}, or prepare the "
            f"data with {card.bands}."
        )
    if card.input_values.kind != "rank" or not card.has_mask:
        raise EngineError(
            f"MODEL: the input of {card.name} is {card.normalisation}, but data sets have ranks "
            "within the scene and a mask. Choose a model from 'Train model'."
        )
    if [zone.value for zone in card.classes] != list(CLASS_NAMES):
        named = ", ".join(f"{zone.name} ({zone.value})" for zone in card.classes)
        raise EngineError(
            f"MODEL: the classes of {card.name} are {named}, not those of calving-front data sets. "
            "Choose another model."
        )


def _doubts(card: ModelCard, data: Dataset, tiles: Sequence[LabelledTile]) -> list[str]:
    """Warn of reasons why the metrics may be misleading."""
    warnings = []
    leaked = leaked_groups(card, tiles)
    if leaked:
        count = sum(tile.group in leaked for tile in tiles)
        warnings.append(
            f"Leakage: the model {card.name} was trained on {', '.join(leaked)}, and {count} of "
            f"the {len(tiles)} evaluated tiles belong to these groups. The metrics do not apply to "
            "unseen glaciers: evaluate the model on other groups."
        )
    if card.adapted:
        scenes = {tile.scene.name: tile for tile in tiles}
        away = {
            name for name, tile in scenes.items() if lies_elsewhere(tile.scene_grid, card.adapted)
        }
        if count := sum(tile.scene.name in away for tile in tiles):
            warnings.append(
                f"{count} of the {len(tiles)} evaluated tiles are of scenes that lie away from the "
                f"glacier that the model {card.name} was adapted to. 'Delineate termini' takes the "
                "model that it was adapted from there: evaluate that one on other glaciers."
            )
    low, high = card.cell_size_range_m
    if not low <= data.card.cell_size_m <= high:
        warnings.append(
            f"The data set has cells of {data.card.cell_size_m:g} m, but the model {card.name} was "
            f"trained for {low:g} to {high:g} m."
        )
    return warnings
