"""The job `terminustimeseries`: dated terminus lines from many scenes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import BeforeValidator, Field, model_validator

from glacier_qgis.models.engine.events import JsonValue, Reporter, Result, Stage
from glacier_qgis.models.engine.job import (
    Destination,
    Job,
    RasterInput,
    VectorInput,
    blank_is_none,
    text_is_words,
)
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import software_version
from glacier_qgis.models.fronts.scene.dates import DatePattern
from glacier_qgis.models.fronts.segmentation.model_choice import (
    ModelChoice,
    choose_model,
    named_model,
)
from glacier_qgis.models.fronts.segmentation.options import Inference
from glacier_qgis.models.fronts.series.catalogue import SeriesScene, catalogue, find_rasters
from glacier_qgis.models.fronts.series.cluster import run_on_cluster
from glacier_qgis.models.fronts.series.companion_files import sees_series
from glacier_qgis.models.fronts.series.consistent import make_consistent
from glacier_qgis.models.fronts.series.duplicates import shown_by
from glacier_qgis.models.fronts.series.first_pass import (
    DoTasks,
    SeriesPlan,
    run_here,
    series_crs,
)
from glacier_qgis.models.fronts.series.models import ModelGroup, group_by_model, segment_groups
from glacier_qgis.models.fronts.series.second_pass import (
    TracedScene,
    dated_scenes,
    screen_scenes,
    summary_table,
    trace_scenes,
)
from glacier_qgis.models.fronts.series.survey import survey
from glacier_qgis.models.fronts.series.work_folder import (
    DRAFT,
    MASK,
    ROCK,
    WorkFolder,
    scene_identity,
)
from glacier_qgis.models.fronts.termini.in_words import series_in_words
from glacier_qgis.models.fronts.termini.options import Extraction
from glacier_qgis.models.raster.source import Scene
from glacier_qgis.models.vector.sink import write_layer
from glacier_qgis.models.vector.source import Layer, polygons_in, read_layer
from glacier_qgis.models.zones.codes import require_front_classes

SEGMENTATION_SHARE = 0.9
"""Share of the progress bar for the networks of a series."""
CONSISTENCY_SHARE = 0.95
"""Progress after the consistency step."""
IRRELEVANT = {"model", "mask", "rock", "device", "batch_size"}
"""Options that do not affect a scene's result, or that the settings hold in another form."""


OptionalPath = Annotated[Path | None, BeforeValidator(blank_is_none), Field(default=None)]


@dataclass(frozen=True)
class Drawn:
    """What was drawn for every scene of a series.

    Attributes:
        everywhere: Polygons of MASK and ROCK, by the name of their file.
        fjord: What lines must lie in; None for everywhere.
    """

    everywhere: Mapping[str, Layer]
    fjord: Layer | None


@dataclass(frozen=True)
class Delineated:
    """A series with its lines.

    Attributes:
        traced: Its scenes.
        groups: The models that saw them.
        work: Where the results of the first pass are.
    """

    traced: list[TracedScene]
    groups: list[ModelGroup]
    work: WorkFolder


