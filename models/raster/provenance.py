"""Where a result came from, in the words that go into tags and attributes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from glacier_qgis.models.engine.job import Job


def software_version() -> str:
    """Name and version of this software, from the plugin's metadata."""
    metadata = Path(__file__).parents[2] / "metadata.txt"
    for line in metadata.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "version":
            return f"glacier_qgis {value.strip()}"
    raise ValueError(f"{metadata} states no version")


def provenance(job: Job) -> dict[str, str]:
    """Return software, time and the job's parameters as text."""
    return {
        "SOFTWARE": software_version(),
        "CREATED": datetime.now(UTC).isoformat(timespec="seconds"),
        "ALGORITHM": type(job).__name__,
        "PARAMETERS": job.model_dump_json(exclude_none=True),
    }
