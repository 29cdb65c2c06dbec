"""What the engine's schemas say of each parameter; runs in the engine's Python.

    python -I engine_schemas.py PLUGINS < VALUES.json > SCHEMAS.json

VALUES holds, of some jobs, what each parameter is sent as where nobody sets it.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo


def schema_of(job: str) -> Any:  # noqa: ANN401  the schemas cannot be imported before the path is set
    """Return the class of a job's parameters."""
    from glacier_qgis.models.app.jobs import JOBS

    module, _, name = JOBS[job].partition(":")
    return getattr(import_module(module), name)


def facts(field: FieldInfo, shown: dict[str, Any], sent: object) -> dict[str, Any]:
    """Return what holds for one parameter.

    Args:
        field: The parameter.
        shown: Its part of the JSON schema.
        sent: What it is sent as where nobody sets it.
    """
    kinds = [shown, *shown.get("anyOf", ())]
    said = {key: kind[key] for kind in kinds for key in ("minimum", "maximum") if key in kind}
    said["choices"] = shown.get("enum")
    said["required"] = field.is_required()
    if not field.is_required():
        adapter: TypeAdapter[Any] = TypeAdapter(field.rebuild_annotation())
        default = field.get_default(call_default_factory=True)
        said["default"] = adapter.dump_python(default, mode="json")
        said["understood"] = adapter.dump_python(adapter.validate_python(sent), mode="json")
    return said


if __name__ == "__main__":
    sys.path.append(sys.argv[1])
    answer: dict[str, dict[str, Any]] = {}
    for job, values in json.load(sys.stdin).items():
        schema = schema_of(job)
        shown = schema.model_json_schema()["properties"]
        answer[job] = {
            name: facts(field, shown[name], values.get(name))
            for name, field in schema.model_fields.items()
        }
    json.dump(answer, sys.stdout)
