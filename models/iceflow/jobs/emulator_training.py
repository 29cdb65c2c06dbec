"""One training of an emulator: its states, its network and what it keeps on disk."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue
from safetensors.torch import save_file

from glacier_qgis.models.compute.device import choose_device
from glacier_qgis.models.compute.unfinished import BEST, UnfinishedTraining
from glacier_qgis.models.engine.events import Reporter, Stage
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.iceflow.jobs.training_options import TrainingOptions
from glacier_qgis.models.iceflow.jobs.training_states import PATCHES, tell_levels, training_parts
from glacier_qgis.models.iceflow.teaching.beginning import Beginning, begin
from glacier_qgis.models.iceflow.teaching.course import Course, Epoch, Lessons, Settings
from glacier_qgis.models.iceflow.teaching.fidelity import Fidelity
from glacier_qgis.models.iceflow.teaching.measuring import Case, Flow, Kind, emulated, fidelities
from glacier_qgis.models.iceflow.teaching.package import Facts, about
from glacier_qgis.models.iceflow.teaching.pupils import Pupil
from glacier_qgis.models.iceflow.teaching.training import Recipe, Training
from glacier_qgis.models.iceflow.velocity.emulator import Emulator

BATCHES = {"plain convolutions": 64, "pyramid": 8}
RATES = {"plain convolutions": 5e-4, "pyramid": 2e-3}
GENTLE = 0.25
"""Share of the learning rate for weights that are trained already."""
PAPER_ADAM = (0.9, 0.999)
SOLVED_SHARE, FINAL_SHARE = 0.35, 0.03
"""Shares of the progress bar for the states and for the final measurement."""
NOTHING = 100.0
"""Error, in per cent of the speed, of an emulator that says that nothing moves."""


class EmulatorTraining:
    """One training: its states, its network and its state on disk."""

    def __init__(self, job: TrainingOptions, draft: Path, reporter: Reporter) -> None:
        self.job, self.draft, self.reporter = job, draft, reporter
        self.warnings: list[str] = []
        self.device = choose_device(job.device, double="energy" in job.loss)
        self.waiting = UnfinishedTraining.open(job.output, self._identity(), reporter)
        self.waiting.decide({"made": True})
        self.parts = training_parts(
            job, self.waiting.folder, Stage(reporter, 0.0, SOLVED_SHARE), self._warn
        )
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
        if job.loss != "energy":
            tell_levels(self.parts, self._warn)
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
        found = fidelities(self.measured, self.flow())
        self._write(pupil, self.course.best, found)
        return found

    def flow(self) -> Flow:
        """Return the flow of the package that is delivered."""
        return emulated(Emulator.read(self.job.output, self.job.output.stem, self.device))

    def _keep(self, pupil: Pupil, epoch: Epoch) -> None:
        """Write the best weights so far, for the final package and for the user."""
        draft = self.waiting.folder / f"{BEST}.part"
        state = pupil.network.state_dict()
        save_file({name: value.cpu().contiguous().clone() for name, value in state.items()}, draft)
        draft.replace(self.waiting.folder / BEST)
        self._write(pupil, epoch, {})

    def _write(self, pupil: Pupil, epoch: Epoch, found: dict[Kind, Fidelity]) -> None:
        facts = Facts(
            title=f"{self.start.words}, trained by {self.instructor()}",
            licence=self.job.licence,
            instructor=self.instructor(),
            loss=self.job.loss,
            trained_on=self.course.names,
            held_out=[one.name for one in self.parts.check],
            started_from=self.start.origin,
            seed=self.job.seed,
        )
        pupil.write(self.draft, about(facts, self.parts.training, self.start, epoch, found))
        self.draft.replace(self.job.output)

    def instructor(self) -> str:
        """Return which instructors the states to train on are of."""
        return ", ".join(dict.fromkeys(one.instructor for one in self.parts.training))

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
