"""The job `inspecttrainingdata`: checks of a data set before training."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
from pydantic import Field

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.job import Destination, Job, Seed
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.report.page import HtmlPage
from glacier_qgis.models.training.data.card import PARTS
from glacier_qgis.models.training.data.dataset import Dataset, LabelledTile
from glacier_qgis.models.training.data.parts import missing_classes
from glacier_qgis.models.training.preparation.contact_sheet import LEGEND, draw_row, sample
from glacier_qgis.models.training.preparation.leakage import find_leakage
from glacier_qgis.models.training.preparation.missing import missing_fronts
from glacier_qgis.models.training.preparation.suspicious_tiles import (
    SuspiciousTile,
    SuspiciousTiles,
)
from glacier_qgis.models.zones.codes import GLACIER, OCEAN

LISTED = 100
"""Largest number of suspicious tiles in the table; the rest is counted."""


class InspectTrainingData(Job):
    """Check every file of a data set and show its statistics."""

    dataset: Path
    columns: int = Field(default=5, ge=1, le=20)
    seed: Seed = 1
    report: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """See the base class."""
        dataset = Dataset.open(self.dataset)
        findings = examine(dataset, reporter)
        for warning in findings.warnings:
            reporter.warning(warning)
        if self.report:
            page = self._page(dataset, findings)
            page.write(outputs.stage(self.report))
        return {
            "REPORT": str(self.report) if self.report else None,
            "TILES": len(dataset.entries),
            "WARNINGS": len(findings.warnings),
        }

    def _page(self, dataset: Dataset, findings: Findings) -> HtmlPage:
        card = dataset.card
        page = HtmlPage(
            f"Training data: {card.name}",
            f"{len(dataset.entries)} tiles of {card.tile_size} × {card.tile_size} cells of "
            f"{card.cell_size_m:g} m from {len(card.scenes)} scene(s), labelled by {card.labels}.",
        )
        for warning in findings.warnings:
            page.warning(warning)
        page.heading("Statistics")
        page.table(_parts(dataset), "Parts.")
        page.table(_balance(dataset), "Class balance: share of the valid labelled cells, in %.")
        page.table(_groups(dataset), "Groups.")
        page.heading("Examples")
        page.paragraph(f"A sample, drawn with the seed {self.seed}. {LEGEND}")
        self._draw(page, dataset, findings.sound)
        if findings.suspects:
            page.heading("Tiles to check")
            rest = len(findings.suspects) - LISTED
            page.table(
                [
                    {"Tile": s.tile, "Scene": s.scene, "Part": s.part, "Why": s.why}
                    for s in findings.suspects[:LISTED]
                ],
                f"Tiles that look wrong{f'; {rest} more are not listed' if rest > 0 else ''}.",
            )
        page.heading("Origin")
        page.facts(
            {
                "Folder": dataset.folder.name,
                "Prepared": f"{card.created}, {card.software}",
                "Bands": ", ".join(map(str, card.bands)),
                "Stride": f"{card.stride} cells",
                "SHA-256 of the index": card.complete,
                "Files checked": f"{2 * len(findings.sound)} of {2 * len(dataset.entries)} are "
                "unchanged",
            }
        )
        return page

    def _draw(self, page: HtmlPage, dataset: Dataset, sound: dict[str, LabelledTile]) -> None:
        random = np.random.default_rng(self.seed)
        rows = {} if dataset.card.of_echograms else {"fronts": [GLACIER, OCEAN]}
        rows |= {zone.name: [zone.value] for zone in dataset.card.classes}
        for part in PARTS:
            own = [entry for entry in dataset.entries if entry.part == part and entry.id in sound]
            for title, codes in rows.items():
                drawn = [sound[name] for name in sample(own, codes, self.columns, random)]
                if drawn:
                    names = ", ".join(f"{tile.name} ({tile.scene.name})" for tile in drawn)
                    page.image(draw_row(drawn, self.columns), f"{part}, {title}: {names}.")


class Findings:
    """Results of the checks.

    Attributes:
        warnings: Warnings about the data set.
        suspects: Tiles to check.
        sound: Ids of tiles with unchanged files.
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.suspects: list[SuspiciousTile] = []
        self.sound: dict[str, LabelledTile] = {}


