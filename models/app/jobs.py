"""The table of jobs, and the request for one of them."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

from pydantic import Field

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import Job, Parameters

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
    "preparereview": "glacier_qgis.models.review.jobs.prepare:PrepareReview",
    "recordcorrections": "glacier_qgis.models.review.jobs.record:RecordCorrections",
    "retrain": "glacier_qgis.models.review.jobs.retrain:Retrain",
    "simulateglacier": "glacier_qgis.models.iceflow.jobs.simulate:SimulateGlacier",
    "runinstructor": "glacier_qgis.models.iceflow.jobs.instruct:RunInstructor",
    "trainemulator": "glacier_qgis.models.iceflow.jobs.train_emulator:TrainEmulator",
    "evaluateemulator": "glacier_qgis.models.iceflow.jobs.evaluate_emulator:EvaluateEmulator",
    "icevelocity": "glacier_qgis.models.iceflow.jobs.velocity:IceVelocity",
    "glacierthickness": "glacier_qgis.models.iceflow.jobs.thickness:GlacierThickness",
    "tracelayers": "glacier_qgis.models.radar.jobs.trace_layers:TraceLayers",
    "simulateradargram": "glacier_qgis.models.radar.jobs.simulate_radargram:SimulateRadargram",
    "surfacemassbalance": "glacier_qgis.models.iceflow.jobs.balance:SurfaceMassBalance",
    "importradargram": "glacier_qgis.models.radar.jobs.import_radargram:ImportRadargram",
    "exportlayers": "glacier_qgis.models.radar.jobs.export_layers:ExportLayers",
}
"""The module and class of each job, as strings, so that a job imports only what it needs."""


class JobRequest(Parameters):
    """A job file or line: name of the job, its id and its parameters.

    Attributes:
        owner: The process that wants the result; the job ends with it.
        scratch: A folder for its own temporary files, removed at the end.
    """

    job: str
    id: str = Field(pattern=r"^[0-9a-f]{8,32}$")
    parameters: dict[str, object]
    owner: int | None = None
    scratch: Path | None = None

    @classmethod
    def read(cls, path: Path) -> JobRequest:
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
    def parse(cls, content: bytes) -> JobRequest:
        """Read a job.

        Raises:
            EngineError: The text is not a job.
        """
        try:
            values = json.loads(content)
        except ValueError as error:
            raise EngineError(f"The job cannot be read: {error}.") from error
        return cls.model_validate(values)

    def build(self) -> Job:
        """Validate the parameters against the schema of the named job."""
        if self.job not in JOBS:
            raise EngineError(
                f"There is no job named {self.job!r}. Choose from: {', '.join(JOBS)}."
            )
        module, _, name = JOBS[self.job].partition(":")
        schema: type[Job] = getattr(import_module(module), name)
        return schema.model_validate(self.parameters)
