"""The job `retrain`: from corrected fronts or layers to a better model, or back to the old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from glacier_qgis.models.compute.device import DeviceName, choose_device
from glacier_qgis.models.compute.hardware import hardware
from glacier_qgis.models.compute.precision import reduced_precision
from glacier_qgis.models.compute.unfinished import RECIPE, UnfinishedTraining
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import JsonValue, Reporter, Result
from glacier_qgis.models.engine.job import Destination, Job, LayerInput, Seed, blank_is_none
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import command
from glacier_qgis.models.package.archive import pack
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import Model
from glacier_qgis.models.review.retraining.corrections import (
    beside_fronts,
    check_model,
    facts_of,
    of_glacier,
    usable,
)
from glacier_qgis.models.review.retraining.finished import FinishedTraining
from glacier_qgis.models.review.retraining.labels import FEW
from glacier_qgis.models.review.retraining.layers import (
    LayerMaterial,
    check_for_layers,
    replayed,
    retrain_layers,
)
from glacier_qgis.models.review.retraining.learning import (
    ADAPTING_MINUTES,
    Pace,
    rate_of,
    steps_to_adapt,
)
from glacier_qgis.models.review.retraining.material import Aim
from glacier_qgis.models.review.retraining.package import write_package
from glacier_qgis.models.review.retraining.parent import (
    check_output,
    check_place,
    package_of,
    parent,
)
from glacier_qgis.models.review.retraining.places import content_of, read_place
from glacier_qgis.models.review.retraining.report import training_page
from glacier_qgis.models.review.retraining.retrain import retrain, with_front
from glacier_qgis.models.review.retraining.stretches import (
    LabelledStretch,
    corrected_stretch,
    unreviewed,
)
from glacier_qgis.models.review.retraining.taught import CorrectedPlace
from glacier_qgis.models.review.tables.corrected import CorrectedScene, corrected_scenes
from glacier_qgis.models.review.tables.kinds import FRONTS, LAYERS, kind_of
from glacier_qgis.models.review.tables.lineage import (
    add_model,
    bring_back,
    model_before,
)
from glacier_qgis.models.training.data.dataset import Dataset, LabelledTile
from glacier_qgis.models.training.data.parts import check_classes
from glacier_qgis.models.training.echograms.simulated import knows_simulated
from glacier_qgis.models.training.publishing.publish import package_name

FURTHER_MINUTES, FURTHER_STEPS = 240.0, 6000


class Retrain(Job):
    """Trains a model on corrected fronts or layers."""

    review: Annotated[Path | None, BeforeValidator(blank_is_none), Field(default=None)]
    model: str = ""
    adapt: bool = False
    glacier: str = ""
    rock: LayerInput | None = None
    dataset: Annotated[Path | None, BeforeValidator(blank_is_none), Field(default=None)]
    least: Annotated[int, Field(ge=1, le=100_000)] = 100
    minutes: Annotated[float, Field(ge=0, le=100_000)] = 0.0
    restore: bool = False
    seed: Seed = 1
    device: DeviceName = "automatic"
    output: Path
    report: Destination

    @property
    def table(self) -> Path:
        """The review; of a shared one, a copy that the plugin made.

        Raises:
            EngineError: None is given.
        """
        if self.review is None:
            raise EngineError("REVIEW: give the GeoPackage of a review, or a CONNECTION to one.")
        return self.review

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Train, test, and write the package; note it in the review when it is delivered."""
        if self.output.suffix.lower() != ".zip":
            raise EngineError(
                f"OUTPUT: {self.output.name} is not a zip, the format of model packages. Choose a "
                "file name *.zip."
            )
        check_output(self.output, self.model, self.table)
        staged = outputs.stage(self.output)
        if self.restore:
            return self._bring_back(staged, reporter, outputs)
        report = outputs.stage(self.report) if self.report else None
        known = corrected_scenes(self.table)
        chosen = usable(known, reporter)
        if kind_of(chosen[0].crs) is LAYERS:
            self._refuse_options_of_scenes()
        if self.adapt:
            chosen = of_glacier(chosen, self.glacier, reporter)
        model = parent(self.model, self.table, known, reporter, adapt=self.adapt)
        check_place(model, chosen)
        check_model(chosen, model.card, reporter)
        taught = self._enough(chosen, model.card)
        if self.adapt and (count := sum(bool(scene.lines) for scene in taught)) < FEW:
            reporter.warning(
                f"Only {count} of the corrected scenes {'show' if count > 1 else 'shows'} a front, "
                f"which hardly shows where fronts may be: correct {FEW} or more."
            )
        tasks = {scene.task for scene in taught}
        tested = [scene for scene in chosen if scene.task not in tasks]
        waiting = UnfinishedTraining.open(self.output, self._identity(model.card, chosen), reporter)
        waiting.decide(waiting.decided)
        finished = self._train(model, taught, tested, known, waiting, reporter)
        asked, outcome = command("retrain", self), finished.outcome
        card = finished.card(package_name(self.output), self.table.name, asked)
        card = write_package(card, finished.result, staged, model.card.weights.sha256)
        record = finished.record(card, self.output)
        if report:
            page = training_page(card, finished)
            device = choose_device(self.device)
            computed = hardware(device, reduced_precision(device))
            page.facts({"Seed": str(self.seed), **computed, "Command": asked})
            page.write(report)
        outputs.afterwards(lambda: self._note(record, finished.taught))
        outputs.afterwards(waiting.remove)
        verdict = outcome.sentence(model.card.name)
        (reporter.log if outcome.promoted else reporter.warning)(verdict)
        return {
            "OUTPUT": str(self.output),
            "REPORT": str(self.report) if self.report else None,
            "SCENES": len(finished.taught),
            "TESTED": finished.tested,
            "PROMOTED": bool(outcome.promoted),
            "ERROR_BEFORE": outcome.errors[0],
            "ERROR_AFTER": outcome.errors[1],
        }

    def _train(
        self,
        model: Model,
        taught: Sequence[CorrectedScene],
        tested: Sequence[CorrectedScene],
        known: Sequence[CorrectedScene],
        waiting: UnfinishedTraining,
        reporter: Reporter,
    ) -> FinishedTraining:
        """Train on fronts or layers, whichever were corrected."""
        there, pace = None, self._pace(waiting)
        if kind_of(taught[0].crs) is LAYERS:
            material = self._material(model, taught, tested, reporter)
            result, count = retrain_layers(model, material, pace, reporter), len(tested)
        else:
            places = self._places(taught, tested, known, model.card, reporter)
            there = places[0].place.grid if self.adapt else None
            read = {name for each in places for name in each.corrected}
            count = sum(len(with_front(each, each.test)) for each in places)
            taught = [scene for scene in taught if scene.scene in read]
            tiles, rock = self._tiles(echograms=False), self.rock is not None
            fronts = sum(bool(scene.lines) for scene in taught)
            aim = Aim.of(fronts, adapt=self.adapt, replayed=bool(tiles))
            steps = steps_to_adapt(fronts) if self.adapt else pace.steps
            pace = replace(pace, steps=steps, rate=rate_of(aim))
            result = retrain(model, places, tiles, pace, reporter, rock=rock, aim=aim)
        replayed = self.dataset.name if self.dataset else ""
        return FinishedTraining(model.card, result, taught, count, there, replayed, pace.rate)

    def _note(self, record: dict[str, JsonValue], taught: Sequence[CorrectedScene]) -> None:
        """Note the model in the review.

        Raises:
            EngineError: The review cannot be written to; the package is.
        """
        try:
            add_model(self.table, record, taught)
        except EngineError as error:
            raise EngineError(
                f"{self.output} is written, but the review does not know of it. {error}"
            ) from error

    def _refuse_options_of_scenes(self) -> None:
        """Refuse what has no meaning for layers in echograms.

        Raises:
            EngineError: ADAPT or ROCK is given.
        """
        for name, given in (("ADAPT", self.adapt), ("ROCK", self.rock is not None)):
            if given:
                raise EngineError(
                    f"{name} is for fronts in scenes, but the review is of layers in echograms. "
                    f"Leave {name} out."
                )

    def _tiles(self, *, echograms: bool) -> list[LabelledTile]:
        """Return the tiles of the earlier data."""
        if self.dataset is None:
            return []
        data = Dataset.open(self.dataset)
        if data.card.of_echograms != echograms:
            raise EngineError(
                f"DATASET: {data.card.name} holds {'scenes' if echograms else 'echograms'}, but "
                f"the review is of {'echograms' if echograms else 'scenes'}. Choose the data that "
                "the model was trained on."
            )
        if not echograms:
            check_classes(data)
        return data.tiles("training")

    def _material(
        self,
        model: Model,
        taught: Sequence[CorrectedScene],
        tested: Sequence[CorrectedScene],
        reporter: Reporter,
    ) -> LayerMaterial:
        """Read the stretches: corrected ones, those of the test, and what the model knows."""
        check_for_layers(model.card)
        reporter.progress(0.0, "Reading the echograms")
        old = self._tiles(echograms=True)
        known: list[LabelledStretch] = []
        if not old and knows_simulated(model.card):
            known = replayed(self.seed)
        elif not old:
            known = unreviewed(self.table, model, choose_device(self.device))
        return LayerMaterial(
            corrected=[*map(corrected_stretch, taught)],
            known=known,
            old=old,
            test=[*map(corrected_stretch, tested)],
        )

    def _enough(self, chosen: Sequence[CorrectedScene], card: ModelCard) -> list[CorrectedScene]:
        """Return the scenes to train on: all but those of the frozen test.

        Raises:
            EngineError: There are too few, or none shows a front.
        """
        kind = kind_of(chosen[0].crs)
        taught = [scene for scene in chosen if not scene.audit]
        if self.adapt and not taught:
            taught = [*chosen]
        if not any(scene.lines for scene in taught):
            raise EngineError(
                f"REVIEW: none of the {len(taught)} corrected {kind.images} shows a {kind.line}, "
                f"so there is nothing to learn its place from. Correct at least one {kind.image} "
                f"with a {kind.line}."
            )
        own = {weights.sha256 for weights in card.all_weights}
        unused = [scene for scene in taught if not own & set(scene.used_in)]
        new = beside_fronts(unused, taught)
        if not self.adapt and len(new) < self.least:
            idle = len(unused) - len(new)
            also = f"; beside {idle} more there is no corrected front" if idle else ""
            raise EngineError(
                f"LEAST: {len(new)} corrected {kind.images} are new to {card.name}, fewer than "
                f"{self.least}{also}. Correct more, or lower LEAST"
                f"{', or adapt the model to one glacier with ADAPT' if kind is FRONTS else ''}."
            )
        tested = [scene for scene in chosen if scene.audit and (scene.lines or kind is LAYERS)]
        if not self.adapt and not tested:
            shown = " that shows a front" if kind is FRONTS else ""
            raise EngineError(
                f"REVIEW: no {kind.image} of the random audit{shown} was reviewed, so nothing can "
                "decide whether the new model is better. Review the tasks of the strategy 'audit' "
                "first."
            )
        return taught

    def _places(
        self,
        taught: Sequence[CorrectedScene],
        tested: Sequence[CorrectedScene],
        known: Sequence[CorrectedScene],
        card: ModelCard,
        reporter: Reporter,
    ) -> list[CorrectedPlace]:
        """Read the scenes of every glacier.

        Raises:
            EngineError: No corrected scene with a front can be read.
        """
        places, unread = [], dict[str, str]()
        glaciers = list(dict.fromkeys(scene.glacier for scene in taught if scene.lines))
        for number, glacier in enumerate(glaciers):
            reporter.progress(0.05 * number / len(glaciers), "Reading the scenes")
            here = [scene for scene in (*taught, *tested) if scene.glacier == glacier]
            place, failed = read_place(facts_of(self.table, here, known, glacier), card, self.rock)
            for name, reason in failed.items():
                reporter.warning(f"{Path(name).name} is left out: {reason}")
            unread |= failed
            if not any(scene.lines for scene in taught if scene.scene in place.scenes):
                continue
            if self.rock and not place.rock.any():
                reporter.warning(
                    f"ROCK covers nothing around the fronts{f' of {glacier}' if glacier else ''}. "
                    "Check its position and its CRS."
                )

            def read(scenes: Sequence[CorrectedScene], there: Sequence[str]) -> dict[str, bool]:
                return {scene.scene: scene.complete for scene in scenes if scene.scene in there}

            there = [*place.scenes]
            places.append(CorrectedPlace(place, read(taught, there), read(tested, there)))
            if self.adapt and (far := places[-1].untold):
                reporter.warning(
                    f"No scene within a year of {listed(far)} was corrected. Where the front was "
                    "then, the model does not learn: correct such a scene too."
                )
        if not places:
            raise EngineError(
                "REVIEW: no corrected scene that shows a front can be read. Put the scenes back, "
                f"or correct others. The first is left out because: {next(iter(unread.values()))}"
            )
        used = unread.keys() | {name for each in places for name in each.complete}
        every = [*taught, *tested]
        if lost := [Path(scene.scene).name for scene in every if scene.scene not in used]:
            reporter.warning(
                f"{len(lost)} of {len(every)} corrected scenes are left out, as no scene of the "
                f"same glacier that shows a front is trained on: {listed(lost)}. Correct such a "
                "scene, or fill in the field 'glacier' of their tasks where it is wrong or blank."
            )
        return places

    def _identity(
        self, before: ModelCard, chosen: Sequence[CorrectedScene]
    ) -> dict[str, JsonValue]:
        """Return what makes a stopped training the same one."""
        idle = {"review", "model", "output", "report", "device", "least", "restore"}
        asked: dict[str, JsonValue] = self.model_dump(mode="json", exclude=idle)
        asked["model"] = before.weights.sha256
        asked[RECIPE] = (
            "fronts: both networks, again on what they agree on, longer with more scenes"
        )
        asked["rock"] = [asked["rock"], content_of(self.rock) if self.rock else ""]
        asked["dataset"] = Dataset.open(self.dataset).card.complete if self.dataset else ""
        asked["corrections"] = [
            [
                *(scene.scene, scene.scene_hash, scene.glacier, scene.audit, scene.complete),
                scene.date.isoformat() if scene.date else "",
                *(line.wkt for line in scene.lines),
            ]
            for scene in chosen
        ]
        return asked

    def _pace(self, waiting: UnfinishedTraining) -> Pace:
        minutes = self.minutes or (ADAPTING_MINUTES if self.adapt else FURTHER_MINUTES)
        return Pace(FURTHER_STEPS, minutes, self.seed, choose_device(self.device), waiting)

    def _bring_back(self, staged: Path, reporter: Reporter, outputs: Outputs) -> Result:
        """Write the package of the model before the one in use, and make it the one in use."""
        before = model_before(self.table)
        card = pack(package_of(before.model), staged)
        if card.weights.sha256 != before.model_hash:
            raise EngineError(
                f"RESTORE: {before.model} holds other weights than those of the model before "
                f"({before.model_hash[:12]}…). Put that package back, or choose it as MODEL."
            )
        outputs.afterwards(lambda: bring_back(self.table, before))
        reporter.log(f"{card.name} {card.version} is in use again.")
        return {
            "OUTPUT": str(self.output),
            "REPORT": None,
            "SCENES": 0,
            "TESTED": 0,
            "PROMOTED": True,
            "ERROR_BEFORE": None,
            "ERROR_AFTER": None,
        }
