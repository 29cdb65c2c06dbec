"""The job `preparereview`: a queue of scenes or echograms to look at, in a GeoPackage to edit."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import BeforeValidator, Field, model_validator
from pyproj import CRS

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.job import Job, RasterInput, Seed, VectorInput, blank_is_none
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.series.catalogue import find_rasters
from glacier_qgis.models.radar.echogram.coordinates import LOCAL_CRS
from glacier_qgis.models.review.queue.candidates import Candidate, candidates, places
from glacier_qgis.models.review.queue.files import check_files
from glacier_qgis.models.review.queue.ranking import Chosen, assigned, queue, scores
from glacier_qgis.models.review.queue.stretches import stretches
from glacier_qgis.models.review.queue.uncertainty import doubtful, uncertainties
from glacier_qgis.models.review.tables.kinds import FRONTS, kind_of
from glacier_qgis.models.review.tables.schema import MADE_THE_PREDICTIONS
from glacier_qgis.models.review.tables.store import create_review, now
from glacier_qgis.models.training.echograms.prepare import is_echogram
from glacier_qgis.models.vector.source import read_lines
from glacier_qgis.models.vector.texts import value_text
from glacier_qgis.wall.review import (
    AUDIT,
    LINE_PREDICTED,
    LINES,
    MODELS,
    OPEN,
    PREDICTED,
    SCENES,
    TASKS,
)

OptionalPath = Annotated[Path | None, BeforeValidator(blank_is_none), Field(default=None)]


class PrepareReview(Job):
    """Ranks predictions, and writes the review GeoPackage."""

    input: VectorInput
    scenes: tuple[RasterInput, ...] = ()
    folder: OptionalPath
    uncertainty: tuple[RasterInput, ...] = ()
    stretch: Annotated[int, Field(ge=0, le=1_000_000)] = 500
    count: Annotated[int, Field(ge=1, le=100_000)] = 100
    audit_share: Annotated[float, Field(ge=0, le=50)] = 15.0
    reviewers: str = ""
    seed: Seed = 0
    output: Path

    @model_validator(mode="after")
    def _has_scenes(self) -> PrepareReview:
        if bool(self.scenes) == bool(self.folder):
            both = "both are given" if self.scenes else "neither is given"
            raise ValueError(f"give either SCENES or FOLDER ({both})")
        return self

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Choose the scenes to look at, and write them with their lines."""
        staged = self._stage(outputs)
        found, uncertainty, crs = self._found(reporter)
        reporter.progress(0.5, "Ranking")
        score = scores(uncertainty, doubtful(found))
        days = [one.date.toordinal() if one.date else math.nan for one in found]
        where, share = places(found, crs), self.audit_share / 100
        chosen = queue(score, where, np.array(days), self.count, share, self.seed)
        reporter.progress(0.8, "Writing the review")
        create_review(staged, self._tables(found, chosen, score, crs))
        audited = sum(each.strategy == AUDIT for each in chosen)
        reporter.log(
            f"{len(chosen)} of {len(found)} {kind_of(crs).images} to review, {audited} of them "
            "drawn at random. In QGIS, the panel 'Review' leads through them (Plugins > Glacier)."
        )
        return {
            "OUTPUT": str(self.output),
            "TASKS": len(chosen),
            "AUDIT": audited,
            "SCENES": len(found),
            "ABOUT": {
                "SCENE": self.output.stem,
                "MODEL": ", ".join(sorted({one.stated("model") for one in found} - {""})),
            },
        }

    def _found(
        self, reporter: Reporter
    ) -> tuple[list[Candidate], np.typing.NDArray[np.float64], CRS]:
        """Return what may come into the queue, how uncertain it is, and the CRS of the lines."""
        sources = self._sources()
        echograms = [source for source in sources if is_echogram(source)]
        if not echograms:
            check_files(sources, reporter)
            lines = read_lines(self.input, "INPUT")
            stage = Stage(reporter, 0, 0.5, "Looking at the scenes")
            found = candidates(lines, sources, stage)
            return found, uncertainties(found, self.uncertainty, reporter), lines.crs
        others = [source.shown for source in self.scenes if source not in echograms]
        if others:
            raise EngineError(
                f"SCENES: {listed(others)} has no axes beside it, but others are echograms. Choose "
                "echograms alone, or scenes alone."
            )
        result = stretches(self.input, echograms, self.uncertainty, self.stretch, reporter)
        return result.found, np.array(result.uncertainty), LOCAL_CRS

    def _stage(self, outputs: Outputs) -> Path:
        if self.output.suffix.lower() != ".gpkg":
            raise EngineError(f"OUTPUT: {self.output.name} is not a GeoPackage. Name it *.gpkg.")
        if self.output.exists():
            raise EngineError(
                f"OUTPUT: {self.output} exists, and what people corrected in it would be lost. "
                "Choose a new file."
            )
        return outputs.stage(self.output)

    def _sources(self) -> Sequence[RasterInput]:
        for scene in self.scenes:
            if scene.name:
                raise EngineError(
                    f"SCENES: '{scene.shown}' lies in a temporary file, which is gone when QGIS is "
                    "closed. Export it to a GeoTIFF first, and choose that."
                )
        return self.scenes or find_rasters(Path(str(self.folder)))

    def _reviewers(self) -> list[str]:
        names = (name.strip() for name in re.split(r"[,;\n]", self.reviewers))
        return list(dict.fromkeys(filter(None, names)))

    def _tables(
        self,
        found: Sequence[Candidate],
        chosen: Sequence[Chosen],
        score: np.typing.NDArray[np.float64],
        crs: CRS,
    ) -> dict[str, pd.DataFrame]:
        people = assigned(len(chosen), self._reviewers())
        tasks = [
            _task(number, found[one.index], one, float(score[one.index]), person)
            for number, (one, person) in enumerate(zip(chosen, people, strict=True), 1)
        ]
        outlines = [found[one.index].footprint for one in chosen]
        lines = _lines([found[one.index] for one in chosen], crs)
        return {
            TASKS: gpd.GeoDataFrame(tasks, geometry=outlines, crs=crs),
            LINES: lines.assign(status=LINE_PREDICTED, origin=lines["model"]),
            PREDICTED: lines,
            MODELS: _models(lines),
            SCENES: _scenes(found) if kind_of(crs) is FRONTS else pd.DataFrame(),
        }


