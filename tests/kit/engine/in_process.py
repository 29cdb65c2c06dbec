"""Jobs run in the process of the tests."""

from __future__ import annotations

from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.engine.job import Job
from glacier_qgis.models.engine.outputs import Outputs
from kit.engine.listener import Listener

JOB_ID = "0123456789ab"


def run_job(job: Job, listener: Listener) -> Result:
    with Outputs(JOB_ID) as outputs:
        return job.run(listener, outputs)
