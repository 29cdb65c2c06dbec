"""Raster labels: one per scene, matched by name or by order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from pyproj import CRS
from rasterio.enums import Resampling

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.source import AVERAGE_FROM, Scene, open_raster, read_band
from glacier_qgis.models.training.data.samples import UNLABELLED
from glacier_qgis.models.training.preparation.labels import SceneLabels
from glacier_qgis.models.training.preparation.scenes import SceneFile, scene_files
from glacier_qgis.models.zones.names import LAST

ROLE = "LABEL_RASTERS"


class RasterLabels:
    """Rasters of codes, 0 or no data where unlabelled; see `Labels`.

    Args:
        sources: One per scene, in any grid and CRS.
        scenes: All scenes.

    Raises:
        EngineError: Rasters and scenes cannot be matched.
    """

    def __init__(self, sources: Sequence[RasterInput], scenes: Sequence[SceneFile]) -> None:
        self.names: dict[int, list[str]] = {}
        self.contested = 0
        self.doubts: list[str] = []
        self.group_field = ""
        named = {file.name.casefold(): file.source for file in scene_files(sources, ROLE)}
        matched = {
            scene.name: named[scene.name.casefold()]
            for scene in scenes
            if scene.name.casefold() in named
        }
        if matched:
            self.told = [f"{ROLE}: matched with scenes by base name."]
        elif len(sources) == len(scenes):
            matched = {scene.name: source for scene, source in zip(scenes, sources, strict=True)}
            self.told = [f"{ROLE}: matched by order, since no base names agree."]
        else:
            raise EngineError(
                f"{ROLE}: labels cannot be matched with scenes: no base names agree, and there are "
                f"{len(sources)} for {len(scenes)} scenes. Give each label raster the name of its "
                "scene."
            )
        self._sources = matched

    def groups(self, scene: SceneFile) -> frozenset[str]:
        """See `Labels`; rasters name no glacier."""
        return frozenset()

    @contextmanager
    def of(self, scene: SceneFile, crs: CRS) -> Iterator[SceneLabels | None]:
        """See `Labels`."""
        source = self._sources.get(scene.name)
        if source is None:
            yield None
            return
        with open_raster(source, ROLE) as raster:
            yield _SceneRaster(raster)


class _SceneRaster:
    def __init__(self, raster: Scene) -> None:
        self._raster = raster

    def codes(self, grid: Grid) -> npt.NDArray[np.uint8]:
        """See `SceneLabels`; a cell gets the code with the largest area in it."""
        coarser = grid.cell_size / self._raster.native_cell_size(grid.crs) > AVERAGE_FROM
        resampling = Resampling.mode if coarser else Resampling.nearest
        values = read_band(self._raster, grid, resampling=resampling)
        codes = np.where(np.isnan(values), UNLABELLED, values)
        wrong = (codes != np.rint(codes)) | (codes < 0) | (codes > LAST)
        if wrong.any():
            raise EngineError(
                f"{ROLE}: {self._raster.name} has the value {codes[wrong][0]:g}, but codes are "
                f"integers from 1 to {LAST} (1 no data, 2 rock, 3 glacier, 4 ocean; 0 unlabelled). "
                "Reclassify it, or declare the value as no data."
            )
        return codes.astype(np.uint8)
