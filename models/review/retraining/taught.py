"""What the scenes of a place teach: labels by corrected fronts, and by networks that agree.

First the corrected scenes are labelled by their fronts and by the model before. Networks that are
adapted to the place then know more of it: where two of them are certain of the same zone, one
that sees a scene alone and one that sees the other dates beside it, it is a label, also in scenes
that nobody corrected (co-training; Blum & Mitchell 1998, doi:10.1145/279943.279962). What one of
them says alone is not: on a new glacier a network is often certain and wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
import torch
from shapely import LineString

from glacier_qgis.models.compute.arrays import Float32Array
from glacier_qgis.models.engine.events import Reporter, parts
from glacier_qgis.models.engine.units import SQUARE_KILOMETRE
from glacier_qgis.models.fronts.termini.whereabouts import in_degrees
from glacier_qgis.models.review.retraining.coast import Shown, coast_of, contact_of
from glacier_qgis.models.review.retraining.labels import (
    Prediction,
    carried_zones,
    leaning,
    undisputed,
    zones_around,
)
from glacier_qgis.models.review.retraining.material import Network
from glacier_qgis.models.review.retraining.places import Place
from glacier_qgis.models.review.retraining.samples import SceneInPlace
from glacier_qgis.models.review.retraining.sides import glacier_on_left
from glacier_qgis.models.training.data.samples import UNLABELLED, Labelled
from glacier_qgis.models.training.measuring.evaluator import Evaluator
from glacier_qgis.models.zones.codes import ROCK

LONG = timedelta(days=366)
"""More than a front's way through the seasons."""
SAME_ICE = 5
"""Scenes nearest in time to a corrected one that tell which side of its front is ice."""


@dataclass(frozen=True)
class CorrectedPlace:
    """A place with what was corrected there.

    Attributes:
        place: Its scenes.
        corrected: Scenes to train on, by name: whether all of their fronts are labelled.
        test: Corrected scenes of the frozen test, which are never trained on.
    """

    place: Place
    corrected: Mapping[str, bool]
    test: Mapping[str, bool]

    @property
    def complete(self) -> dict[str, bool]:
        """Whether all fronts are labelled, of every corrected scene."""
        return {**self.corrected, **self.test}

    @property
    def untold(self) -> list[str]:
        """Dates of scenes long before the first corrected one, and long after the last.

        Where the front was then, nobody said. At most two, the farthest.
        """
        scenes = self.place.scenes
        known = sorted(day for name in self.corrected if (day := scenes[name].day) is not None)
        days = {day: name for name in scenes if (day := scenes[name].day) is not None}
        if not known:
            return []
        first, last = min(days), max(days)
        far = [first] * (known[0] - first > LONG) + [last] * (last - known[-1] > LONG)
        return [scenes[days[day]].date for day in far]

    @property
    def uncorrected(self) -> set[str]:
        """The scenes that nobody corrected."""
        return set(self.place.scenes) - self.complete.keys()


