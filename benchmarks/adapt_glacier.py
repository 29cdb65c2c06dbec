"""Accuracy of models that were adapted to a glacier, by the number of scenes that were corrected.

    build/engine/bin/python benchmarks/adapt_glacier.py --data DATA --runs build/training

Each radar glacier of CaFFe is held out from the training of its two networks, which are those of
`front_accuracy.py` (`RUNS/unet_GLACIER_3` and `RUNS/series_GLACIER_3`; `--suffix` names others).
Then some of its scenes count as corrected, chosen by the order of the review's queue or at random,
both networks are adapted to them as `retrain` does with ADAPT, and the series is delineated again
by `terminustimeseries`. No scene is set aside for an audit, so nothing judges the model but this.
The error is pooled over all scenes that were not corrected, in the box and
over the whole scene; beside it, that of the network for single scenes on every fourth of them
(`alone_...`). Rock is what is labelled rock in nine of ten scenes. `--scenes` takes fewer
scenes of each glacier, evenly spread over time.

`--jobs` cases are computed at the same time, the ranked ones with rock first; `--device gpu` lets
them share a graphics card. The lines of the model before are kept in RUNS, and rows in
RUNS/adapted.jsonl as they are finished; what is there is not computed again. After `--limit`
minutes what is not finished is left out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from traceback import format_exception

import geopandas as gpd
import numpy as np
import torch
from held_out_glacier import World, ask_for_base, base, some_scenes

from glacier_qgis.models.compute.device import choose_device
from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.package.card import TrainingData
from glacier_qgis.models.package.folder import load_package, read_card
from glacier_qgis.models.package.registry import find_model
from glacier_qgis.models.review.retraining.learning import (
    ADAPTING_MINUTES,
    Pace,
    rate_of,
    steps_to_adapt,
)
from glacier_qgis.models.review.retraining.material import Aim
from glacier_qgis.models.review.retraining.package import (
    adapted_to,
    retrained_card,
    write_package,
)
from glacier_qgis.models.review.retraining.places import read_place
from glacier_qgis.models.review.retraining.retrain import retrain
from glacier_qgis.models.review.retraining.taught import CorrectedPlace
from glacier_qgis.models.training.delivered.evaluate import ImageDistances, pooled_values

LABELS = (0, 1, 3, 5, 10)
RANKED, RANDOM = "ranked", "random"

Row = dict[str, object]
Values = dict[str, float | int]
Lines = gpd.GeoDataFrame
Distances = dict[str, ImageDistances]
ALONE = "alone_"
"""Begins the names of what `delineatetermini` finds, without the other scenes."""


@dataclass(frozen=True)
class Case:
    """One model that is adapted.

    Attributes:
        glacier: To what.
        rock: Whether rock is known.
        order: In which order scenes are corrected, `RANKED` or `RANDOM`.
        draw: Of the random order.
        labels: Number of corrected scenes.
    """

    glacier: str
    rock: bool
    order: str
    draw: int
    labels: int

    @property
    def turn(self) -> tuple[bool, bool, int, int]:
        """Orders cases, the one that is computed first being the least."""
        return self.order == RANDOM, not self.rock, self.draw, -self.labels

    def row(self, given: argparse.Namespace) -> Row:
        """Return the columns that name its row."""
        return {**vars(self), "scenes": given.scenes, "steps": self.steps(given)}

    def steps(self, given: argparse.Namespace) -> int:
        """Return the steps of each training."""
        return int(given.steps) or steps_to_adapt(self.labels)


@dataclass(frozen=True)
class Start:
    """A glacier before any correction.

    Attributes:
        world: Its scenes.
        package: The model that was trained without it.
    """

    world: World
    package: Path


def start_of(glacier: str, folder: Path, given: argparse.Namespace) -> Start:
    """Write the scenes of a glacier, and the model."""
    world = World.write(folder / glacier, some_scenes(given.data, glacier, given.scenes))
    return Start(world, base(glacier, given.runs, given.suffix, folder / f"without_{glacier}"))


def before(
    start: Start, given: argparse.Namespace, *, rock: bool
) -> tuple[Lines, Distances, Distances]:
    """Return the lines of the model before, and the distances from the digitised fronts.

    The second ones are those of single scenes.
    """
    world, card = start.world, read_card(start.package)
    about = [*(weights.sha256[:12] for weights in card.all_weights), str(len(world.scenes))]
    found = []
    for kind, delineate in (("before", world.series), ("before-alone", world.alone)):
        kept = given.runs / f"{kind}-{'-'.join(about)}{'-rock' if rock else ''}.gpkg"
        if not kept.is_file():
            delineate(start.package, rock=rock, device=given.device).to_file(kept)
        found.append(gpd.read_file(kept))
    series, alone = found
    return series, world.distances(series), alone_of(world, world.distances(alone))


def alone_of(world: World, distances: Distances) -> Distances:
    """Return the distances of the scenes that were delineated alone."""
    return {name: each for name, each in distances.items() if name in world.some}


def after(start: Start, case: Case, corrected: set[str], given: argparse.Namespace) -> Row:
    """Adapt the model; return the error after it and how long it took."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="adapted-") as name:
        package, stop = adapt(start, case, corrected, Path(name), given)
        minutes = (time.monotonic() - begun) / 60
        world, device = start.world, given.device
        lines = world.series(package, rock=case.rock, device=device)
        alone = world.alone(package, rock=case.rock, device=device)
    return {
        "stop": stop,
        "minutes": round(minutes, 1),
        "minutes_in_all": round((time.monotonic() - begun) / 60, 1),
        **errors(
            world.distances(lines, corrected), alone_of(world, world.distances(alone, corrected))
        ),
    }


