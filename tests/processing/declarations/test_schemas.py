"""Each parameter is declared twice, for the dialog and for the engine: the two agree."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterNumber,
)

from kit.places import PLUGINS, PROGRAMS
from kit.qgis.fixtures import ENGINE

NO_LIMIT = sys.float_info.max
"""What QGIS takes for the largest number, of either sign, where a declaration names none."""

Declared = QgsProcessingParameterDefinition
Schemas = dict[str, dict[str, dict[str, Any]]]


def _algorithms() -> Iterator[Any]:
    from glacier_qgis.processing.base import EngineAlgorithm
    from glacier_qgis.processing.provider import ALGORITHMS

    for kind in ALGORITHMS:
        if issubclass(kind, EngineAlgorithm):
            yield kind().create()


def _sent(algorithm: Any, context: QgsProcessingContext) -> dict[str, object]:  # noqa: ANN401
    """Return what the job holds of each input that nobody sets."""
    from glacier_qgis.processing.inputs.job_values import job_value

    optional = [
        definition
        for definition in _taken(algorithm)
        if not definition.isDestination() and not _must_be_given(definition)
    ]
    return {
        definition.name().lower(): job_value(algorithm, definition, {}, context, [])
        for definition in optional
    }


def _taken(algorithm: Any) -> list[Declared]:  # noqa: ANN401
    """Return the parameters that cross the wall."""
    return [p for p in algorithm.parameterDefinitions() if p.name() not in algorithm.NOT_SENT]


def _must_be_given(definition: Declared) -> bool:
    optional = definition.flags() & Declared.Flag.FlagOptional
    return not optional and definition.defaultValue() is None


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    """Return, of each job and parameter, what the engine's schema says."""
    values = {
        algorithm.name(): _sent(algorithm, QgsProcessingContext()) for algorithm in _algorithms()
    }
    done = subprocess.run(
        [ENGINE, "-I", PROGRAMS / "engine_schemas.py", PLUGINS],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def _pairs(schemas: Schemas) -> Iterator[tuple[str, Declared, dict[str, Any]]]:
    """Yield each parameter's full name, its declaration and its schema."""
    for algorithm in _algorithms():
        for definition in _taken(algorithm):
            schema = schemas[algorithm.name()][definition.name().lower()]
            yield f"{algorithm.name()}.{definition.name()}", definition, schema


def test_each_algorithm_declares_exactly_what_its_job_takes(schemas: Schemas) -> None:
    for algorithm in _algorithms():
        declared = {definition.name().lower() for definition in _taken(algorithm)}
        assert declared == set(schemas[algorithm.name()]), algorithm.name()


def test_the_same_numbers_are_in_bounds(schemas: Schemas) -> None:
    declared, taken = {}, {}
    for name, definition, schema in _pairs(schemas):
        if isinstance(definition, QgsProcessingParameterNumber):
            bounds = (definition.minimum(), definition.maximum())
            declared[name] = tuple(None if abs(one) == NO_LIMIT else one for one in bounds)
            taken[name] = (schema.get("minimum"), schema.get("maximum"))
    assert declared == taken


def test_the_same_choices_are_offered(schemas: Schemas) -> None:
    for name, definition, schema in _pairs(schemas):
        if isinstance(definition, QgsProcessingParameterEnum):
            assert definition.options() == schema["choices"], name


def test_what_nobody_sets_is_what_the_engine_takes_by_itself(schemas: Schemas) -> None:
    sent, taken = {}, {}
    for name, definition, schema in _pairs(schemas):
        if not definition.isDestination() and not _must_be_given(definition):
            sent[name], taken[name] = schema.get("understood"), schema.get("default")
    assert sent == taken


def test_the_engine_requires_what_the_dialog_requires(schemas: Schemas) -> None:
    for name, definition, schema in _pairs(schemas):
        if definition.isDestination():  # a dialog may insist on a file that the engine can spare
            assert _must_be_given(definition) or not schema["required"], name
        else:
            assert _must_be_given(definition) == schema["required"], name
