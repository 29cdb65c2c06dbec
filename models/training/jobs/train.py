"""The job `trainmodel`."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, JsonValue
from safetensors.torch import save_file
from torch import Tensor

from glacier_qgis.models.compute.hardware import duration
from glacier_qgis.models.compute.unfinished import BEST, RECIPE, UnfinishedTraining
from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.job import Destination, Job
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import command
from glacier_qgis.models.fronts.scene.sensor import kinds_by_name
from glacier_qgis.models.package.card import Calibration, Evaluation
from glacier_qgis.models.package.destination import check_destination
from glacier_qgis.models.report.page import HtmlPage
from glacier_qgis.models.training.data.dataset import Dataset
from glacier_qgis.models.training.data.samples import Labelled
from glacier_qgis.models.training.fitting.batch_and_rate import find_rate
from glacier_qgis.models.training.fitting.fit import WEIGHT_DECAY, Fit, Schedule
from glacier_qgis.models.training.fitting.loop import Epoch, TrainingLoop, best
from glacier_qgis.models.training.fitting.range_test import RangeTest, read_curve
from glacier_qgis.models.training.jobs import echograms
from glacier_qgis.models.training.jobs.learning import Learning, facts, settle
from glacier_qgis.models.training.measuring.evaluator import Evaluator, Measured
from glacier_qgis.models.training.measuring.totals import Totals, finite, totals
from glacier_qgis.models.training.publishing.publish import Publisher, package_name
from glacier_qgis.models.training.publishing.report import (
    add_course,
    add_evaluation,
    add_range_test,
)

LEAST_VIEWS = 256
"""Patches per epoch of a small data set."""

RATE_SHARE, FINAL_SHARE = 0.05, 0.05
"""Shares of the progress bar for a range test and the final evaluation."""


class TrainModel(Learning, Job):
    """Train a model on a data set."""

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 50
    learning_rate: Annotated[float, Field(ge=0, le=10)] = 0.0
    patience: Annotated[int, Field(ge=0, le=100_000)] = 10
    output: Path
    report: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Write the package whenever it improves, and the report at the end."""
        check_destination(self.output, self.start_from, "model")
        data = Dataset.open(self.dataset)
        if data.card.of_echograms:
            return echograms.train(self, data, reporter, outputs)
        report = outputs.stage(self.report) if self.report else None
        training = _Training(self, outputs.scratch(self.output, "package.zip"), reporter)
        epochs = training.learn(Stage(reporter, RATE_SHARE, 1 - FINAL_SHARE))
        measured = training.finish(Stage(reporter, 1 - FINAL_SHARE, 1))
        if report:
            training.page(epochs, measured).write(report)
        training.waiting.remove()
        chosen = best(epochs)
        off = chosen["distance_m"]
        fronts = f", fronts {off:.0f} m off" if math.isfinite(off) else ""
        reporter.log(
            f"The best weights are those of epoch {chosen['epoch']} of {len(epochs)}: validation "
            f"mean IoU {chosen['mean_iou']:.3f}{fronts}."
        )
        return {
            "OUTPUT": str(self.output),
            "REPORT": str(self.report) if report else None,
            "EPOCHS_TRAINED": len(epochs),
            "BEST_EPOCH": chosen["epoch"],
            **finite({"MEAN_IOU": chosen["mean_iou"], "MEAN_DISTANCE": chosen["distance_m"]}),
        }


