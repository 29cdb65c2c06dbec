"""What a job is: typed parameters with a `run`."""

from __future__ import annotations

import re
from abc import abstractmethod
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.outputs import Outputs


class Parameters(BaseModel):
    """Base of everything that comes through the wall: unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _LayerInput(Parameters):
    """What a layer of QGIS has for the engine.

    Attributes:
        path: Where to read it.
        crs: The CRS (WKT, or "EPSG:n") that QGIS holds it to be in.
        name: What a person knows it by, where `path` is a temporary file.
    """

    path: str
    crs: str | None = None
    name: str | None = None

    @property
    def shown(self) -> str:
        """What to call it in a message."""
        return self.name or self.path


class NoData(Parameters):
    """What counts as no data in a band, besides NaN.

    Attributes:
        own: Whether the value that the file declares does.
        ranges: Lowest and highest number of what does, too; None where there is no limit.
    """

    own: bool = True
    ranges: tuple[tuple[float | None, float | None], ...] = ()


class RasterInput(_LayerInput):
    """A raster that GDAL can open.

    Attributes:
        options: GDAL's options for opening it, as chosen in QGIS.
        band: The band to read where a single one is needed; None where nobody chose.
        no_data: For each band, where a person set it; empty for what the file declares.
    """

    options: dict[str, str] = Field(default_factory=dict)
    band: int | None = Field(default=None, ge=1)
    no_data: tuple[NoData, ...] = ()

    def __hash__(self) -> int:
        """Let layers be keys, though options are a dictionary."""
        return hash((self.path, self.crs, self.name))


class VectorInput(_LayerInput):
    """A layer of a vector file; the first one by default."""

    layer: str | None = None


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
            raise ValueError("the extent is empty: draw a rectangle with an area")
        return self


def blank_is_none(value: object) -> object:
    """Return None for an empty text, which is how QGIS says that nothing was given."""
    return None if value == "" else value


def words(text: str) -> list[str]:
    """Return the words of a text, between which commas, semicolons or spaces stand."""
    return re.findall(r"[^\s,;]+", text)


def text_is_words(value: object) -> object:
    """Return the words of a text; anything else as it is."""
    return words(value) if isinstance(value, str) else value


Destination = Annotated[Path | None, BeforeValidator(blank_is_none), Field(default=None)]
"""Where to write an output; None (or blank) where it was not asked for."""
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""Of random numbers; the largest is the largest whole number of a dialog."""


class Job(Parameters):
    """Parameters of one job, named as in the toolbox but in lower case."""

    @abstractmethod
    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Do the work: report as it goes, stage every file, return the output values."""
