"""A review of synthetic scenes of a calving glacier, in which fronts were corrected."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from shapely import LineString, box
from shapely.ops import substring

from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.review.tables.corrected import text_of
from glacier_qgis.models.review.tables.store import append, create_review, transaction
from glacier_qgis.wall.fingerprint import fingerprint
from glacier_qgis.wall.review import AUDIT, CORRECTED, CORRECTIONS, MODELS, RANKED, TASKS

CELL, SIZE = 60.0, 96


@dataclass(frozen=True)
class ReviewedScene:
    """A scene, and what was said of it.

    Attributes:
        month: Of its date, from 1; the front retreats by 100 m every month.
        status: Of its correction; blank for none.
        audit: Whether it was drawn by chance.
        shift: Of the corrected front from the true one, m.
        share: Of the front that was drawn, from its start.
        reverse: Whether it was drawn the other way round.
        size: Cells per side.
        blank: Whether no pixel of it is valid.
        dated: Whether the review knows its date.
        melange: Share of the water near the front that is covered by floating ice.
    """

    month: int
    status: str = CORRECTED
    audit: bool = False
    shift: float = 0.0
    share: float = 1.0
    reverse: bool = False
    glacier: str = "Practice"
    size: int = SIZE
    blank: bool = False
    dated: bool = True
    melange: float = 0.3
    scene: SyntheticScene = field(init=False)

    def __post_init__(self) -> None:
        retreat = 100.0 * self.month
        made = SyntheticScene(
            size=self.size,
            cell_size=CELL,
            retreat=retreat,
            overflight=self.month,
            melange=self.melange,
        )
        object.__setattr__(self, "scene", made)

    @property
    def date(self) -> datetime.date:
        return datetime.date(2018 + self.month // 12, self.month % 12 + 1, 14)

    @property
    def front(self) -> LineString:
        drawn = substring(self.scene.front, 0, self.share, normalized=True)
        line = LineString([(x + self.shift, y) for x, y in drawn.coords])
        return line.reverse() if self.reverse else line


def write_review(
    folder: Path, scenes: Sequence[ReviewedScene], model: str = "", model_hash: str = ""
) -> Path:
    """Write the scenes and the review; return its path."""
    path = folder / "review.gpkg"
    paths = [
        folder / f"{each.glacier}_{each.date:%Y%m%d}_{place}.tif"
        for place, each in enumerate(scenes)
    ]
    for each, target in zip(scenes, paths, strict=True):
        each.scene.write(target)
        if each.blank:
            with rasterio.open(target, "r+") as raster:
                raster.write(np.zeros_like(raster.read()))
                raster.nodata = 0
    crs = scenes[0].scene.grid.crs
    strategies = [AUDIT if each.audit else RANKED for each in scenes]
    tasks = pd.DataFrame(
        {
            "task": range(1, len(scenes) + 1),
            "rank": range(1, len(scenes) + 1),
            "status": [each.status or "open" for each in scenes],
            "strategy": strategies,
            "complete": True,
            "glacier": [each.glacier for each in scenes],
            "date": pd.to_datetime([each.date if each.dated else None for each in scenes]),
            "scene": [str(each) for each in paths],
            "cell_size_m": CELL,
        }
    )
    outlines = [box(*each.scene.grid.bounds) for each in scenes]
    made = pd.DataFrame({"model": [model], "model_hash": [model_hash], "kind": ["predicted"]})
    create_review(path, {TASKS: gpd.GeoDataFrame(tasks, geometry=outlines, crs=crs), MODELS: made})
    rows = [
        {
            "task": number,
            "number": 1,
            "status": each.status,
            "strategy": strategies[number - 1],
            "complete": 1,
            "before": "",
            "after": text_of([each.front] if each.status == CORRECTED else []),
            "scene": str(paths[number - 1]),
            "scene_hash": fingerprint(paths[number - 1]),
            "model": model,
            "model_hash": model_hash,
        }
        for number, each in enumerate(scenes, 1)
        if each.status
    ]
    with transaction(path) as connection:
        append(connection, CORRECTIONS, rows)
    return path