class _Training:
    """One training: its parameters, its automatic choices and its state."""

    def __init__(self, job: TrainModel, draft: Path, reporter: Reporter) -> None:
        self.job = job
        self.setting = settle(job, reporter)
        start, device = self.setting.start, self.setting.device
        self.objective = self.setting.objective()
        self.waiting = UnfinishedTraining.open(job.output, self._identity(), reporter)
        decided = self.waiting.decided or self._decide(reporter)
        self.batch = int(decided["batch"])  # type: ignore[arg-type]
        self.rate = float(decided["rate"])  # type: ignore[arg-type]
        self.test = _restored(decided.get("range_test"))
        card = self.setting.data.card
        self.evaluator = Evaluator(copy.deepcopy(start.network), device, card.cell_size_m)
        schedule = Schedule(steps=job.epochs * self.steps, rate=self.rate)
        self.fit = Fit(
            self.objective.network,
            schedule,
            self.waiting.folder,
            job.seed,
            device,
            self.objective.loss,
        )
        parts = self.setting.parts
        self.publisher = Publisher(
            output=job.output,
            draft=draft,
            start=start,
            bands=self.setting.bands,
            cell_size_m=card.cell_size_m,
            learnt=self.setting.data.described(parts.training),
            split=parts.split,
            training=self._recipe(),
            sensors=kinds_by_name(
                scene.source for scene in card.scenes if scene.part == "training"
            ),
        )
        reporter.log(
            f"{len(parts.training)} tiles for training, {len(parts.validation)} for validation; "
            f"batches of {self.batch} patches of {self.setting.size} × {self.setting.size} cells, "
            f"learning rate {self.rate:.2g}. The best model so far is always in {job.output}: it "
            "stays after a cancellation, and the same parameters resume the training."
        )

    @property
    def steps(self) -> int:
        """Batches per epoch: at least one patch per tile, with a minimum."""
        views = max(LEAST_VIEWS, len(self.setting.parts.training))
        return -(-views // self.batch)

    def learn(self, reporter: Reporter) -> list[Epoch]:
        """Run the remaining epochs."""
        loop = TrainingLoop(
            epochs=self.job.epochs,
            steps=self.steps,
            patience=self.job.patience,
            batches=self.setting.batches(self.batch),
            validate=lambda weights: totals(
                replace(
                    self._evaluator(self.objective.zones_alone(weights)), augment=False
                ).answers(self.setting.parts.validation)
            ),
            keep=lambda figures, weights: self._keep(figures, self.objective.zones_alone(weights)),
        )
        return loop.run(self.fit, reporter)

    def finish(self, reporter: Reporter) -> dict[str, Measured]:
        """Evaluate the best weights, calibrate their uncertainties, write the final package."""
        weights = self.waiting.best()
        validation = self.setting.parts.validation
        calibration = self._evaluator(weights).calibrate(validation, self._part("validation"))
        evaluator = self._evaluator(weights, calibration)
        start = self.setting.start
        parts: dict[str, Sequence[Labelled]] = {
            "validation": validation,
            "test": self.setting.data.tiles("test", rock=start.rock),
        }
        measured = {
            part: evaluator.measure(tiles, reporter) for part, tiles in parts.items() if tiles
        }
        figures = {part: found.figures.values() for part, found in measured.items()}
        self.publisher.write(weights, self._evaluations(figures), calibration)
        return measured

    def page(self, epochs: list[Epoch], measured: Mapping[str, Measured]) -> HtmlPage:
        """Return the report."""
        chosen = best(epochs)
        page = HtmlPage(
            f"Training of {package_name(self.job.output)}",
            f"{self.job.architecture} on the data set {self.setting.data.card.name}: validation "
            f"mean IoU {chosen['mean_iou']:.3f} in epoch {chosen['epoch']}, out of {len(epochs)} "
            f"of {self.job.epochs}.",
        )
        for warning in self.setting.warnings:
            page.warning(warning)
        add_course(page, epochs)
        for part, found in measured.items():
            add_evaluation(page, f"The best weights on {self._part(part)}", found)
        if self.test:
            page.heading("Learning rate")
            add_range_test(page, self.test)
        page.heading("How it was made")
        about = facts(self.job, "trainmodel", self.setting, self.batch)
        about["Learning"] = self._recipe()
        about["Time"] = f"{duration(self.fit.seconds)} of training in {self.fit.step} steps"
        page.facts(about)
        return page

    def _identity(self) -> dict[str, JsonValue]:
        """Return the identity of a training."""
        asked = self.job.model_dump(
            mode="json",
            exclude={"dataset", "device", "output", "patience", "report", "start_from"},
        )
        origin = self.setting.start.origin
        asked["dataset"] = self.setting.data.card.complete
        asked["start_from"] = origin.weights.sha256 if origin else ""
        asked[RECIPE] = self.objective.recipe
        return asked

    def _decide(self, reporter: Reporter) -> dict[str, JsonValue]:
        """Choose batch size and learning rate if not given, and save them."""
        batch = self.job.batch_size or self.setting.largest_batch()
        decided: dict[str, JsonValue] = {"batch": batch, "rate": self.job.learning_rate}
        if not self.job.learning_rate:
            test = find_rate(
                self.objective,
                self.setting.batches(batch),
                self.job.seed,
                self.setting.device,
                lambda done: reporter.progress(RATE_SHARE * done, "Finding the learning rate"),
            )
            decided["rate"] = float(f"{test.suggested:.2g}")
            decided["range_test"] = {"rates": [*test.rates], "losses": [*test.losses]}
        self.waiting.decide(decided)
        return decided

    def _evaluator(
        self, weights: Mapping[str, Tensor], calibration: Calibration | None = None
    ) -> Evaluator:
        self.evaluator.network.load_state_dict(weights)
        return Evaluator(
            self.evaluator.network, self.evaluator.device, self.evaluator.cell_size_m, calibration
        )

    def _keep(self, figures: Totals, weights: Mapping[str, Tensor]) -> None:
        """Write the best weights so far, for the final evaluation and for the user."""
        draft = self.waiting.folder / f"{BEST}.part"
        save_file({name: value.cpu().contiguous() for name, value in weights.items()}, draft)
        draft.replace(self.waiting.folder / BEST)
        self.publisher.write(weights, self._evaluations({"validation": figures.values()}))

    def _evaluations(self, figures: Mapping[str, Mapping[str, float | int]]) -> list[Evaluation]:
        return [
            Evaluation(
                data=self._part(part), command=command("trainmodel", self.job), values=dict(values)
            )
            for part, values in figures.items()
        ]

    def _part(self, part: str) -> str:
        chosen = ", on which the weights were chosen" if part == "validation" else ""
        return f"the {part} part of {self.setting.data.card.name}{chosen}"

    def _recipe(self) -> str:
        how = "chosen by a range test" if self.test else "no offsets"
        return (
            f"{self.objective.recipe}; AdamW, weight decay {WEIGHT_DECAY:g}, one-cycle schedule "
            f"over {self.job.epochs} epochs of {self.steps} steps, highest rate {self.rate:g} "
            f"({how}); running average of the weights; the weights with the highest validation "
            "mean IoU, "
            + (
                f"early stopping after {self.job.patience} epochs without improvement."
                if self.job.patience
                else "without early stopping."
            )
        )


def _restored(kept: JsonValue) -> RangeTest | None:
    if not isinstance(kept, dict):
        return None
    return read_curve(np.array(kept["rates"]), np.array(kept["losses"]))