def _task(
    number: int, scene: Candidate, chosen: Chosen, score: float, person: str
) -> dict[str, object]:
    return {
        "task": number,
        "title": scene.title,
        "rank": number,
        "score": score,
        "strategy": chosen.strategy,
        "weight": chosen.weight,
        "status": OPEN,
        "complete": scene.complete,
        "assignee": person,
        "glacier": scene.glacier,
        "date": pd.Timestamp(scene.date) if scene.date else pd.NaT,
        "satellite": scene.satellite,
        "image_id": scene.image_id,
        "scene": scene.path,
        "scene_hash": scene.scene_hash,
        "cell_size_m": scene.cell_size_m,
        "trace": scene.trace,
        "model": scene.stated("model"),
        "model_hash": scene.stated("model_hash"),
    }


def _lines(scenes: Sequence[Candidate], crs: CRS) -> gpd.GeoDataFrame:
    """Return the predicted lines of the tasks; each has a number of its own, `line_id`."""
    rows, shapes = list[dict[str, object]](), list[shapely.Geometry]()
    for task, scene in enumerate(scenes, 1):
        for order, (_, line) in enumerate(scene.lines.iterrows(), 1):
            shapes.append(line.geometry)
            rows.append(
                {
                    "task": task,
                    "line_id": len(rows) + 1,
                    "line": line.get("line", order),
                    "confidence": line.get("confidence"),
                    "uncertainty_m": line.get("uncertainty_m"),
                    "model": value_text(line.get("model")),
                    "model_hash": value_text(line.get("model_hash")),
                }
            )
    columns = ["task", "line_id", "line", "confidence", "uncertainty_m", "model", "model_hash"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry=shapes, crs=crs)


def _scenes(found: Sequence[Candidate]) -> pd.DataFrame:
    """Return all scenes, also those that no task is for."""
    return pd.DataFrame(
        {
            "image_id": [one.image_id for one in found],
            "glacier": [one.glacier for one in found],
            "date": [pd.Timestamp(one.date) if one.date else pd.NaT for one in found],
            "satellite": [one.satellite for one in found],
            "scene": [one.path for one in found],
        }
    )


def _models(lines: gpd.GeoDataFrame) -> pd.DataFrame:
    known = lines.loc[lines.model_hash != "", ["model", "model_hash"]].drop_duplicates("model_hash")
    return pd.DataFrame(known).assign(
        kind=MADE_THE_PREDICTIONS, created_at=pd.Timestamp(now()).tz_localize(None)
    )