def errors(series: Distances, alone: Distances) -> Values:
    """Return the columns of errors: of the series, and of single scenes."""
    single = pooled_values([*alone.values()])
    return {
        **pooled_values([*series.values()]),
        **{f"{ALONE}{key}": value for key, value in single.items()},
    }


def adapt(
    start: Start, case: Case, corrected: set[str], folder: Path, given: argparse.Namespace
) -> tuple[Path, str]:
    """Return the package of a model adapted to corrected scenes, and how long it was trained."""
    world, model = start.world, load_package(start.package)
    source = RasterInput(path=str(world.rock)) if case.rock else None
    place, _ = read_place(world.facts(corrected), model.card, source)
    there = CorrectedPlace(place, dict.fromkeys(corrected, True), {})
    aim = Aim.of(len(corrected), adapt=True, replayed=False)
    pace = Pace(case.steps(given), given.minutes, 1, choose_device(given.device), rate=rate_of(aim))
    result = retrain(model, [there], [], pace, Silent(), rock=case.rock, aim=aim)
    trained_on = TrainingData(
        dataset="corrections",
        credit="",
        licence="",
        doi="",
        groups=[place.glacier],
        images=len(corrected),
        first_date="",
        last_date="",
    )
    adapted = adapted_to(place.glacier, [], place.grid, model.card.weights.sha256)
    card = retrained_card(model.card, "adapted", result, trained_on, "", [], adapted)
    path = folder / "adapted.zip"
    write_package(card, result, path, model.card.weights.sha256)
    return find_model(str(path)), f"{result.stop.done:.0%}"


Work = tuple[Callable[..., object], tuple[object, ...], dict[str, object]]


