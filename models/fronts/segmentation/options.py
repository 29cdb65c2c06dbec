"""Parameters that several calving-front jobs share, named as in the toolbox."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from glacier_qgis.models.compute.device import DeviceName
from glacier_qgis.models.engine.job import (
    Extent,
    LayerInput,
    Parameters,
    VectorInput,
)


class Inference(Parameters):
    """How to run a segmentation network over a scene."""

    bands: tuple[int, ...] = ()
    model: str = ""
    extent: Extent | None = None
    mask: VectorInput | None = None
    rock: LayerInput | None = None
    cell_size: Annotated[float, Field(ge=0.01, le=10_000)] | None = None
    tta: bool = True
    device: DeviceName = "automatic"
    tile_size: Annotated[int, Field(ge=0, le=16_384)] = 0
    padding: Annotated[int, Field(ge=-1, le=4_096)] = -1
    batch_size: Annotated[int, Field(ge=0, le=1_024)] = 0


class ResultGrid(Parameters):
    """The cells of the output rasters of one scene."""

    grid: Literal["model", "input"] = "model"
