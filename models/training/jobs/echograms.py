"""The jobs of models and training for data sets of echograms."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from glacier_qgis.models.compute.device import choose_device
from glacier_qgis.models.compute.hardware import hardware
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import command
from glacier_qgis.models.package.archive import pack
from glacier_qgis.models.package.building import build
from glacier_qgis.models.package.card import Evaluation
from glacier_qgis.models.package.folder import load_package, save_package
from glacier_qgis.models.radar.layers.model import DEFAULT, find_layer_model
from glacier_qgis.models.report.page import HtmlPage
from glacier_qgis.models.training.data.card import PARTS
from glacier_qgis.models.training.data.dataset import Dataset
from glacier_qgis.models.training.data.parts import leaked_groups
from glacier_qgis.models.training.echograms.measure import LayerScores, labelled_tiles, measure
from glacier_qgis.models.training.echograms.package import RECIPE, layer_card
from glacier_qgis.models.training.echograms.prepare import BANDS, prepare_echograms
from glacier_qgis.models.training.echograms.train import LayerTraining
from glacier_qgis.models.training.fitting.batch_and_rate import find_rate
from glacier_qgis.models.training.fitting.objective import Objective
from glacier_qgis.models.training.fitting.start import TITLES
from glacier_qgis.models.training.losses.layers import layer_loss
from glacier_qgis.models.training.preparation.split import SplitRule
from glacier_qgis.models.training.preparation.writer import TileWriter
from glacier_qgis.models.training.publishing.publish import package_name
from glacier_qgis.models.training.publishing.report import add_range_test
from glacier_qgis.models.vector.sink import write_layer

if TYPE_CHECKING:
    from glacier_qgis.models.training.jobs.evaluate import EvaluateModel
    from glacier_qgis.models.training.jobs.learning import Learning
    from glacier_qgis.models.training.jobs.prepare import PrepareTrainingData
    from glacier_qgis.models.training.jobs.rate import FindLearningRate
    from glacier_qgis.models.training.jobs.train import TrainModel


def prepare(
    job: PrepareTrainingData, rule: SplitRule, reporter: Reporter, outputs: Outputs
) -> Result:
    """Run `preparetrainingdata` on echograms."""
    if job.label_lines is None:
        raise EngineError(
            "LABEL_LINES is missing: the labels of echograms are lines. Choose the layer lines."
        )
    if job.rock:
        reporter.warning("ROCK: not used, as the scenes are echograms.")
    draft = outputs.stage_folder(job.output)
    writer = TileWriter(draft, BANDS, job.tile_size, job.stride or job.tile_size)
    card, tiles = prepare_echograms(
        job.input,
        job.label_lines,
        writer,
        rule,
        job.output.name,
        complete=job.complete,
        reporter=reporter,
    )
    return {
        "OUTPUT": str(job.output),
        "SCENES": len(card.scenes),
        "TILES": len(tiles),
        **{f"{part.upper()}_TILES": card.statistics.tiles[part] for part in PARTS},
        "SKIPPED": writer.skipped.unlabelled + writer.skipped.void,
        "WARNINGS": 0,
    }


def train(job: TrainModel, data: Dataset, reporter: Reporter, outputs: Outputs) -> Result:
    """Run `trainmodel` on echograms."""
    report = outputs.stage(job.report) if job.report else None
    draft = outputs.scratch(job.output, "package.zip")
    device = choose_device(job.device)
    asked = _training(job, data, job.epochs, job.patience, job.learning_rate)
    earlier, plan, weights, epochs = asked.run(device, job.output, reporter)
    network = build(plan).to(device)
    network.load_state_dict(weights)
    measured = {
        part: measure(network, device, tiles)
        for part in ("validation", "test")
        if (tiles := data.tiles(part))
    }
    card = layer_card(
        package_name(job.output),
        plan,
        [
            *(earlier.training_data if earlier else []),
            data.described(labelled_tiles(data, "training")),
        ],
        split=f"Parts of the data set {data.card.name}.",
        limits="Trained on few echograms; errors on other radars are not known.",
        evaluations=[
            Evaluation(
                data=f"the {part} part of {data.card.name}",
                command=command("trainmodel", job),
                values=scores.values,
            )
            for part, scores in measured.items()
        ],
    )
    with tempfile.TemporaryDirectory(prefix="glacier-package-") as name:
        folder = Path(name) / card.name
        save_package(folder, card, weights)
        pack(folder, draft)
    draft.replace(job.output)
    best = max(epochs, key=lambda each: each["ods"])
    if report:
        page = HtmlPage(
            f"Training of {package_name(job.output)}",
            f"{job.architecture} on {data.card.name}: F-score of the layers {best['ods']:.3f} in "
            f"epoch {best['epoch']:g} of {len(epochs)}.",
        )
        page.heading("Course of the training")
        page.table(epochs, "Loss, and scores on the validation part, by epoch.")
        for part, scores in measured.items():
            _add_scores(page, f"The {part} part", scores)
        page.heading("How it was made")
        page.facts({**hardware(device, None), "Command": command("trainmodel", job)})
        page.write(report)
    return {
        "OUTPUT": str(job.output),
        "REPORT": str(job.report) if report else None,
        "EPOCHS_TRAINED": len(epochs),
        "BEST_EPOCH": int(best["epoch"]),
        "MEAN_IOU": None,
        "MEAN_DISTANCE": None,
        "ODS": best["ods"],
    }


def _training(
    job: Learning, data: Dataset, epochs: int = 1, patience: int = 0, rate: float = 0
) -> LayerTraining:
    given = job.start_from.strip()
    origin = load_package(find_layer_model(given)) if given else None
    names = {title: name for name, title in TITLES.items()}
    architecture = names[job.architecture]
    return LayerTraining(
        data, architecture, origin, epochs, patience, job.batch_size, rate, job.seed
    )


def find_learning_rate(
    job: FindLearningRate, data: Dataset, reporter: Reporter, outputs: Outputs
) -> Result:
    """Run `findlearningrate` on echograms."""
    draft = outputs.stage(job.report) if job.report else None
    device = choose_device(job.device)
    training = _training(job, data)
    _, network = training.network()
    test = find_rate(
        Objective(network, layer_loss, RECIPE, second_head=False),
        training.batches(network),
        job.seed,
        device,
        lambda done: reporter.progress(done, "Raising the learning rate"),
    )
    suggested = float(f"{test.suggested:.2g}")
    reporter.log(f"Suggested learning rate: {suggested:g}.")
    if draft:
        page = HtmlPage(
            "Learning-rate range test",
            f"Suggested for {job.architecture} on the echograms of {data.card.name}: "
            f"{suggested:g}.",
        )
        add_range_test(page, test)
        page.heading("How it was made")
        page.facts({**hardware(device, None), "Command": command("findlearningrate", job)})
        page.write(draft)
    return {"REPORT": str(job.report) if draft else None, "SUGGESTED_RATE": suggested}


def evaluate(job: EvaluateModel, data: Dataset, reporter: Reporter, outputs: Outputs) -> Result:
    """Run `evaluatemodel` on echograms."""
    table = outputs.stage(job.output) if job.output else None
    report = outputs.stage(job.report) if job.report else None
    model = load_package(find_layer_model(job.model))
    if model.card.input_values.kind != "echo":
        raise EngineError(
            f"MODEL: {model.card.name} is for {model.card.task}, but the data set holds "
            f"echograms. Choose '{DEFAULT}', or a model that was trained on echograms."
        )
    tiles = labelled_tiles(data, None if job.part == "all" else job.part)
    leaked = leaked_groups(model.card, tiles)
    if leaked:
        reporter.warning(
            f"Leakage: the model {model.card.name} was trained on {', '.join(leaked)}. The scores "
            "do not apply to unseen echograms: evaluate it on other segments."
        )
    device = choose_device(job.device)
    scores = measure(model.network.to(device), device, tiles)
    if table:
        write_layer(pd.DataFrame([tile.row for tile in scores.tiles]), table, "evaluation")
    if report:
        page = HtmlPage(
            f"Evaluation of {model.card.name}",
            f"{data.card.name}, part '{job.part}': F-score of the layers {scores.edges.ods:.3f}, "
            f"mean error {scores.mean_error:.2f} samples.",
        )
        _add_scores(page, "Scores", scores)
        page.heading("How it was made")
        page.facts({**hardware(device, None), "Command": command("evaluatemodel", job)})
        page.write(report)
    reporter.log(
        f"F-score (ODS) {scores.edges.ods:.3f}, mean error {scores.mean_error:.2f} samples on "
        f"{len(tiles)} tiles."
    )
    return {
        "OUTPUT": str(job.output) if table else None,
        "REPORT": str(job.report) if report else None,
        "MEAN_IOU": None,
        "MEAN_DISTANCE_ERROR_BOX": None,
        "MEAN_DISTANCE_ERROR": None,
        "MISSED": 0,
        "ODS": scores.edges.ods,
    }


def _add_scores(page: HtmlPage, title: str, scores: LayerScores) -> None:
    page.heading(title)
    edges = scores.edges
    page.table(
        [
            {
                "ODS": edges.ods,
                "OIS": edges.ois,
                "AP": edges.average_precision,
                "Mean error (samples)": scores.mean_error,
                "Tiles": len(scores.tiles),
            }
        ],
        "Layers within 2 samples of a labelled one; unlabelled pixels do not count.",
    )
    rows: Sequence[dict[str, str | float | int]] = [tile.row for tile in scores.tiles]
    page.table(sorted(rows, key=lambda row: float(row["f_score"]))[:20], "The worst tiles.")