class Table:
    """What is to be computed, and what is known of it so far."""

    def __init__(self, cases: Sequence[Case], given: argparse.Namespace, folder: Path) -> None:
        self._cases = sorted(cases, key=lambda case: case.turn)
        self._given, self._folder = given, folder
        self._starts: dict[str, Start] = {}
        self._before: dict[tuple[str, bool], tuple[Lines, Distances, Distances]] = {}
        self._rows: list[tuple[Case, set[str], Row]] = []
        self._asked: set[object] = set()

    def next(self) -> tuple[object, Work] | None:
        """Return the most urgent piece of work that can be done now, and by what it is known."""
        for name in dict.fromkeys(case.glacier for case in self._cases):
            if name not in self._asked:
                return self._ask(name, (start_of, (name, self._folder, self._given), {}))
        needed = {(case.glacier, rock) for case in self._cases for rock in {False, case.rock}}
        for key in sorted(needed, key=lambda key: key[1]):
            if key[0] in self._starts and key not in self._asked:
                work = before, (self._starts[key[0]], self._given), {"rock": key[1]}
                return self._ask(key, work)
        for case in self._cases:
            if case.labels and case not in self._asked:
                if not (names := self._corrected(case)):
                    return None  # a less urgent one would take its place
                work = after, (self._starts[case.glacier], case, names, self._given), {}
                return self._ask(case, work)
        return None

    def _ask(self, key: object, work: Work) -> tuple[object, Work]:
        self._asked.add(key)
        return key, work

    def take(self, key: object, result: object) -> Iterator[tuple[Case, Row]]:
        """Take what a piece of work gave; yield the rows that are complete now."""
        if isinstance(key, str):
            self._starts[key] = result  # type: ignore[assignment]
        elif isinstance(key, Case):
            self._rows.append((key, self._corrected(key), result))  # type: ignore[arg-type]
        else:
            self._before[key] = result  # type: ignore[assignment, index]
            glacier, rock = key  # type: ignore[misc]
            alike = [case for case in self._cases if (case.glacier, case.rock) == (glacier, rock)]
            self._rows += [(case, set(), {}) for case in alike if not case.labels]
        for place in reversed(range(len(self._rows))):
            case, corrected, row = self._rows[place]
            if known := self._before.get((case.glacier, case.rock)):
                del self._rows[place]
                yield case, {**case.row(self._given), **_beside(known[1:], corrected), **row}

    def _corrected(self, case: Case) -> set[str]:
        """Return the scenes that count as corrected; none if they are not known yet."""
        if case.glacier not in self._starts:
            return set()
        world, first = self._starts[case.glacier].world, self._before.get((case.glacier, False))
        if case.order == RANDOM:
            return set(world.at_random(case.draw)[: case.labels])
        return set(world.ranked(first[0])[: case.labels]) if first else set()


def _beside(known: Sequence[Distances], corrected: set[str]) -> Row:
    """Return the error of the model before on the scenes that were not corrected.

    It is also that of a row without corrections.
    """
    series, alone = (
        {name: each for name, each in distances.items() if name not in corrected}
        for distances in known
    )
    values = errors(series, alone)
    same = {f"same_{key}": value for key, value in values.items() if "mde" in key}
    return {"stop": "", **values, **same}


