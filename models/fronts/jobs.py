"""The calving-front jobs: what the toolbox' algorithms of that group run."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import rasterio
from pyproj import CRS

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.job import Destination, Job, RasterInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.attributes import TerminusSource, terminus_frame
from glacier_qgis.models.fronts.options import Extraction, Inference
from glacier_qgis.models.fronts.segment import Drafts, Segmentation, copy_to_input_grid, segment
from glacier_qgis.models.fronts.termini import TerminusOptions, extract_termini, glacier_area
from glacier_qgis.models.fronts.zones import write_attribute_table
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.provenance import provenance
from glacier_qgis.models.raster.source import Scene, open_raster
from glacier_qgis.models.vector.sink import write_layer
from glacier_qgis.models.vector.source import read_polygons


class SegmentCalvingFront(Inference, Job):
    """Zones of one scene."""

    input: RasterInput
    output: Path
    probability: Destination
    uncertainty: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Write zones and, if asked for, probabilities and uncertainty."""
        wanted = {"zones": self.output, "probability": self.probability, "uncertainty": self.uncertainty}
        with open_raster(self.input) as scene:
            _segment_to(wanted, scene, self, outputs, reporter)
        return {
            "OUTPUT": str(self.output),
            "PROBABILITY": _text(self.probability),
            "UNCERTAINTY": _text(self.uncertainty),
        }


class ExtractTermini(Extraction, Job):
    """Terminus lines from zones."""

    input: RasterInput
    probability: RasterInput | None = None
    output: Path

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Write the lines and, if asked for, the glacier's area."""
        with open_raster(self.input) as scene:
            grid = _zones_grid(scene)
            probability = None
            if self.probability is not None:
                with open_raster(self.probability, "PROBABILITY") as other:
                    if other.dataset.transform != scene.dataset.transform or (
                        other.dataset.shape != scene.dataset.shape
                    ):
                        raise EngineError(
                            "PROBABILITY does not lie on the pixels of INPUT: use the two rasters of one "
                            "run of 'Segment calving front', with the same grid."
                        )
                    if other.dataset.count != 4:
                        raise EngineError(
                            f"PROBABILITY has {other.dataset.count} band(s) and not the four of no data, "
                            "rock, glacier and ocean: use the raster of 'Segment calving front'."
                        )
                probability = Path(self.probability.path)
            tags = scene.dataset.tags()
            source = TerminusSource(
                name=tags.get("SCENE", scene.name),
                glacier=self.glacier,
                date=self.date,
                sensor=self.sensor,
                model=tags.get("MODEL", ""),
                model_hash=tags.get("MODEL_HASH", ""),
            )
            return _lines_to(
                self, grid, Path(self.input.path), probability, source, scene.crs, self.output, outputs, reporter
            )


class DelineateTermini(Inference, Extraction, Job):
    """Terminus lines straight from a scene."""

    input: RasterInput
    output: Path
    zones: Destination
    uncertainty: Destination

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Segment, then extract; keep the rasters that were asked for."""
        drafts = Drafts(
            zones=outputs.scratch(self.output, "zones.tif"),
            probability=outputs.scratch(self.output, "probability.tif"),
            uncertainty=outputs.scratch(self.output, "uncertainty.tif") if self.uncertainty else None,
        )
        wanted = {"zones": self.zones, "uncertainty": self.uncertainty}
        with open_raster(self.input) as scene:
            done = segment(scene, self, drafts, _tags(self, scene), Stage(reporter, 0, 0.8))
            _deliver(wanted, drafts, done, scene, self, outputs)
            source = TerminusSource(
                name=scene.name,
                glacier=self.glacier,
                date=self.date,
                sensor=self.sensor,
                model=done.model.provenance["MODEL"],
                model_hash=done.model.provenance["MODEL_HASH"],
            )
            result = _lines_to(
                self,
                done.grid,
                drafts.zones,
                drafts.probability,
                source,
                done.grid.crs,
                self.output,
                outputs,
                Stage(reporter, 0.8, 1),
            )
        return {**result, "ZONES": _text(self.zones), "UNCERTAINTY": _text(self.uncertainty)}
