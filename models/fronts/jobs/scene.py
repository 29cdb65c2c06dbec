"""The jobs of the toolbox group "Calving fronts"."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import rasterio
from pyproj import CRS
from rasterio.io import DatasetReader
from shapely import Polygon

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import JsonValue, Reporter, Result, Stage
from glacier_qgis.models.engine.job import Destination, Job, RasterInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.engine.provenance import provenance
from glacier_qgis.models.fronts.segmentation.input_grid import copy_to_input_grid
from glacier_qgis.models.fronts.segmentation.model_choice import choose_model, tell_choices
from glacier_qgis.models.fronts.segmentation.options import Inference, ResultGrid
from glacier_qgis.models.fronts.segmentation.segment import (
    Drafts,
    Segmentation,
    segment,
)
from glacier_qgis.models.fronts.termini.attributes import (
    TerminusSource,
    points_frame,
    stated_source,
    terminus_frame,
)
from glacier_qgis.models.fronts.termini.extract import Segmented, extract_termini, zone_area
from glacier_qgis.models.fronts.termini.in_words import lines_in_words, zones_in_words
from glacier_qgis.models.fronts.termini.options import Extraction, SceneExtraction, terminus_options
from glacier_qgis.models.fronts.termini.whereabouts import Whereabouts
from glacier_qgis.models.package.card import Calibration, ModelCard
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.metric import metric_crs
from glacier_qgis.models.raster.source import Scene, open_raster
from glacier_qgis.models.vector.sink import write_layer
from glacier_qgis.models.vector.source import read_polygons
from glacier_qgis.models.zones.codes import (
    CLASS_NAMES,
    class_titles,
    require_front_classes,
    write_attribute_table,
)

SEGMENTATION_SHARE = 0.8
"""Share of the progress bar for the network in a delineation."""


class SegmentCalvingFront(Inference, ResultGrid, Job):
    """Zones of one scene."""

    input: RasterInput
    output: Path
    probability: Destination
    uncertainty: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Write zones and, if requested, probabilities and uncertainty."""
        wanted = {
            "OUTPUT": self.output,
            "PROBABILITY": self.probability,
            "UNCERTAINTY": self.uncertainty,
        }
        staged = {name: outputs.stage(path) for name, path in wanted.items() if path}
        if self.grid == "model":
            drafts = staged
        else:
            drafts = {name: outputs.scratch(self.output, f"{name}.tif") for name in staged}
        with open_raster(self.input) as scene:
            choice = choose_model(self, scene, self.input)
            tell_choices([choice], [self.input], reporter)
            done = segment(scene, choice, self, _drafts(drafts), _tags(self, scene), reporter)
            names = class_titles({zone.value: zone.name for zone in done.card.classes})
            areas = zones_in_words(drafts["OUTPUT"], names)
            _finish(staged, drafts, done, scene, self.grid)
        reporter.log(f"Segmented: {areas}.")
        paths: Result = {name: str(path) if path else None for name, path in wanted.items()}
        about = TerminusSource(scene.name, model=done.card.name).about
        return {**paths, "CLASSES": other_classes(done.card), "ABOUT": {**about}}


class ExtractTermini(SceneExtraction, Job):
    """Terminus lines from zones."""

    input: RasterInput
    probability: RasterInput | None = None
    output: Path

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Write the lines and the other requested outputs."""
        with ExitStack() as stack:
            zones = stack.enter_context(open_raster(self.input))
            grid = _zones_grid(zones)
            probability = None
            if self.probability:
                scene = stack.enter_context(open_raster(self.probability, "PROBABILITY"))
                probability = _matching(scene, zones)
            fjord = _fjord(self, grid.crs)
            tags = zones.dataset.tags()
            source = stated_source(self, tags.get("SCENE", zones.name), self.date, tags)
            known = _stored_calibration(probability), Whereabouts.of(tags)
            segmented = Segmented(grid, zones.dataset, probability, *known)
            return _write_lines(self, segmented, fjord, source, reporter, outputs)


class DelineateTermini(Inference, ResultGrid, SceneExtraction, Job):
    """Terminus lines straight from a scene."""

    input: RasterInput
    output: Path
    zones: Destination
    uncertainty: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Segment, then extract the lines; keep the requested rasters."""
        wanted = {"OUTPUT": self.zones, "UNCERTAINTY": self.uncertainty}
        staged = {name: outputs.stage(path) for name, path in wanted.items() if path}
        names = {"OUTPUT", "PROBABILITY", *staged}
        drafts = {name: outputs.scratch(self.output, f"{name}.tif") for name in names}
        with ExitStack() as stack:
            scene = stack.enter_context(open_raster(self.input))
            choice = choose_model(self, scene, self.input, self.sensor)
            card = choice.card
            require_front_classes(card.name, {zone.value: zone.name for zone in card.classes})
            tell_choices([choice], [self.input], reporter)
            fjord = _fjord(self, metric_crs(scene))  # before the network: to fail early
            stage = Stage(reporter, 0, SEGMENTATION_SHARE)
            done = segment(scene, choice, self, _drafts(drafts), _tags(self, scene), stage)
            source = stated_source(self, scene.name, self.date, done.card.provenance)
            zones = stack.enter_context(rasterio.open(drafts["OUTPUT"]))
            probability = stack.enter_context(rasterio.open(drafts["PROBABILITY"]))
            stage = Stage(reporter, SEGMENTATION_SHARE, 1)
            known = done.card.calibration, Whereabouts.of(done.card.provenance)
            segmented = Segmented(done.grid, zones, probability, *known)
            result = _write_lines(self, segmented, fjord, source, stage, outputs)
            _finish(staged, drafts, done, scene, self.grid)
        return {
            **result,
            "ZONES": str(self.zones) if self.zones else None,
            "UNCERTAINTY": str(self.uncertainty) if self.uncertainty else None,
            "CLASSES": other_classes(card),
        }


