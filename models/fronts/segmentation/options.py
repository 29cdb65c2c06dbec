"""Parameters that several calving-front jobs share, under the toolbox' names."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from glacier_qgis.models.compute.device import DeviceName
from glacier_qgis.models.engine.job import (
    Destination,
    Extent,
    Parameters,
    VectorInput,
    blank_is_none,
)
from glacier_qgis.models.fronts.termini.bodies import MIN_AREA_KM2
from glacier_qgis.models.fronts.termini.extract import MIN_CONFIDENCE


class Inference(Parameters):
    """How to run a segmentation network over a scene."""

    bands: tuple[int, ...] = ()
    model: str = ""
    extent: Extent | None = None
    mask: VectorInput | None = None
    cell_size: Annotated[float, Field(gt=0, le=10_000)] | None = None
    tta: bool = True
    device: DeviceName = "automatic"
    tile_size: Annotated[int, Field(ge=0, le=16_384)] = 0
    padding: Annotated[int, Field(ge=-1, le=4_096)] = -1
    batch_size: Annotated[int, Field(ge=0, le=1_024)] = 0


class ResultGrid(Parameters):
    """On which cells the rasters of one scene come back."""

    grid: Literal["model", "input"] = "model"


class Extraction(Parameters):
    """How to turn zones into terminus lines; lengths in metres, areas in square kilometres."""

    fjord_mask: VectorInput | None = None
    min_length: Annotated[float, Field(ge=0)] = 750.0
    longest_only: bool = False
    min_area: Annotated[float, Field(ge=0)] = MIN_AREA_KM2
    gap: Annotated[float, Field(ge=0, le=5_000)] | None = None
    min_confidence: Annotated[float, Field(ge=0, le=1)] = MIN_CONFIDENCE
    simplify: Annotated[float, Field(ge=0)] = 0.0
    smooth: Annotated[float, Field(ge=0)] = 0.0
    glacier: str = ""
    glacier_id: str = ""
    sensor: str = ""
    author: str = ""


class SceneExtraction(Extraction):
    """The lines of one scene, of one date, and what else can be written of them."""

    date: Annotated[datetime.date | None, BeforeValidator(blank_is_none)] = None
    points: Destination
    glacier_area: Destination
    ocean_area: Destination
