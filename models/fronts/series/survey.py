"""Each scene of a series opened once, before any is worked on: what it says, where it lies."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

import numpy as np
from rasterio.errors import NotGeoreferencedWarning

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.fronts.scene.dates import tag_date
from glacier_qgis.models.fronts.segmentation.model_choice import ModelChoice
from glacier_qgis.models.gdal.file import RasterFile
from glacier_qgis.models.raster.footprint import Footprint
from glacier_qgis.models.raster.picture_hash import picture_hash, thumbnail
from glacier_qgis.models.raster.source import Scene, as_scene, open_source

Choose = Callable[[Scene, RasterInput], ModelChoice]
"""Returns the model for an open scene, or refuses it."""


@dataclass(frozen=True)
class Survey:
    """What one look at a scene tells.

    Attributes:
        source: Which.
        dated: The date in the raster's tags, and the tag's name; None if no tag tells.
        footprint: Where it lies; None if it cannot be used.
        problem: Why not; blank if it can.
        choice: The model for it; None where none was chosen, or none fits.
        picture: See `picture_hash`, blank where the pixels tell nothing; None if they cannot be
            read.
    """

    source: RasterInput
    dated: tuple[datetime.date, str] | None = None
    footprint: Footprint | None = None
    problem: str = ""
    choice: ModelChoice | None = None
    picture: str | None = None


def survey(sources: Sequence[RasterInput], choose: Choose | None) -> list[Survey]:
    """Look at each scene; what is wrong with one is noted and stops none of the others."""
    return [_look(source, choose) for source in sources]


def _look(source: RasterInput, choose: Choose | None) -> Survey:
    found = Survey(source)
    try:
        with _opened(source) as file:
            found = replace(found, dated=tag_date(file))
            with as_scene(file, source) as scene:
                found = replace(found, footprint=scene.footprint)
                if choose is not None:
                    with suppress(EngineError):
                        found = replace(found, choice=choose(scene, source))
                with suppress(EngineError, OSError):
                    found = replace(found, picture=_picture(scene))
    except EngineError as error:
        return replace(found, problem=str(error))
    return found


@contextmanager
def _opened(source: RasterInput) -> Iterator[RasterFile]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with open_source(source) as file:
            yield file


def _picture(scene: Scene) -> str:
    bands = range(1, scene.dataset.count + 1)
    several = np.ptp(np.nan_to_num(thumbnail(scene, bands))) > 0
    return picture_hash(scene, bands) if several else ""