def rows_kept(path: Path) -> list[Row]:
    """Return the rows of earlier runs."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def compute(table: Table, given: argparse.Namespace) -> Iterator[tuple[Case, Row]]:
    """Yield rows as they are finished, until all are or the time is over."""
    ends = time.monotonic() + 60 * given.limit
    spawn = multiprocessing.get_context("spawn")
    threads = 1 if given.jobs > 1 else torch.get_num_threads()
    pool = ProcessPoolExecutor(given.jobs, spawn, torch.set_num_threads, (threads,))
    running: dict[Future[object], object] = {}
    try:
        while True:
            while len(running) < given.jobs and (found := table.next()):
                key, (work, about, more) = found
                running[pool.submit(work, *about, **more)] = key
            if not running:
                return
            done, _ = wait(running, max(0.0, ends - time.monotonic()), FIRST_COMPLETED)
            if not done:
                sys.stderr.write(f"{len(running)} pieces of work were stopped by --limit\n")
                return
            for future in done:
                key = running.pop(future)
                if error := future.exception():
                    sys.stderr.write(f"{key} failed: {''.join(format_exception(error))}\n")
                else:
                    yield from table.take(key, future.result())
    finally:
        for process in multiprocessing.active_children() if running else []:
            process.terminate()
        pool.shutdown(cancel_futures=True)


def sentence(row: Row) -> str:
    """Return a line about a row."""
    return (
        f"{row['glacier']:6} rock {row['rock']} {row['order']} {row['draw']}: "
        f"{row['labels']:2} corrected, {row['mde_box_m']} m in the box "
        f"(before {row['same_mde_box_m']}), {row['mde_scene_m']} m over the scene "
        f"(before {row['same_mde_scene_m']}), {row['missed_box']} of {row['images']} "
        f"missed, alone {row['alone_mde_box_m']} m (before {row['same_alone_mde_box_m']}), "
        f"{row.get('minutes', 0)} min, stop {row['stop']}\n"
    )


def summary(rows: Sequence[Row], given: argparse.Namespace) -> str:
    """Return a table: the error in the box by the number of corrected scenes, mean of all draws."""
    found: dict[tuple[object, ...], list[float]] = {}
    for row in rows:
        steps = given.steps or steps_to_adapt(int(str(row["labels"])))
        if (row["scenes"], row["steps"]) == (given.scenes, steps):
            key = row["glacier"], row["rock"], row["order"], row["labels"]
            found.setdefault(key, []).append(float(str(row["mde_box_m"])))
    text = f"| glacier | rock | order | {' | '.join(map(str, LABELS))} |\n"
    text += "|---" * (3 + len(LABELS)) + "|\n"
    for glacier, rock, order in sorted({key[:3] for key in found}, key=str):
        cells = [found.get((glacier, rock, order, labels), []) for labels in LABELS]
        shown = [f"{np.mean(cell):.0f}" if cell else "" for cell in cells]
        text += f"| {glacier} | {'yes' if rock else 'no'} | {order} | {' | '.join(shown)} |\n"
    return text


def main() -> None:
    """Print a row per adapted model; keep all numbers as JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    ask_for_base(parser)
    parser.add_argument("--labels", nargs="+", type=int, default=LABELS)
    parser.add_argument("--orders", nargs="+", choices=(RANKED, RANDOM), default=[RANKED])
    parser.add_argument("--draws", type=int, default=3, help="of the random order")
    parser.add_argument("--rock", nargs="+", type=int, choices=(0, 1), default=[0, 1])
    parser.add_argument("--scenes", type=int, default=0, help="of each glacier; 0 = all")
    parser.add_argument("--steps", type=int, default=0, help="of each training; 0 = as `retrain`")
    parser.add_argument("--minutes", type=float, default=ADAPTING_MINUTES)
    parser.add_argument("--device", choices=("automatic", "cpu", "gpu"), default="cpu")
    parser.add_argument("--jobs", type=int, default=1, help="cases at the same time")
    parser.add_argument("--limit", type=float, default=10_000.0, help="minutes for all of it")
    parser.add_argument("--table", type=Path, help="where rows are kept; RUNS/adapted.jsonl")
    given = parser.parse_args()
    given.data = Path(given.data)
    kept = given.table or given.runs / "adapted.jsonl"
    orders = [(RANKED, 0)] * (RANKED in given.orders)
    orders += [(RANDOM, draw) for draw in range(given.draws) if RANDOM in given.orders]
    there = [*rows_kept(kept)]
    cases = [
        case
        for glacier, rock, (order, draw), labels in itertools.product(
            given.glaciers, map(bool, given.rock), orders, given.labels
        )
        for case in [Case(glacier, rock, order, draw, labels)]
        if not any(case.row(given).items() <= row.items() for row in there)
    ]
    with tempfile.TemporaryDirectory(prefix="adapt-") as name:
        for _, row in compute(Table(cases, given, Path(name)), given):
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            sys.stdout.write(sentence(row))
            sys.stdout.flush()
    sys.stdout.write(summary(rows_kept(kept), given))


if __name__ == "__main__":
    main()