class TerminusTimeSeries(Inference, Extraction, Job):
    """Dated terminus lines of many scenes."""

    input: tuple[RasterInput, ...] = ()
    folder: OptionalPath
    date_pattern: str = ""
    bands: Annotated[tuple[int, ...], BeforeValidator(text_is_words)] = ()
    consistent: bool = True
    scheduler: str = ""
    work_folder: OptionalPath
    load_scenes: bool = False
    output: Path
    summary: Destination

    @model_validator(mode="after")
    def _has_scenes(self) -> TerminusTimeSeries:
        if bool(self.input) == bool(self.folder):
            both = "both are given" if self.input else "neither is given"
            raise ValueError(f"give either INPUT or FOLDER ({both})")
        return self

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Segment each scene, trace the lines, screen and write them."""
        staged = outputs.stage(self.output)
        sources = self.input or tuple(find_rasters(Path(str(self.folder)), self.work_folder))
        text = self.date_pattern.strip()
        pattern = DatePattern.parse(text) if text else None
        named = named_model(self.model)
        anywhere = named is not None and named.card.adapted is None
        drawn = self.drawn()
        surveys = survey(sources, None if anywhere else self._choose)
        scenes = catalogue(surveys, pattern, reporter)
        series = self.delineate(scenes, named, drawn, reporter)
        screened = screen_scenes(series.traced, reporter)
        layers = [scene.lines for scene in screened if scene.lines is not None]
        found = [layer for layer in layers if len(layer)]
        if not found:
            reporter.warning("No scene shows a front. SUMMARY gives the reason for each.")
        lines = pd.concat(found, ignore_index=True) if found else layers[0]
        write_layer(lines, staged, "termini", "LineString")
        if self.summary:
            write_layer(summary_table(screened), outputs.stage(self.summary), "scenes")
        outputs.afterwards(series.work.finish)
        failed = sum(scene.grid is None for scene in series.traced)
        reporter.log(series_in_words(lines, len(scenes), failed))
        return {
            "OUTPUT": str(self.output),
            "SUMMARY": str(self.summary) if self.summary else None,
            "SCENES": len(scenes),
            "FAILED": failed,
            "COUNT": len(lines),
            "ABOUT": self._about(scenes, {group.card.name for group in series.groups}),
            "DATED_SCENES": dated_scenes(screened) if self.load_scenes else [],
        }

    def delineate(
        self,
        scenes: Sequence[SeriesScene],
        named: ModelChoice | None,
        drawn: Drawn,
        reporter: Reporter,
    ) -> Delineated:
        """Segment dated scenes, make them consistent, and trace their lines.

        Args:
            scenes: In order of time, see `in_order_of_time`.
            named: The model that was asked for; None for the one for each scene.
            drawn: From `drawn`.
            reporter: Receives progress and warnings.

        Raises:
            EngineError: A model has other classes than those of fronts, or every scene fails.
        """
        groups = group_by_model(scenes, named, reporter)
        for card in (group.card for group in groups):
            require_front_classes(card.name, {zone.value: zone.name for zone in card.classes})
        settings = [
            self._settings(group.card.model_dump_json(), drawn.everywhere) for group in groups
        ]
        sources = [scene.source for scene in scenes]
        work = WorkFolder.open(self.work_folder, sources, " ".join(sorted(settings)))
        crs = series_crs(scenes, work)
        fjord = polygons_in(drawn.fjord, crs) if drawn.fjord else None
        plans = [
            SeriesPlan(
                options=self._inference(group.folder, drawn.everywhere, work),
                card=group.card,
                cell_size=self.cell_size or group.card.cell_size_m,
                settings=setting,
                together=self.consistent and sees_series(group.card),
                work=work,
                crs=crs.to_wkt(),
            )
            for group, setting in zip(groups, settings, strict=True)
        ]
        shown = shown_by(scenes, self.extent, crs, max(plan.cell_size for plan in plans))
        stage = Stage(reporter, 0, SEGMENTATION_SHARE)
        with self._runner(scenes, [group.folder for group in groups], work, reporter) as run:
            segmented = segment_groups(groups, plans, shown, run, stage)
        with tempfile.TemporaryDirectory(prefix=DRAFT, dir=work.path) as folder:
            if self.consistent:
                stage = Stage(reporter, SEGMENTATION_SHARE, CONSISTENCY_SHARE)
                segmented = make_consistent(segmented, Path(folder), stage)
            traced = trace_scenes(segmented, self, fjord, Stage(reporter, CONSISTENCY_SHARE, 1))
        return Delineated(traced, groups, work)

    def drawn(self) -> Drawn:
        """Read what was drawn for every scene."""
        fjord = self.fjord_mask
        return Drawn(
            self._drawings(), read_layer(fjord, "FJORD_MASK", columns=[]) if fjord else None
        )

    def _choose(self, scene: Scene, source: RasterInput) -> ModelChoice:
        return choose_model(self, scene, source, self.sensor)

    def _about(self, scenes: Sequence[SeriesScene], models: set[str]) -> dict[str, JsonValue]:
        """Return a short name of the series, for names of layers."""
        days = [scene.date.isoformat() for scene in scenes if scene.date]
        return {
            "GLACIER": self.glacier,
            "DATE": min(days, default=""),
            "UNTIL": max(days, default=""),
            "MODEL": ", ".join(sorted(models)),
        }

    def _drawings(self) -> dict[str, Layer]:
        """Read the polygons that hold for every scene, by the name of their file."""
        drawn: dict[str, VectorInput | None] = {MASK: self.mask, ROCK: None}
        if isinstance(self.rock, VectorInput):
            drawn[ROCK] = self.rock
        roles = {MASK: "MASK", ROCK: "ROCK"}
        return {
            name: read_layer(source, roles[name], columns=[])
            for name, source in drawn.items()
            if source
        }

    def _settings(self, card: str, drawings: Mapping[str, Layer]) -> str:
        """Return everything that a scene's result depends on, besides the scene, as text."""
        relevant = self.model_dump_json(include=set(Inference.model_fields) - IRRELEVANT)
        drawn = [
            f"{layer.role} {layer.crs.to_wkt()} {layer.frame.geometry.to_wkt().to_list()}"
            for layer in drawings.values()
        ]
        if isinstance(self.rock, RasterInput):
            drawn.append(f"{scene_identity(self.rock)} {self.rock.model_dump_json()}")
        return " ".join([software_version(), card, relevant, *drawn])

    def _inference(self, model: Path, drawings: Mapping[str, Layer], work: WorkFolder) -> Inference:
        """Return the options with paths for every process with access to the work folder."""
        given = {name: getattr(self, name) for name in Inference.model_fields}
        given["model"] = str(model)
        for name, layer in drawings.items():
            draft, copy = work.path / f"{DRAFT}{os.getpid()}.gpkg", work.path / name
            write_layer(layer.frame, draft, layer.role.lower())
            draft.replace(copy)
            given[layer.role.lower()] = VectorInput(path=str(copy), crs=layer.crs.to_wkt())
        return Inference.model_validate(given)

    @contextmanager
    def _runner(
        self,
        scenes: Sequence[SeriesScene],
        models: list[Path],
        work: WorkFolder,
        reporter: Reporter,
    ) -> Iterator[DoTasks]:
        """Yield the function that runs tasks: on this machine or on a cluster."""
        if not self.scheduler.strip():
            yield run_here
            return
        rasters = [scene.source for scene in scenes]
        rasters += [self.rock] if isinstance(self.rock, RasterInput) else []
        here = [path for raster in rasters if (path := Path(raster.path)).exists()]
        paths = [work.path, *models, *here]
        with run_on_cluster(self.scheduler.strip(), paths, reporter) as run:
            yield run
