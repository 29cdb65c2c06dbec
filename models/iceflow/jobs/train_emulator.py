"""The job `trainemulator`: an emulator is trained by an instructor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Self

import torch
from pydantic import Field, JsonValue, model_validator
from safetensors.torch import save_file

from glacier_qgis.models.compute.device import choose_device
from glacier_qgis.models.compute.hardware import duration, hardware
from glacier_qgis.models.compute.unfinished import BEST, UnfinishedTraining
from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.job import Destination, RasterInput, Seed
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import command, software_version
from glacier_qgis.models.iceflow.ground.units import VerticalUnit
from glacier_qgis.models.iceflow.jobs.common import text
from glacier_qgis.models.iceflow.jobs.teaching import Taught
from glacier_qgis.models.iceflow.teaching.beginning import Beginning, begin
from glacier_qgis.models.iceflow.teaching.course import (
    ENERGY_STATES,
    Course,
    Epoch,
    Lessons,
    Settings,
)
from glacier_qgis.models.iceflow.teaching.fidelity import Fidelity
from glacier_qgis.models.iceflow.teaching.measuring import ALL, Case, Kind, emulated, fidelities
from glacier_qgis.models.iceflow.teaching.package import Facts, about
from glacier_qgis.models.iceflow.teaching.pupils import Pupil
from glacier_qgis.models.iceflow.teaching.report import (
    MEASURES,
    add_course,
    add_fidelity,
    add_map,
    add_scatter,
    worst_and_median,
)
from glacier_qgis.models.iceflow.teaching.states.glaciers import Topography, Where
from glacier_qgis.models.iceflow.teaching.states.prospects import Parts, Prospect, split
from glacier_qgis.models.iceflow.teaching.states.sources import Maker, Solving, read_ground, valleys
from glacier_qgis.models.iceflow.teaching.states.states import Ground
from glacier_qgis.models.iceflow.teaching.training import Recipe, Training
from glacier_qgis.models.iceflow.velocity.emulator import Emulator
from glacier_qgis.models.package.destination import check_destination
from glacier_qgis.models.report.page import HtmlPage

SIDE = 64
"""Cells along a side of the states that are made, at least."""
VALLEY_CELL = 100.0
"""Cells of made valleys where no size is given, m."""
PATCHES = {"plain convolutions": 32, "pyramid": 64}
"""Cells along a side of a patch, by network; 32 is that of Jouvet et al. (2022)."""
BATCHES = {"plain convolutions": 64, "pyramid": 8}
RATES = {"plain convolutions": 5e-4, "pyramid": 2e-3}
GENTLE = 0.25
"""Share of the learning rate for weights that are trained already."""
PAPER_ADAM = (0.9, 0.999)
SOLVED_SHARE, FINAL_SHARE = 0.35, 0.03
"""Shares of the progress bar for the states and for the final measurement."""
NOTHING = 100.0
"""Error, in per cent of the speed, of an emulator that says that nothing moves."""


class TrainEmulator(Taught):
    """Train an emulator of ice flow on solved states, or on the energy of the ice."""

    topographies: list[RasterInput] = Field(default_factory=list)
    vertical_unit: VerticalUnit = "from the raster"
    valleys: int = Field(default=0, ge=0, le=10_000)
    cell_size: float = Field(default=0.0, ge=0, le=20_000)
    states: int = Field(default=8, ge=1, le=10_000)
    max_sliding: float = Field(default=70.0, ge=0, le=1000)
    network: Literal["pyramid", "plain convolutions"] = "pyramid"
    layers: int = Field(default=16, ge=1, le=64)
    filters: int = Field(default=32, ge=1, le=512)
    kernel: int = Field(default=3, ge=1, le=15)
    start_from: str = ""
    loss: Literal["L1", "relative", "energy", "L1 and energy"] = "L1"
    epochs: int = Field(default=100, ge=1, le=100_000)
    batch_size: int = Field(default=0, ge=0, le=4096)
    patch: int = Field(default=0, ge=0, le=512)
    learning_rate: float = Field(default=0.0, ge=0, le=10)
    patience: int = Field(default=20, ge=0, le=100_000)
    selection: bool = False
    held_out: float = Field(default=20.0, ge=0, le=90)
    seed: Seed = 1
    licence: Annotated[str, Field(min_length=1, max_length=200)] = "GPL-3.0-or-later"
    output: Path
    report: Destination

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not (self.snapshots or self.topographies or self.valleys):
            raise ValueError("give SNAPSHOTS or TOPOGRAPHIES, or a number of VALLEYS to be made")
        if self.kernel % 2 == 0:
            raise ValueError(f"KERNEL {self.kernel} is even: give an odd number of cells")
        if "energy" in self.loss and self.instructor != "Blatter-Pattyn":
            raise ValueError(
                f"LOSS '{self.loss}' is the energy of Blatter-Pattyn ice: choose INSTRUCTOR "
                "'Blatter-Pattyn', or LOSS 'L1'"
            )
        if self.selection and self.loss == "energy":
            raise ValueError(
                "SELECTION compares errors of velocities, which LOSS 'energy' does without: choose "
                "LOSS 'L1 and energy'"
            )
        return self

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Write the package whenever it improves, and the report at the end."""
        check_destination(self.output, self.start_from, "emulator")
        report = outputs.stage(self.report) if self.report else None
        teaching = _Teaching(self, outputs.scratch(self.output, "emulator.zip"), reporter)
        epochs = teaching.learn(Stage(reporter, SOLVED_SHARE, 1 - FINAL_SHARE))
        found = teaching.finish()
        if report:
            teaching.page(epochs, found).write(report)
        teaching.waiting.remove()
        best, total = teaching.course.best, found[Kind(ALL, ALL)]
        reporter.log(
            f"The best weights are those of epoch {best['epoch']} of {len(epochs) - 1}: "
            f"{total.words}."
        )
        return {
            "OUTPUT": str(self.output),
            "REPORT": text(self.report),
            "EPOCHS_TRAINED": len(epochs) - 1,
            "BEST_EPOCH": best["epoch"],
            "L1": total.l1,
            **({"EQ7": total.mean} if total.mean == total.mean else {}),
            "WEIGHTS": sum(weight.numel() for weight in teaching.pupil.network.parameters()),
        }


