"""The job that trains a model."""

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

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.job import Destination, Job
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.scene.sensor import kinds_by_name
from glacier_qgis.models.package.card import Calibration, Evaluation
from glacier_qgis.models.report.page import HtmlPage
from glacier_qgis.models.training.data.samples import Labelled
from glacier_qgis.models.training.fitting.batch_and_rate import find_rate
from glacier_qgis.models.training.fitting.fit import WEIGHT_DECAY, Fit, Schedule
from glacier_qgis.models.training.fitting.loop import Epoch, TrainingLoop, best
from glacier_qgis.models.training.fitting.range_test import RangeTest, read_curve
from glacier_qgis.models.training.fitting.unfinished import BEST, RECIPE, UnfinishedTraining
from glacier_qgis.models.training.jobs.learning import Learning, command, facts, settle
from glacier_qgis.models.training.measuring.evaluator import Evaluator, Measured
from glacier_qgis.models.training.measuring.totals import Totals, finite, totals
from glacier_qgis.models.training.publishing.publish import Publisher, package_name
from glacier_qgis.models.training.publishing.report import (
    add_course,
    add_evaluation,
    add_range_test,
    duration,
)

LEAST_VIEWS = 256
"""Views in an epoch of a small data set."""

RATE_SHARE, FINAL_SHARE = 0.05, 0.05
"""Shares of the progress bar that a range test and the last evaluation take."""


class TrainModel(Learning, Job):
    """A model learnt from a data set."""

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 50
    learning_rate: Annotated[float, Field(ge=0, le=10)] = 0.0
    patience: Annotated[int, Field(ge=0, le=100_000)] = 10
    output: Path
    report: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Write the package whenever it gets better, in the end the report."""
        self._check_output()
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
            f"The best weights are those of epoch {chosen['epoch']} of {len(epochs)}: mean IoU "
            f"{chosen['mean_iou']:.3f}{fronts} in the validation."
        )
        return {
            "OUTPUT": str(self.output),
            "REPORT": str(self.report) if report else None,
            "EPOCHS_TRAINED": len(epochs),
            "BEST_EPOCH": chosen["epoch"],
            **finite({"MEAN_IOU": chosen["mean_iou"], "MEAN_DISTANCE": chosen["distance_m"]}),
        }

    def _check_output(self) -> None:
        """Make sure, before hours of work, that the package can be put in its place."""
        if self.output.suffix.lower() != ".zip":
            raise EngineError(
                f"OUTPUT: a model package is a zip: name the file *.zip, not {self.output.name}."
            )
        if not self.output.parent.is_dir() or self.output.is_dir():
            raise EngineError(
                f"OUTPUT: {self.output} is a folder, or in one that does not exist: choose another."
            )
        start = Path(self.start_from.strip()).expanduser()
        if start.is_file() and self.output.exists() and start.samefile(self.output):
            raise EngineError(
                f"OUTPUT: {self.output} is the model of START_FROM, which could not be started "
                "from again once it was replaced. Choose another name."
            )


class _Training:
    """One training: what it was asked for, what it decided, where it keeps its state."""

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
            f"{len(parts.training)} tiles to learn from, {len(parts.validation)} to validate on; "
            f"batches of {self.batch} views of {self.setting.size} × {self.setting.size} cells, "
            f"learning rate {self.rate:.2g}. The best model so far is always in {job.output}: a "
            "cancel keeps it, and the same parameters then go on where the training ended."
        )

    @property
    def steps(self) -> int:
        """Batches in an epoch: as many views as there are tiles, but not too few."""
        views = max(LEAST_VIEWS, len(self.setting.parts.training))
        return -(-views // self.batch)

    def learn(self, reporter: Reporter) -> list[Epoch]:
        """Go through the epochs that are left."""
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
        """Measure the best weights, calibrate their uncertainties, write the last package."""
        weights = self.waiting.best()
        validation = self.setting.parts.validation
        calibration = self._evaluator(weights).calibrate(validation, self._part("validation"))
        evaluator = self._evaluator(weights, calibration)
        parts: dict[str, Sequence[Labelled]] = {
            "validation": validation,
            "test": self.setting.data.tiles("test"),
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
            f"{self.job.architecture} on the data set {self.setting.data.card.name}: mean IoU "
            f"{chosen['mean_iou']:.3f} in the validation of epoch {chosen['epoch']}, out of "
            f"{len(epochs)} of {self.job.epochs}.",
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
        about["Time"] = f"{duration(self.fit.seconds)} of learning in {self.fit.step} steps"
        page.facts(about)
        return page

    def _identity(self) -> dict[str, JsonValue]:
        """Return what makes two trainings the same one."""
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
        """Choose batch and rate where they were left open, and write them down."""
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
        """Write the best weights so far, for the end of the training and for a person."""
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
        how = "chosen by a range test" if self.test else "as asked for"
        return (
            f"{self.objective.recipe}; AdamW, weight decay {WEIGHT_DECAY:g}, one-cycle schedule "
            f"over {self.job.epochs} epochs of {self.steps} steps, highest rate {self.rate:g} "
            f"({how}); running average of the weights; the weights with the highest mean IoU in "
            "the validation, "
            + (
                f"at an end after {self.job.patience} epochs without a better one."
                if self.job.patience
                else "without an early end."
            )
        )


def _restored(kept: JsonValue) -> RangeTest | None:
    if not isinstance(kept, dict):
        return None
    return read_curve(np.array(kept["rates"]), np.array(kept["losses"]))