@dataclass(frozen=True)
class TaughtPlace:
    """A place with the labels of its scenes.

    Attributes:
        of: The place.
        fronts: Of every corrected scene, with the glacier on their left.
        scenes: All scenes, with labels.
    """

    of: CorrectedPlace
    fronts: Mapping[str, Sequence[LineString]]
    scenes: Sequence[SceneInPlace]

    @classmethod
    def by_fronts(
        cls, of: CorrectedPlace, network: Network, device: torch.device, reporter: Reporter
    ) -> Self:
        """Label the corrected scenes by their fronts; `network` is that of the model before."""
        place, seen = of.place, dict[str, Prediction]()
        near = {name: place.nearest(name, SAME_ICE) for name in of.complete}
        ice = {name: np.zeros(place.grid.shape, np.float32) for name in near}
        shown = {*chain(*near.values())}
        for name, probabilities in _predicted(place, network, device, reporter, shown):
            lean = leaning(probabilities)
            for each in (each for each, names in near.items() if name in names):
                ice[each] += lean / len(near[each])
            if name in of.complete:
                seen[name] = Prediction.of(probabilities)
        fronts = {
            name: glacier_on_left(place.scenes[name].lines, ice[name], place.rock, place.grid)
            for name in of.complete
        }
        return cls(of, fronts, [*place.scenes.values()])._labelled(seen)

    def certain(
        self, networks: Sequence[Network], device: torch.device, reporter: Reporter
    ) -> dict[str, Prediction]:
        """Return what all networks are certain of, by scene that all of them see.

        There is no test-time augmentation.
        """
        first, *others = [
            {
                name: Prediction.of(probabilities)
                for name, probabilities in _predicted(
                    self.of.place, network, device, stage, augment=False
                )
            }
            for network, stage in zip(networks, parts(reporter, len(networks)), strict=True)
        ]
        for seen in others:
            first = {name: each.agreed(seen[name]) for name, each in first.items() if name in seen}
        return first

    def by_agreement(
        self,
        networks: Sequence[Network],
        before: Mapping[str, Prediction],
        device: torch.device,
        reporter: Reporter,
    ) -> Self:
        """Label the scenes by what networks that are adapted to the place agree on.

        A scene that one of them does not see keeps its labels. Where a front lies behind all
        corrected ones, these networks can be certain of ice that they saw there on every corrected
        date. So in a scene that nobody corrected there is no label where the model `before` is
        certain of the other of ice and water.
        """
        agreed, rock = self.certain(networks, device, reporter), self.of.place.rock
        others = {
            name: np.where(rock & seen.valid, ROCK, undisputed(seen.certain, before[name])).astype(
                np.uint8
            )
            for name, seen in agreed.items()
        }
        scenes = [scene.labelled(others.get(scene.name, scene.zones)) for scene in self.scenes]
        return replace(self, scenes=scenes)._labelled(agreed)

    def carried(self, without: frozenset[str] = frozenset(), rest: int = UNLABELLED) -> Self:
        """Label the scenes that nobody corrected by those that were.

        Args:
            without: Corrected scenes that tell nothing.
            rest: The label of what the others do not tell.
        """
        names, place = self.of.corrected.keys() - without, self.of.place
        known = [scene.zones for scene in self.scenes if scene.name in names]
        if not known:
            return self
        zones = carried_zones(known, place.rock, place.grid)
        zones = np.where(zones == UNLABELLED, rest, zones)
        scenes = [
            scene.labelled(np.where(scene.valid > 0, zones, UNLABELLED).astype(np.uint8))
            if scene.name in self.of.uncorrected
            else scene
            for scene in self.scenes
        ]
        return replace(self, scenes=scenes)

    def coast(self, network: Network, device: torch.device, reporter: Reporter) -> str:
        """Return where a network that is adapted to the place sees fronts that nobody drew.

        See `coast_of`; as in `ModelCard`.
        """
        place = self.of.place
        whole = [name for name, complete in self.of.corrected.items() if complete]
        seen = _predicted(place, network, device, reporter, whole, "Looking for the coast")
        shown = [
            Shown(contact_of(probabilities), place.scenes[name].lines)
            for name, probabilities in seen
        ]
        coast = coast_of(shown, place.grid)
        if not coast.is_empty:
            reporter.log(
                f"Where ice meets water, the network for {network.title} draws no front in "
                f"{len(coast.geoms)} place(s), {coast.area / SQUARE_KILOMETRE:.1f} km² in all: "
                "in several corrected scenes, nobody drew one there."
            )
        return in_degrees(coast, place.grid.crs)

    def samples(self, network: Network, names: Collection[str]) -> list[Labelled]:
        """Return some of the scenes as a network sees them."""
        seen = _as_seen(self.scenes, self.of.place, network)
        return [sample for sample in seen if sample.name in names]

    def _labelled(self, seen: Mapping[str, Prediction]) -> Self:
        """Label the corrected scenes that were seen by their fronts, and by what was seen."""
        of, place = self.of, self.of.place
        zones = {
            name: zones_around(
                fronts, seen[name], place.rock, place.grid, complete=of.complete[name]
            )
            for name, fronts in self.fronts.items()
            if name in seen
        }
        scenes = [scene.labelled(zones.get(scene.name, scene.zones)) for scene in self.scenes]
        return replace(self, scenes=scenes)


def _as_seen(scenes: Sequence[SceneInPlace], place: Place, network: Network) -> list[Labelled]:
    rock = place.rock if network.rock else None
    return network.samples([replace(scene, rock=rock) for scene in scenes])


def _predicted(
    place: Place,
    network: Network,
    device: torch.device,
    reporter: Reporter,
    names: Collection[str] | None = None,
    doing: str = "Labelling the scenes",
    *,
    augment: bool = True,
) -> Iterator[tuple[str, Float32Array]]:
    """Yield the name of each scene that a network sees, and what it predicts there.

    `names` are those of the scenes to predict, None for all; `doing` is the message of progress,
    `augment` test-time augmentation, unless the network knows one place as it lies.
    """
    scenes = _as_seen([*place.scenes.values()], place, network)
    scenes = [scene for scene in scenes if names is None or scene.name in names]
    cell, oriented = place.grid.cell_size, network.oriented
    evaluator = Evaluator(network.built(), device, cell, augment=augment, oriented=oriented)
    answers = zip(scenes, evaluator.probabilities(scenes), strict=True)
    for number, (scene, probabilities) in enumerate(answers, 1):
        reporter.progress(number / len(scenes), f"{doing}: {Path(scene.name).name}")
        yield scene.name, probabilities