class _Teaching:
    """One training: its states, its network and its state on disk."""

    def __init__(self, job: TrainEmulator, draft: Path, reporter: Reporter) -> None:
        self.job, self.draft, self.reporter = job, draft, reporter
        self.warnings: list[str] = []
        self.device = choose_device(job.device, double="energy" in job.loss)
        self.waiting = UnfinishedTraining.open(job.output, self._identity(), reporter)
        self.waiting.decide({"made": True})
        self.parts = self._parts(Stage(reporter, 0.0, SOLVED_SHARE))
        self.start = begin(
            Beginning(
                "plain convolutions" if job.network == "plain convolutions" else "pyramid",
                job.layers,
                job.filters,
                job.kernel,
                job.start_from,
                job.seed,
            ),
            self.parts.training,
            reporter,
        )
        self.pupil = self.start.pupil
        self.pupil.network.to(self.device)
        self._tell_levels()
        kind = self.start.kind
        self.settings = Settings(
            job.epochs,
            job.batch_size or BATCHES[kind],
            job.patch or PATCHES[kind],
            job.patience,
            job.loss,
            job.selection,
            job.seed,
        )
        rate = job.learning_rate or RATES[kind] * (GENTLE if job.start_from.strip() else 1.0)
        plain = Recipe(rate=rate, decay=0.0, momentum=PAPER_ADAM)
        self.recipe = plain if kind == "plain convolutions" else Recipe(rate=rate)
        lessons, check = (
            [Lessons.of(one, self.pupil, energy=energy) for one in part]
            for part, energy in (
                (self.parts.training, self.settings.energy),
                (self.parts.check, False),
            )
        )
        training = Training(self.pupil, self.recipe)
        self.course = Course(
            training, lessons, check, self.settings, self.waiting.folder, self._keep
        )
        reporter.log(
            f"{len(lessons)} topographies with {sum(len(one.states) for one in lessons)} states to "
            f"train on, {sum(len(one.states) for one in check)} states held out "
            f"({listed([one.name for one in self.parts.check]) or 'no topography'}); learning "
            f"rate {rate:.2g}. The best emulator so far is always in {job.output}: it "
            "stays after a cancellation, and the same parameters resume the training."
        )

    @property
    def measured(self) -> list[Case]:
        """The states that errors are measured on."""
        return [Case(one.name, state) for one in self.parts.measured for state in one.states]

    def learn(self, reporter: Reporter) -> list[Epoch]:
        """Run the remaining epochs."""
        epochs = self.course.run(reporter)
        best = self.course.best
        if best["epoch"] == 0:
            self._warn(
                "No epoch was better than the weights at the start, which are kept. Train for more "
                "EPOCHS, on more states, or with another LEARNING_RATE."
            )
        elif best["total"] >= NOTHING:
            self._warn(
                f"The errors are {best['total']:.0f} % of the speed: an emulator that says that "
                "nothing moves has 100 %. Train on more topographies and states."
            )
        return epochs

    def finish(self) -> dict[Kind, Fidelity]:
        """Measure the best weights as they are delivered, and write the final package."""
        pupil = self.pupil
        pupil.network.load_state_dict(self.waiting.best())
        self._write(pupil, self.course.best, {})
        found = fidelities(self.measured, self._flow())
        self._write(pupil, self.course.best, found)
        return found

    def page(self, epochs: list[Epoch], found: dict[Kind, Fidelity]) -> HtmlPage:
        """Return the report."""
        best, total = self.course.best, found[Kind(ALL, ALL)]
        on = "held-out topographies" if self.parts.check else "the topographies trained on"
        page = HtmlPage(
            f"Training of {self.job.output.stem}",
            f"{self.start.words}: {total.l1:.3g} m/a off on {on}, {total.total:.1f} % of the "
            f"speed, with the weights of epoch {best['epoch']} of {len(epochs) - 1}.",
        )
        for warning in self.warnings:
            page.warning(warning)
        add_course(page, epochs, best, unseen=bool(self.parts.check))
        flow, cases = self._flow(), self.measured
        add_fidelity(page, f"Errors on {on}", found, MEASURES)
        add_scatter(page, cases, flow)
        for title, case in worst_and_median(cases, flow).items():
            add_map(page, case, flow, self.job.output.stem, title)
        page.heading("How it was made")
        page.facts(self._facts(epochs))
        return page

    def _flow(self) -> Callable[..., torch.Tensor]:
        return emulated(Emulator.read(self.job.output, self.job.output.stem, self.device))

    def _facts(self, epochs: list[Epoch]) -> dict[str, str]:
        settings, training = self.settings, self.course.training
        return {
            "Network": self.start.words,
            "Instructor": self._instructor(),
            "Trained on": ", ".join(self.course.names),
            "Held out": ", ".join(one.name for one in self.parts.check) or "nothing",
            **(
                {"Not needed (SELECTION)": ", ".join(self.course.left_out) or "none"}
                if settings.selecting
                else {}
            ),
            "Loss": settings.loss,
            **self._drawn(),
            "Optimiser": f"Adam, learning rate {self.recipe.rate:.2g} with a cosine to zero, "
            f"gradients clipped to 1; {training.setbacks} returns to earlier weights",
            "Time": f"{duration(sum(epoch['seconds'] for epoch in epochs))} of training in "
            f"{training.step} steps",
            "Seed": str(self.job.seed),
            "Licence of the weights": self.job.licence,
            **hardware(self.device, None),
            "Software": software_version(),
            "Command": command("trainemulator", self.job),
        }

    def _drawn(self) -> dict[str, str]:
        """Return what a step trains on."""
        settings, symmetric = self.settings, self.pupil.symmetric
        alike = "the network is equivariant" if symmetric else "in all eight orientations"
        found = {}
        if settings.solutions:
            size = f"{settings.patch} × {settings.patch} cells"
            found["Patches"] = f"{size}, {settings.batch} per step; {alike}"
        if settings.energy:
            found["Energy"] = f"of whole states, {ENERGY_STATES} per step"
        return found

    def _keep(self, pupil: Pupil, epoch: Epoch) -> None:
        """Write the best weights so far, for the final package and for the user."""
        draft = self.waiting.folder / f"{BEST}.part"
        state = pupil.network.state_dict()
        save_file({name: value.cpu().contiguous().clone() for name, value in state.items()}, draft)
        draft.replace(self.waiting.folder / BEST)
        self._write(pupil, epoch, {})

    def _write(self, pupil: Pupil, epoch: Epoch, found: dict[Kind, Fidelity]) -> None:
        facts = Facts(
            title=f"{self.start.words}, trained by {self._instructor()}",
            licence=self.job.licence,
            instructor=self._instructor(),
            loss=self.job.loss,
            trained_on=self.course.names,
            held_out=[one.name for one in self.parts.check],
            started_from=self.start.origin,
            seed=self.job.seed,
        )
        pupil.write(self.draft, about(facts, self.parts.training, self.start, epoch, found))
        self.draft.replace(self.job.output)

    def _instructor(self) -> str:
        return ", ".join(dict.fromkeys(one.instructor for one in self.parts.training))

    def _parts(self, reporter: Reporter) -> Parts:
        prospects = self._prospects()
        parts = split(
            prospects,
            self.job.held_out / 100,
            self.job.seed,
            reporter,
            unsolved=self.job.loss == "energy",
        )
        if not parts.check:
            name = parts.training[0].name
            reason = (
                "HELD_OUT is 0"
                if len(parts.training) > 1
                else f"all states are of one topography ({name}), and patches of one topography "
                "resemble each other, so it is not split"
            )
            self._warn(
                f"Nothing is held out, because {reason}: errors are those on the glaciers trained "
                "on, and smaller than on others. Give SNAPSHOTS or TOPOGRAPHIES of another place, "
                "or VALLEYS to be made."
            )
        return parts

    def _prospects(self) -> list[Prospect]:
        """Return what there is to train on."""
        job = self.job
        patch = job.patch or PATCHES[job.network]
        found = []
        for topography, grid in job.files(job.cell_size or VALLEY_CELL, self.reporter):
            if min(grid.shape) < patch:
                self._warn(
                    f"SNAPSHOTS: {topography.name} has {grid.width} × {grid.height} cells, less "
                    f"than a patch of {patch} × {patch}: it fills a part of a patch only."
                )
            found.append(Prospect.of(topography))
        solving = Solving(
            job.instructor,
            job.modes,
            job.tolerance,
            max(SIDE, patch),
            job.states,
            job.max_sliding,
            job.seed,
        )
        maker = Maker(self.waiting.folder / "states", solving, self.reporter)
        grounds: list[tuple[str, Ground, float, Where | None]] = []
        for source in job.topographies:
            grid, ground = read_ground(
                source, job.cell_size or None, job.vertical_unit, patch, self.reporter
            )
            name = Path(source.shown).stem
            grounds.append((name, ground, grid.cell_size, Where.of(grid)))
        size = job.cell_size or (grounds[0][2] if grounds else VALLEY_CELL)
        grounds += [(*one, size, None) for one in valleys(job.valleys, job.seed, size)]
        for number, (name, ground, cell_size, where) in enumerate(grounds):
            make = partial(_made, maker, name, number, ground, cell_size)
            found.append(Prospect(name, job.states, make, where))
        return found

    def _tell_levels(self) -> None:
        missing = [
            one.name
            for one in self.parts.training
            if any(not bool(torch.isfinite(state.velocity).all()) for state in one.states)
        ]
        if missing and self.job.loss != "energy":
            self._warn(
                f"{', '.join(missing)} has no velocity at the bed and the surface: the emulator is "
                "trained on the mean over depth alone there."
            )

    def _identity(self) -> dict[str, JsonValue]:
        """Return the identity of a training: its parameters and its files."""
        job = self.job
        asked = job.model_dump(
            mode="json", exclude={"device", "output", "report", "patience", "licence"}
        )
        files = [*job.snapshots, *(Path(one.path) for one in job.topographies)]
        asked["files"] = [
            [path.stat().st_size, path.stat().st_mtime_ns] for path in files if path.is_file()
        ]
        return asked

    def _warn(self, words: str) -> None:
        self.warnings.append(words)
        self.reporter.warning(words)


def _made(
    maker: Maker,
    name: str,
    number: int,
    ground: Ground,
    cell_size: float,
    solved: bool,
    told: Callable[[int], None],
) -> Topography:
    return maker.topography(name, number, ground, cell_size, told, solved=solved)
