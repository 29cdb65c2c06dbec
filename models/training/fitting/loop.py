"""The training loop over epochs: train, validate, keep the best weights, stop early."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.training.fitting.fit import Fit
from glacier_qgis.models.training.measuring.totals import NAMES, Totals
from glacier_qgis.models.training.views.sampling import Batches

Epoch = dict[str, Any]
"""Metrics of one epoch, with the names of `epoch_record`."""


@dataclass(frozen=True)
class TrainingLoop:
    """Settings of the training loop.

    Attributes:
        epochs: Number of epochs of the schedule.
        steps: Batches per epoch.
        patience: Epochs without a better validation after which training stops; 0 for never.
        batches: Draws training batches.
        validate: Evaluates the averaged weights on the validation part.
        keep: Called with metrics and weights whenever they are the best so far.
    """

    epochs: int
    steps: int
    patience: int
    batches: Batches
    validate: Callable[[Mapping[str, Tensor]], Totals]
    keep: Callable[[Totals, Mapping[str, Tensor]], None]

    def run(self, fit: Fit, reporter: Reporter) -> list[Epoch]:
        """Continue from the state of `fit` and return the metrics of all epochs.

        The state is saved during and after every epoch; the best weights are kept before an epoch
        counts as finished, so that after a kill in between the end of the epoch is repeated
        exactly.
        """
        epochs: list[Epoch] = fit.notes.setdefault("epochs", [])  # type: ignore[assignment]
        while len(epochs) < self.epochs and not self._tired(epochs):
            start = time.monotonic()
            rate = fit.schedule.rate_at(fit.done)
            loss = self._learn(fit, len(epochs), reporter)
            measured = self.validate(fit.average)
            epoch = epoch_record(len(epochs) + 1, rate, loss, measured)
            better = epoch["mean_iou"] > best(epochs)["mean_iou"] if epochs else True
            if better:
                self.keep(measured, fit.average)
            epochs.append(epoch)
            fit.notes["loss"] = 0.0
            fit.save()
            reporter.log(_line(epoch, self.epochs, better, time.monotonic() - start))
        if self._tired(epochs) and len(epochs) < self.epochs:
            reporter.log(
                f"Stopped early: no better mean IoU in {self.patience} epochs; the best weights "
                f"are those of epoch {best(epochs)['epoch']}."
            )
        return epochs

    def _learn(self, fit: Fit, done: int, reporter: Reporter) -> float:
        """Train to the end of the epoch, saving regularly; return the mean loss."""
        last = (done + 1) * self.steps
        while fit.step < last:
            before = fit.step
            loss = fit.learn(self.batches, min(fit.schedule.save_every, last - before))
            total = float(fit.notes.get("loss", 0.0)) + loss * (fit.step - before)  # type: ignore[arg-type]
            fit.notes["loss"] = total
            if fit.step < last:
                fit.save()
            reporter.progress(
                fit.step / (self.epochs * self.steps),
                f"Training: epoch {done + 1} of {self.epochs}",
            )
        return float(fit.notes["loss"]) / self.steps  # type: ignore[arg-type]

    def _tired(self, epochs: list[Epoch]) -> bool:
        return bool(self.patience and epochs) and (
            len(epochs) - best(epochs)["epoch"] >= self.patience
        )


def best(epochs: list[Epoch]) -> Epoch:
    """Return the epoch with the highest validation mean IoU; the first of equal ones."""
    return max(epochs, key=lambda epoch: (_number(epoch["mean_iou"]), -epoch["epoch"]))


def epoch_record(number: int, rate: float, loss: float, measured: Totals) -> Epoch:
    """Return the metrics of an epoch for JSON; NaN if not measurable."""
    scores, box, whole = measured.scores, measured.box, measured.whole
    classes = {
        name: {
            score: float(getattr(scores, score)[index])
            for score in ("precision", "recall", "f1", "iou")
        }
        for index, name in enumerate(NAMES)
    }
    return {
        "epoch": number,
        "rate": rate,
        "loss": loss,
        "validation_loss": measured.loss,
        "mean_iou": _number(scores.mean_iou),
        "classes": classes,
        "distance_box_m": box.mean_m,
        "distance_m": whole.mean_m,
        "fronts": box.images,
        "missed": box.missed,
    }


def _number(value: float) -> float:
    """Return 0 for NaN, which cannot be compared."""
    return 0.0 if math.isnan(value) else value


def _line(epoch: Epoch, epochs: int, better: bool, seconds: float) -> str:
    """One line for the log."""
    overlap = ", ".join(
        f"{name} {scores['iou']:.2f}"
        for name, scores in epoch["classes"].items()
        if not math.isnan(scores["recall"])
    )
    distance = epoch["distance_m"]
    front = "no front found" if math.isnan(distance) else f"front {distance:.0f} m"
    return (
        f"Epoch {epoch['epoch']}/{epochs}: loss {epoch['loss']:.3f}, validation "
        f"{epoch['validation_loss']:.3f}, IoU {epoch['mean_iou']:.3f} ({overlap}), {front}, "
        f"{epoch['missed']} of {epoch['fronts']} missed, {seconds:.0f} "
        f"s{', best so far, written' if better else ''}"
    )