def _fjord(job: Extraction, crs: CRS) -> list[Polygon] | None:
    """Return the polygons that lines must lie in, in the CRS of the cells; None for everywhere."""
    return read_polygons(job.fjord_mask, crs, "FJORD_MASK") if job.fjord_mask else None


def _stored_calibration(probability: DatasetReader | None) -> Calibration | None:
    """Return the calibration that 'Segment calving front' noted in its probabilities."""
    noted = probability.tags().get("CALIBRATION") if probability else None
    return Calibration.model_validate_json(noted) if noted else None


def _drafts(paths: dict[str, Path]) -> Drafts:
    return Drafts(paths["OUTPUT"], paths.get("PROBABILITY"), paths.get("UNCERTAINTY"))


def _tags(job: Job, scene: Scene) -> dict[str, str]:
    return {**provenance(job), "SCENE": scene.name}


def _finish(
    staged: dict[str, Path], drafts: dict[str, Path], done: Segmentation, scene: Scene, grid: str
) -> None:
    """Resample the requested rasters to their grid, and name the classes."""
    for name, path in staged.items():
        if grid == "input":
            copy_to_input_grid(drafts[name], scene, done.grid, path)
        elif drafts[name] != path:
            shutil.copyfile(drafts[name], path)
    if "OUTPUT" in staged:
        titles = class_titles({zone.value: zone.name for zone in done.card.classes})
        write_attribute_table(Path(f"{staged['OUTPUT']}.aux.xml"), titles)


def other_classes(card: ModelCard) -> dict[str, JsonValue]:
    """Return code and name of a model's classes besides the four zones."""
    return {str(zone.value): zone.name for zone in card.classes if zone.value not in CLASS_NAMES}


def _zones_grid(zones: Scene) -> Grid:
    """Return the grid of a zones raster.

    Raises:
        EngineError: It is not a zones raster, or not on north-up square cells in metres.
    """
    dataset = zones.dataset
    if dataset.count != 1 or dataset.dtypes[0] != "uint8":
        raise EngineError(
            f"{zones.role}: {zones.name} has {dataset.count} band(s) of {dataset.dtypes[0]} and is "
            "not a zones raster. Run 'Segment calving front' first, or 'Delineate termini' on the "
            "scene."
        )
    transform = dataset.transform
    metric = metric_crs(zones) == zones.crs.to_2d()
    square = transform.b == transform.d == 0 and math.isclose(transform.a, -transform.e)
    if not (metric and square and transform.a > 0):
        raise EngineError(
            f"{zones.role}: {zones.name} has cells of {transform.a:g} × {-transform.e:g} in "
            f"'{zones.crs.name}', but lines are traced on north-up square cells in metres that are "
            "true to scale. Segment with GRID 'model', or warp the zones with nearest neighbour."
        )
    return Grid(zones.crs, transform, *dataset.shape)


def _matching(probability: Scene, zones: Scene) -> DatasetReader:
    """Return the probabilities; checks that they are on the pixels of the zones.

    Raises:
        EngineError: They are not, or have other classes.
    """
    dataset = probability.dataset
    if dataset.shape != zones.dataset.shape or not dataset.transform.almost_equals(
        zones.dataset.transform
    ):
        raise EngineError(
            "PROBABILITY is not on the pixels of INPUT: use the two rasters of one run of "
            "'Segment calving front'."
        )
    if dataset.count < len(CLASS_NAMES):
        raise EngineError(
            f"PROBABILITY has {dataset.count} band(s), not the {len(CLASS_NAMES)} of "
            f"{', '.join(CLASS_NAMES.values())}: use the raster of 'Segment calving front'."
        )
    return dataset


def _write_lines(
    job: ExtractTermini | DelineateTermini,
    segmented: Segmented,
    fjord: Sequence[Polygon] | None,
    source: TerminusSource,
    reporter: Reporter,
    outputs: Outputs,
) -> Result:
    """Extract the lines, add attributes, and write them with the other requested layers."""
    fronts = extract_termini(segmented, terminus_options(job, fjord), reporter)
    if fronts.absence:
        reporter.warning(f"No front was found. {fronts.absence.sentence}")
    frame = terminus_frame(fronts.termini, source, segmented.grid.crs)
    write_layer(frame, outputs.stage(job.output), "termini", "LineString")
    if job.points:
        points = points_frame(fronts.termini, source, segmented.grid.crs)
        write_layer(points, outputs.stage(job.points), "terminus_points", "Point")
    areas = {"glacier_area": job.glacier_area, "ocean_area": job.ocean_area}
    bodies = (fronts.zones.glacier, fronts.zones.ocean)
    for (layer, path), body in zip(areas.items(), bodies, strict=True):
        if path:
            area = zone_area(fronts.zones, body, segmented.grid)
            write_layer(area, outputs.stage(path), layer, "Polygon")
    if not fronts.absence:
        reporter.log(f"{lines_in_words(frame)}.")
    return {
        "OUTPUT": str(job.output),
        "POINTS": str(job.points) if job.points else None,
        **{layer.upper(): str(path) if path else None for layer, path in areas.items()},
        "COUNT": len(fronts.termini),
        "TOTAL_LENGTH": sum(terminus.length_m for terminus in fronts.termini),
        "REASON": fronts.absence.sentence if fronts.absence else "",
        "ABOUT": {**source.about},
    }
