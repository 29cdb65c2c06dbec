"""Jobs: typed parameters with a method `run`."""

from __future__ import annotations

import re
from abc import abstractmethod
from pathlib import Path
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.outputs import Outputs


class Parameters(BaseModel):
    """Base class of everything that the plugin sends; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _LayerInput(Parameters):
    """A layer of QGIS, as the engine gets it.

    Attributes:
        path: File to read.
        crs: The layer's CRS in QGIS (WKT, or "EPSG:n").
        name: The layer's name, for messages, if `path` is a temporary file.
    """

    path: str
    crs: str | None = None
    name: str | None = None

    @property
    def shown(self) -> str:
        """The name to use in messages."""
        return self.name or self.path


class NoData(Parameters):
    """The values that count as no data in a band, besides NaN.

    Attributes:
        own: Whether the value that the file declares counts.
        ranges: Lowest and highest value of further ranges; None for no limit.
    """

    own: bool = True
    ranges: tuple[tuple[float | None, float | None], ...] = ()


class RasterInput(_LayerInput):
    """A raster that GDAL can open.

    Attributes:
        options: GDAL open options, as chosen in QGIS.
        band: The band to read where a single one is needed; None if none was chosen.
        no_data: Of each band, if set in QGIS; empty for what the file declares.
    """

    options: dict[str, str] = Field(default_factory=dict)
    band: int | None = Field(default=None, ge=1)
    no_data: tuple[NoData, ...] = ()

    def __hash__(self) -> int:
        """Make layers hashable, although options are a dictionary."""
        return hash((self.path, self.crs, self.name))


class VectorInput(_LayerInput):
    """A layer of a vector file; the first one by default."""

    layer: str | None = None


VECTOR_FILES = {".gpkg", ".shp", ".geojson", ".json", ".fgb", ".gml", ".kml"}
"""Suffixes that tell a vector file from a raster."""


def _kind_of_layer(value: object) -> str:
    """Return the tag of a layer that may be of either kind; the plugin names a vector's layer."""
    if isinstance(value, dict):
        named = "layer" in value or Path(str(value.get("path"))).suffix.lower() in VECTOR_FILES
        return "vector" if named else "raster"
    return "vector" if isinstance(value, VectorInput) else "raster"


LayerInput = Annotated[
    Annotated[RasterInput, Tag("raster")] | Annotated[VectorInput, Tag("vector")],
    Discriminator(_kind_of_layer),
]
"""A raster or a layer of a vector file."""


class Extent(Parameters):
    """A rectangle in `crs` (WKT, or "EPSG:n")."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float
    crs: str

    @model_validator(mode="after")
    def _has_area(self) -> Extent:
        if not (self.xmax > self.xmin and self.ymax > self.ymin):
            raise ValueError("the extent is empty: draw a rectangle")
        return self


def blank_is_none(value: object) -> object:
    """Return None for an empty text, which QGIS sends for a parameter that was not given."""
    return None if value == "" else value


def words(text: str) -> list[str]:
    """Return the words of a text, between which commas, semicolons or spaces stand."""
    return re.findall(r"[^\s,;]+", text)


def text_is_words(value: object) -> object:
    """Return the words of a text; anything else as it is."""
    return words(value) if isinstance(value, str) else value


Destination = Annotated[Path | None, BeforeValidator(blank_is_none), Field(default=None)]
"""Where to write an output; None (or blank) if it was not requested."""
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""Of random numbers; the largest is the largest whole number of a dialog."""


class Job(Parameters):
    """Parameters of one job, with the names of the toolbox in lower case."""

    @abstractmethod
    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Run the job: report progress, stage every file, return the output values."""
