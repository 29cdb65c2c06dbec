"""A network measured as its user gets its lines: by the steps of the toolbox, on the scenes' files.

The network for single scenes is measured on what 'Delineate termini' finds, the one for series on
what 'Terminus time series' finds with all scenes of the place. Scenes of more than `LARGEST` cells
per side are cut to the surroundings of the corrected fronts, as with EXTENT.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import torch
from shapely import LineString

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.engine.job import Extent, RasterInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries
from glacier_qgis.models.fronts.segmentation.model_choice import named_model
from glacier_qgis.models.fronts.series.catalogue import dated, in_order_of_time
from glacier_qgis.models.fronts.series.survey import Survey, survey
from glacier_qgis.models.fronts.termini.metrics import (
    FrontError,
    front_distances,
    mean_distance_error,
    reference_box,
)
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import save_package
from glacier_qgis.models.review.retraining.material import Network
from glacier_qgis.models.review.retraining.network_card import with_networks
from glacier_qgis.models.review.retraining.places import LARGEST, Place
from glacier_qgis.models.review.retraining.samples import SceneInPlace
from glacier_qgis.models.vector.lines import clip_lines, line_parts

Lines = dict[str, list[LineString]]
"""Predicted lines in the CRS of their place, by the name of their scene."""


@dataclass(frozen=True)
class Trial:
    """What measures the networks of a training.

    Attributes:
        card: Of the model before.
        device: Where to compute.
    """

    card: ModelCard
    device: torch.device

    def error(
        self,
        tested: Sequence[tuple[Place, Collection[str]]],
        network: Network,
        lone: Network,
    ) -> FrontError:
        """Return the distance between predicted and corrected fronts, in the box around these.

        Args:
            tested: Places with the names of corrected scenes; those without a front do not count.
            network: What is measured.
            lone: The one for single scenes that a network for series is delivered with.
        """
        delineate = self._series if network.beside else self._single
        images = []
        with self._package(network, lone) as package:
            for place, names in tested:
                every = [place.scenes[name] for name in sorted(names)]
                scenes = [scene for scene in every if scene.lines]
                lines = delineate(package, place, scenes) if scenes else {}
                for scene in scenes:
                    inside = clip_lines(lines[scene.name], reference_box(scene.lines))
                    images.append(front_distances(inside, scene.lines, place.grid.cell_size))
        return mean_distance_error(images)

    @contextmanager
    def _package(self, network: Network, beside: Network) -> Iterator[Path]:
        """Yield the folder of a package with a network; one for series has another beside it."""
        lone, series = (beside, network) if network.beside else (network, None)
        card = with_networks(self.card, lone, series).model_copy(update={"adapted": None})
        with tempfile.TemporaryDirectory(prefix="glacier-trial-") as folder:
            package = Path(folder) / card.name
            save_package(package, card, lone.weights, series.weights if series else None)
            yield package

    def _single(self, package: Path, place: Place, scenes: Sequence[SceneInPlace]) -> Lines:
        found = {}
        for scene in scenes:
            source = RasterInput(path=scene.path)
            with tempfile.TemporaryDirectory(prefix="glacier-trial-") as name:
                path = Path(name) / "termini.gpkg"
                asked = self._asked(package, place, survey([source], None))
                job = DelineateTermini.model_validate({**asked, "input": source, "output": path})
                with Outputs("trial") as outputs:
                    job.run(Silent(), outputs)
                found[scene.name] = _lines(gpd.read_file(path), place)
        return found

    def _series(self, package: Path, place: Place, scenes: Sequence[SceneInPlace]) -> Lines:
        sources = {each.path: each for each in place.scenes.values()}
        looks = survey([RasterInput(path=path) for path in sources], None)
        series = in_order_of_time(dated(look, sources[look.source.path].day) for look in looks)
        with tempfile.TemporaryDirectory(prefix="glacier-trial-") as folder:
            asked = self._asked(package, place, looks) | {
                "input": [scene.source for scene in series],
                "work_folder": folder,
                "output": Path(folder) / "termini.gpkg",
            }
            job = TerminusTimeSeries.model_validate(asked)
            done = job.delineate(series, named_model(job.model), job.drawn(), Silent())
        found = {each.segmented.scene.source.path: each for each in done.traced}
        return {
            scene.name: _lines(found[scene.path].lines, place) if found[scene.path].grid else []
            for scene in scenes
        }

    def _asked(self, package: Path, place: Place, looks: Sequence[Survey]) -> dict[str, object]:
        """Return the parameters that both algorithms have."""
        west, south, east, north = place.grid.bounds
        extent = Extent(xmin=west, ymin=south, xmax=east, ymax=north, crs=place.grid.crs.to_wkt())
        return {
            "model": str(package),
            "rock": place.known_rock,
            "extent": extent if any(_is_large(look, place) for look in looks) else None,
            "device": "cpu" if self.device.type == "cpu" else "gpu",
        }


def _is_large(look: Survey, place: Place) -> bool:
    """Return whether a scene is larger than a place may be."""
    footprint, grid = look.footprint, place.grid
    if footprint is None:
        return False
    cell = footprint.native_cell_size(grid.crs)
    return max(footprint.width, footprint.height) * cell > LARGEST * grid.cell_size


def _lines(frame: gpd.GeoDataFrame, place: Place) -> list[LineString]:
    return line_parts(frame.geometry.to_crs(place.grid.crs))
