"""Jobs run in the process of the tests."""

from __future__ import annotations

from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.engine.job import Job
from glacier_qgis.models.engine.outputs import Outputs
from kit.engine.listener import Listener

JOB_ID = "0123456789ab"


def run_job(job: Job, listener: Listener | None = None) -> Result:
    """Run a job, and return its outputs once they are delivered."""
    with Outputs(JOB_ID) as outputs:
        return job.run(listener or Listener(), outputs)


def run_listened(job: Job, listener: Listener | None = None) -> tuple[Result, Listener]:
    """Run a job, and return its outputs and what it said."""
    listener = listener or Listener()
    return run_job(job, listener), listener
