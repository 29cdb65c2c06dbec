"""The scenes to prepare: information from their names, and their bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from rasterio.enums import ColorInterp

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.fronts.scene.names import SceneName, parse_scene_name
from glacier_qgis.models.raster.metric import metric_crs
from glacier_qgis.models.raster.source import open_raster


@dataclass(frozen=True)
class SceneFile:
    """One scene to prepare.

    Attributes:
        source: Path and CRS.
        name: Base name without folder and extension.
        image_id: The product's own id if the name holds one, else the base name.
        date: ISO 8601; blank if not in the name.
    """

    source: RasterInput
    name: str
    image_id: str
    date: str

    @property
    def first_word(self) -> str:
        """The first word of the name, if it may be a glacier; blank for a satellite or a date."""
        word = self.name.replace("-", "_").replace(" ", "_").partition("_")[0]
        told = parse_scene_name(word)
        return "" if told.satellite or told.date or not word.strip("0123456789") else word


def scene_files(sources: Sequence[RasterInput], role: str = "INPUT") -> list[SceneFile]:
    """Read the information in the names of scenes.

    Args:
        sources: One per scene.
        role: The parameter's name, for messages.

    Raises:
        EngineError: There are none, or two have the same name.
    """
    if not sources:
        raise EngineError(f"{role}: no scene is given. Choose at least one.")
    scenes = [_named(source) for source in sources]
    first: dict[str, SceneFile] = {}
    for scene in scenes:
        other = first.setdefault(scene.name, scene)
        if other is not scene:
            raise EngineError(
                f"{role}: {other.source.path} and {scene.source.path} have the same base name, "
                "which must be unique. Choose one, or rename it."
            )
    return scenes


def common_bands(scenes: Sequence[SceneFile], asked: Sequence[int]) -> list[int]:
    """Return the bands to use: those requested, or all (except an alpha band).

    Raises:
        EngineError: A scene lacks one, or scenes differ in their number.
    """
    counts: dict[int, str] = {}
    for scene in scenes:
        with open_raster(scene.source) as raster:
            kinds = raster.dataset.colorinterp
            counts.setdefault(sum(kind != ColorInterp.alpha for kind in kinds), scene.name)
    if asked:
        fewest = min(counts)
        if max(asked) > fewest:
            raise EngineError(
                f"BANDS: band {max(asked)} was requested, but {counts[fewest]} has {fewest}. "
                f"Choose from 1 to {fewest}."
            )
        return list(asked)
    if len(counts) > 1:
        found = ", ".join(f"{name} has {count}" for count, name in sorted(counts.items()))
        raise EngineError(
            f"INPUT: the scenes have different numbers of bands: {found}. Set BANDS to the bands "
            "to use, or leave out the scenes that differ."
        )
    return list(range(1, min(counts) + 1))


def coarsest_cell(scenes: Sequence[SceneFile]) -> float:
    """Return the largest ground size of a pixel, m."""
    sizes = []
    for scene in scenes:
        with open_raster(scene.source) as raster:
            sizes.append(raster.native_cell_size(metric_crs(raster)))
    return max(sizes)


def _named(source: RasterInput) -> SceneFile:
    told: SceneName = parse_scene_name(source.shown)
    name = PurePath(source.path.replace("\\", "/")).name
    stem = source.name or name.rpartition(".")[0] or name
    date = told.date.isoformat() if told.date else ""
    return SceneFile(source, stem, told.image_id, date)
