"""What a job is: typed parameters with a `run`."""

from __future__ import annotations

import json
from abc import abstractmethod
from importlib import import_module
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.outputs import Outputs

JOBS = {
    "ping": "glacier_qgis.models.app.information:Ping",
    "engineinfo": "glacier_qgis.models.app.information:EngineInformation",
    "segmentcalvingfront": "glacier_qgis.models.fronts.jobs.scene:SegmentCalvingFront",
    "previewtermini": "glacier_qgis.models.fronts.jobs.preview:PreviewTermini",
    "preparepreview": "glacier_qgis.models.fronts.jobs.preview:PreparePreview",
    "extracttermini": "glacier_qgis.models.fronts.jobs.scene:ExtractTermini",
    "delineatetermini": "glacier_qgis.models.fronts.jobs.scene:DelineateTermini",
    "terminuschange": "glacier_qgis.models.fronts.jobs.change:TerminusChange",
    "comparetermini": "glacier_qgis.models.fronts.jobs.compare:CompareTermini",
    "terminustimeseries": "glacier_qgis.models.fronts.jobs.series:TerminusTimeSeries",
    "preparetrainingdata": "glacier_qgis.models.training.jobs.prepare:PrepareTrainingData",
    "inspecttrainingdata": "glacier_qgis.models.training.jobs.inspect:InspectTrainingData",
    "findlearningrate": "glacier_qgis.models.training.jobs.rate:FindLearningRate",
    "trainmodel": "glacier_qgis.models.training.jobs.train:TrainModel",
    "evaluatemodel": "glacier_qgis.models.training.jobs.evaluate:EvaluateModel",
    "installmodel": "glacier_qgis.models.app.install:InstallModel",
    "exportmodel": "glacier_qgis.models.package.export:ExportModel",
    "simulateglacier": "glacier_qgis.models.iceflow.jobs.simulate:SimulateGlacier",
    "icevelocity": "glacier_qgis.models.iceflow.jobs.common:IceVelocity",
    "surfacemassbalance": "glacier_qgis.models.iceflow.jobs.balance:SurfaceMassBalance",
}
"""Where each job lives. Names are strings so that a job loads only what it needs."""


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


Destination = Annotated[Path | None, BeforeValidator(blank_is_none), Field(default=None)]
"""Where to write an output; None (or blank) where it was not asked for."""


class Job(Parameters):
    """Parameters of one job, named as in the toolbox but in lower case."""

    @abstractmethod
    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Do the work: report as it goes, stage every file, return the output values."""


class Order(Parameters):
    """A job file or line: which job, under which id, with which parameters.

    Attributes:
        owner: The process that it is for, with which it ends.
        scratch: A folder for its temporary files alone, which is removed in the end.
    """

    job: str
    id: str = Field(pattern=r"^[0-9a-f]{8,32}$")
    parameters: dict[str, object]
    owner: int | None = None
    scratch: Path | None = None

    @classmethod
    def read(cls, path: Path) -> Order:
        """Read a job file.

        Raises:
            EngineError: The file is missing or is not a job.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise EngineError(f"The job file {path} cannot be read: {error}.") from error
        return cls.parse(content)

    @classmethod
    def parse(cls, content: bytes) -> Order:
        """Read a job.

        Raises:
            EngineError: It is not one.
        """
        try:
            values = json.loads(content)
        except ValueError as error:
            raise EngineError(f"The job cannot be read: {error}.") from error
        return cls.model_validate(values)

    def build(self) -> Job:
        """Validate the parameters against the schema of the named job."""
        if self.job not in JOBS:
            raise EngineError(f"There is no job named {self.job!r}; there are {', '.join(JOBS)}.")
        module, _, name = JOBS[self.job].partition(":")
        schema: type[Job] = getattr(import_module(module), name)
        return schema.model_validate(self.parameters)
