"""The report of a training of an emulator."""

from __future__ import annotations

from glacier_qgis.models.compute.hardware import duration, hardware
from glacier_qgis.models.engine.provenance import command, software_version
from glacier_qgis.models.iceflow.jobs.emulator_training import EmulatorTraining
from glacier_qgis.models.iceflow.teaching.course import ENERGY_STATES, Epoch
from glacier_qgis.models.iceflow.teaching.fidelity import Fidelity
from glacier_qgis.models.iceflow.teaching.measuring import ALL, Kind
from glacier_qgis.models.iceflow.teaching.report import (
    MEASURES,
    add_course,
    add_fidelity,
    add_map,
    add_scatter,
    worst_and_median,
)
from glacier_qgis.models.report.page import HtmlPage


def training_report(
    training: EmulatorTraining, epochs: list[Epoch], found: dict[Kind, Fidelity]
) -> HtmlPage:
    """Return the report of a training with the errors of its best weights."""
    best, total = training.course.best, found[Kind(ALL, ALL)]
    on = "held-out topographies" if training.parts.check else "the topographies trained on"
    page = HtmlPage(
        f"Training of {training.job.output.stem}",
        f"{training.start.words}: {total.l1:.3g} m/a off on {on}, {total.total:.1f} % of the "
        f"speed, with the weights of epoch {best['epoch']} of {len(epochs) - 1}.",
    )
    for warning in training.warnings:
        page.warning(warning)
    add_course(page, epochs, best, unseen=bool(training.parts.check))
    flow, cases = training.flow(), training.measured
    add_fidelity(page, f"Errors on {on}", found, MEASURES)
    add_scatter(page, cases, flow)
    for title, case in worst_and_median(cases, flow).items():
        add_map(page, case, flow, training.job.output.stem, title)
    page.heading("How it was made")
    page.facts(_facts(training, epochs))
    return page


def _facts(training: EmulatorTraining, epochs: list[Epoch]) -> dict[str, str]:
    settings, job, descent = training.settings, training.job, training.course.training
    return {
        "Network": training.start.words,
        "Instructor": training.instructor(),
        "Trained on": ", ".join(training.course.names),
        "Held out": ", ".join(one.name for one in training.parts.check) or "nothing",
        **(
            {"Not needed (SELECTION)": ", ".join(training.course.left_out) or "none"}
            if settings.selecting
            else {}
        ),
        "Loss": settings.loss,
        **_drawn(training),
        "Optimiser": f"Adam, learning rate {training.recipe.rate:.2g} with a cosine to zero, "
        f"gradients clipped to 1; {descent.setbacks} returns to earlier weights",
        "Time": f"{duration(sum(epoch['seconds'] for epoch in epochs))} of training in "
        f"{descent.step} steps",
        "Seed": str(job.seed),
        "Licence of the weights": job.licence,
        **hardware(training.device, None),
        "Software": software_version(),
        "Command": command("trainemulator", job),
    }


def _drawn(training: EmulatorTraining) -> dict[str, str]:
    """Return what a step trains on."""
    settings, symmetric = training.settings, training.pupil.symmetric
    alike = "the network is equivariant" if symmetric else "in all eight orientations"
    found = {}
    if settings.solutions:
        size = f"{settings.patch} × {settings.patch} cells"
        found["Patches"] = f"{size}, {settings.batch} per step; {alike}"
    if settings.energy:
        found["Energy"] = f"of whole states, {ENERGY_STATES} per step"
    return found