def examine(dataset: Dataset, reporter: Reporter) -> Findings:
    """Read every tile of a data set, once."""
    findings = Findings()
    suspects = SuspiciousTiles(dataset.card)
    damaged: list[str] = []
    tiles = dataset.tiles()
    for number, tile in enumerate(tiles, 1):
        try:
            found = suspects.look(tile)
        except EngineError as error:
            damaged.append(str(error))
        else:
            findings.sound[tile.name] = tile
            if found:
                findings.suspects.append(found)
        reporter.progress(number / len(tiles), "Checking the tiles")
    pairs = list(suspects.together())
    findings.suspects += [suspect for suspect, _ in pairs]
    if damaged:
        findings.warnings.append(f"{len(damaged)} file(s) were changed. {damaged[0]}")
    findings.warnings += find_leakage(dataset.card, dataset.entries)
    fronts = not dataset.card.of_echograms
    leaks = sum(apart for _, apart in pairs)
    if leaks:
        findings.warnings.append(
            f"{leaks} pair(s) of tiles in different parts and groups show nearly the same image. "
            "Check whether their groups are the same glacier."
        )
    if wrong := len(findings.suspects) - leaks:
        findings.warnings.append(
            f"{wrong} tile(s) look wrong: empty, with few labels, or with labels that contradict "
            "another tile."
        )
    findings.warnings += [
        f"The {part} part lacks the class {' and '.join(lacking)}."
        for part in PARTS
        if fronts
        and dataset.card.statistics.tiles[part]
        and (lacking := missing_classes(dataset, part))
    ]
    findings.warnings += missing_fronts(dataset.card) if fronts else []
    findings.warnings += [
        f"There is no {part} part: {use}."
        for part, use in (
            ("validation", "a training has no criterion for stopping"),
            ("training", "there are no training data"),
        )
        if not any(entry.part == part for entry in dataset.entries)
    ]
    return findings


def _parts(dataset: Dataset) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for part in PARTS:
        own = [scene for scene in dataset.card.scenes if scene.part == part]
        dates = sorted(scene.date for scene in own if scene.date)
        rows.append(
            {
                "Part": part,
                "Tiles": dataset.card.statistics.tiles[part],
                "Scenes": len(own),
                "Groups": len({scene.group for scene in own}),
                "First date": dates[0] if dates else None,
                "Last date": dates[-1] if dates else None,
                "Front (km)": dataset.card.statistics.front_m[part] / 1000,
            }
        )
    return rows


def _balance(dataset: Dataset) -> list[dict[str, object]]:
    pixels = dataset.card.statistics.pixels
    return [
        {"Part": part, "Cells": total}
        | {name: 100 * count / total for name, count in pixels[part].items()}
        for part in PARTS
        if (total := sum(pixels[part].values()))
    ]


def _groups(dataset: Dataset) -> list[dict[str, object]]:
    tiles: dict[tuple[str, str], int] = defaultdict(int)
    scenes: dict[tuple[str, str], set[str]] = defaultdict(set)
    dates: dict[tuple[str, str], set[str]] = defaultdict(set)
    for entry in dataset.entries:
        key = entry.group, entry.part
        tiles[key] += 1
        scenes[key].add(entry.scene)
        dates[key].add(entry.date or "not known")
    return [
        {
            "Group": group,
            "Part": part,
            "Scenes": len(scenes[group, part]),
            "Tiles": tiles[group, part],
            "Dates": ", ".join(sorted(dates[group, part])),
        }
        for group, part in sorted(tiles)
    ]
