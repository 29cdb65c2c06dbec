"""Provenance of a result, as text for tags and attributes."""

from __future__ import annotations

from datetime import UTC, datetime

from glacier_qgis.models.engine.job import Job
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
