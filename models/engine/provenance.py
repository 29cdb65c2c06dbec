"""Provenance of a result, as text for tags and attributes."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

from glacier_qgis.models.engine.job import Job, Parameters
from glacier_qgis.version import VERSION

SOFTWARE = "glacier_qgis"


def software_version() -> str:
    """Name and version of this software."""
    return f"{SOFTWARE} {VERSION}"


def provenance(job: Job) -> dict[str, str]:
    """Return software, time and the job's parameters as text."""
    return {
        "SOFTWARE": software_version(),
        "CREATED": datetime.now(UTC).isoformat(timespec="seconds"),
        "ALGORITHM": type(job).__name__,
        "PARAMETERS": job.model_dump_json(exclude_none=True),
    }


def command(algorithm: str, asked: Parameters) -> str:
    """Return the command that repeats a job."""
    given = asked.model_dump(mode="json", exclude_defaults=True)
    options = [f"--{name.upper()}={shlex.quote(str(value))}" for name, value in given.items()]
    return " ".join(["qgis_process run", f"glacier:{algorithm}", *options])
