"""Second pass over a series: lines from each scene's rasters, flags, and the table of scenes."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from pyproj import CRS
from shapely import Polygon, box

from glacier_qgis.models.engine.events import JsonValue, Reporter, Stage
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.fronts.series.first_pass import SegmentedScene
from glacier_qgis.models.fronts.series.screening import (
    DatedFronts,
    find_outliers,
)
from glacier_qgis.models.fronts.series.task import PROBABILITY, ZONES
from glacier_qgis.models.fronts.termini.attributes import stated_source, terminus_frame
from glacier_qgis.models.fronts.termini.extract import Segmented, extract_termini
from glacier_qgis.models.fronts.termini.in_words import lines_in_words
from glacier_qgis.models.fronts.termini.options import Extraction, terminus_options
from glacier_qgis.models.fronts.termini.whereabouts import Whereabouts
from glacier_qgis.models.raster.grid import Grid

SUMMARY_COLUMNS = {
    "image_id": "str",
    "path": "str",
    "date": "datetime64[ms]",
    "status": "str",
    "reason": "str",
    "lines": "int32",
    "length_m": "float64",
    "confidence": "float64",
    "uncertainty_m": "float64",
    "flags": "str",
}
"""Name and type of each field of the table of scenes. `status` is "ok", "no front", "failed" or
"duplicate"; confidence and uncertainty are means over the lines."""


@dataclass(frozen=True)
class TracedScene:
    """A scene after the second pass.

    Attributes:
        segmented: The scene after the first pass.
        grid: Its grid; None if it failed.
        lines: With attributes; empty if it failed.
        reason: Why it has no line; empty if it has one.
    """

    segmented: SegmentedScene
    grid: Grid | None
    lines: gpd.GeoDataFrame
    reason: str


def trace_scenes(
    scenes: Sequence[SegmentedScene],
    options: Extraction,
    fjord: Sequence[Polygon] | None,
    reporter: Reporter,
) -> list[TracedScene]:
    """Trace the fronts of every segmented scene.

    Args:
        scenes: After the first pass.
        options: Criteria for lines, and their attributes.
        fjord: What lines must lie in, in the CRS of the series; None for everywhere.
        reporter: Receives the result of every scene.
    """
    traced = []
    kept = terminus_options(options, fjord)
    for number, scene in enumerate(scenes):
        doing = f"Tracing the fronts: {number + 1} of {len(scenes)}"
        stage = Stage(reporter, number / len(scenes), (number + 1) / len(scenes), doing)
        if scene.folder is None:
            traced.append(TracedScene(scene, None, gpd.GeoDataFrame(), scene.outcome.reason))
            continue
        with ExitStack() as stack:
            zones = stack.enter_context(rasterio.open(scene.folder / ZONES))
            probability = stack.enter_context(rasterio.open(scene.folder / PROBABILITY))
            grid = Grid(CRS.from_wkt(zones.crs.to_wkt()), zones.transform, *zones.shape)
            known = scene.card.calibration, Whereabouts.of(scene.card.provenance)
            segmented = Segmented(grid, zones, probability, *known)
            fronts = extract_termini(segmented, kept, stage)
        path, date = scene.scene.source.path, scene.scene.date
        source = stated_source(options, path, date, scene.card.provenance)
        lines = terminus_frame(fronts.termini, source, grid.crs)
        lines["date"] = pd.Series(
            _timestamp(scene.scene.date), index=lines.index, dtype="datetime64[ms]"
        )
        reason = fronts.absence.sentence if fronts.absence else ""
        reporter.log(f"{Path(scene.scene.source.shown).name}: {lines_in_words(lines).lower()}.")
        traced.append(TracedScene(scene, grid, lines, reason))
    return traced


@dataclass(frozen=True)
class ScreenedScene:
    """A scene after screening.

    Attributes:
        traced: The scene before screening.
        lines: With `duplicate` and `outlier`, 0 or 1; None if it failed.
        duplicate: Whether it is the same observation as another scene.
    """

    traced: TracedScene
    lines: gpd.GeoDataFrame | None
    duplicate: bool


def screen_scenes(scenes: Sequence[TracedScene], reporter: Reporter) -> list[ScreenedScene]:
    """Flag duplicates and lines that are inconsistent with neighbouring dates.

    Args:
        scenes: After the second pass, in order of time.
        reporter: Receives warnings of flagged lines.
    """
    screened = {}
    whole = [(scene, scene.grid, scene.lines) for scene in scenes if scene.grid is not None]
    observations = [
        DatedFronts(
            date=scene.segmented.scene.date,
            extent=box(*grid.bounds),
            lines=list(lines.geometry),
        )
        for scene, grid, lines in whole
    ]
    duplicates = [scene.segmented.duplicate for scene, *_ in whole]
    cell_size = max((grid.cell_size for _, grid, _ in whole), default=0.0)
    outliers = find_outliers(observations, duplicates, cell_size)
    for (scene, _, lines), twice, wrong in zip(whole, duplicates, outliers, strict=True):
        flagged = lines.assign(duplicate=np.int32(twice), outlier=wrong.astype(np.int32))
        screened[id(scene)] = ScreenedScene(scene, flagged, twice)
    again = [
        Path(scene.segmented.scene.source.path).name
        for (scene, *_), twice in zip(whole, duplicates, strict=True)
        if twice
    ]
    if again:
        reporter.warning(
            f"{len(again)} of {len(scenes)} scenes duplicate another one (the same pixels, or the "
            f"same day and place): {listed(again)}. Their lines are not used for the consistency "
            "checks and have 'duplicate' = 1."
        )
    count = sum(int(wrong.sum()) for wrong in outliers)
    if count:
        reporter.warning(
            f"{count} lines are inconsistent with neighbouring dates and have 'outlier' = 1. Check "
            "them before use."
        )
    return [screened.get(id(scene)) or ScreenedScene(scene, None, False) for scene in scenes]


def summary_table(scenes: Sequence[ScreenedScene]) -> pd.DataFrame:
    """Return the table of scenes, `SUMMARY_COLUMNS`."""
    rows = [_row(scene) for scene in scenes]
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS)).astype(SUMMARY_COLUMNS)


def dated_scenes(scenes: Sequence[ScreenedScene]) -> list[JsonValue]:
    """Return path and ISO date of each scene that was used and has a date, in order of time."""
    used = [scene.traced.segmented.scene for scene in scenes if scene.lines is not None]
    return [
        {"path": scene.source.path, "date": scene.date.isoformat()} for scene in used if scene.date
    ]


def _timestamp(date: datetime.date | None) -> object:
    return pd.Timestamp(date) if date else pd.NaT


def _row(scene: ScreenedScene) -> dict[str, object]:
    entry, lines = scene.traced.segmented.scene, scene.lines
    row: dict[str, object] = {
        "image_id": entry.image_id,
        "path": entry.source.path,
        "date": _timestamp(entry.date),
        "status": "failed",
        "reason": scene.traced.reason,
        "lines": 0,
        "length_m": 0.0,
        "flags": "" if entry.date else "undated",
    }
    if lines is None:
        return row
    flags = [str(row["flags"])] if row["flags"] else []
    if scene.duplicate:
        flags.append("duplicate")
    if lines["outlier"].any():
        flags.append("outlier")
    shown = "ok" if len(lines) else "no front"
    return row | {
        "status": "duplicate" if scene.duplicate else shown,
        "lines": len(lines),
        "length_m": lines["length_m"].sum(),
        "confidence": lines["confidence"].mean(),
        "uncertainty_m": lines["uncertainty_m"].mean(),
        "flags": ", ".join(flags),
    }
