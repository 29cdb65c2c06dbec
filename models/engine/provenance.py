"""Provenance of a result, as text for tags and attributes."""

from __future__ import annotations

import re
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


TEMPORARY = re.compile(r"[/\\]processing_\w+[/\\][0-9a-f]{32}[/\\][^/\\]+$")
"""A file of QGIS' own, of which it copies the features to where they were asked for."""


def is_temporary(value: object) -> bool:
    """Return whether an output is a temporary file of QGIS."""
    return isinstance(value, str) and bool(TEMPORARY.search(value))


def command(algorithm: str, asked: Parameters) -> str:
    """Return the command that repeats a job; a list repeats its name.

    The engine does not know where QGIS puts a vector layer: that becomes a temporary output.
    """
    given = asked.model_dump(mode="json", exclude_defaults=True)
    options = [
        f"{name.upper()}={shlex.quote(word)}"
        for name, value in given.items()
        for word in (["TEMPORARY_OUTPUT"] if is_temporary(value) else _words(value))
    ]
    return " ".join([f"qgis_process run glacier:{algorithm} --", *options])


def _words(value: object) -> list[str]:
    """Return how the command line takes a value."""
    if isinstance(value, list):
        return [word for one in value for word in _words(one)]
    if isinstance(value, dict) and "path" in value:
        layer = f"|layername={value['layer']}" if value.get("layer") else ""
        return [f"{value['path']}{layer}"]
    if isinstance(value, dict) and "xmin" in value:
        return [",".join(f"{value[side]:.12g}" for side in ("xmin", "xmax", "ymin", "ymax"))]
    return [str(value).lower() if isinstance(value, bool) else str(value)]
