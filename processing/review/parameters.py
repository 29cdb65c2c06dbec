"""What the algorithms of the group share: parameters, and the copy of a review in a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterProviderConnection,
    QgsProcessingParameterString,
    QgsProcessingUtils,
    QgsProviderRegistry,
    QgsVectorLayer,
)

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import Parameter
from glacier_qgis.processing.postgis.connection import Database
from glacier_qgis.processing.postgis.sharing import fetch, give_back
from glacier_qgis.translation import tr
from glacier_qgis.wall.review import LINES, TASKS
from glacier_qgis.wall.same_file import is_same_file

CONNECTION, SCHEMA = SHARED = ("CONNECTION", "SCHEMA")
DEFAULT_SCHEMA = "glacier_review"


def shared_review(text: str) -> list[Parameter]:
    """Declare where a team shares a review; `text` says what the connection is for."""
    return [
        described(
            QgsProcessingParameterProviderConnection(
                CONNECTION, tr("PostGIS connection"), "postgres", optional=True
            ),
            text,
        ),
        described(
            QgsProcessingParameterString(SCHEMA, tr("Schema"), DEFAULT_SCHEMA, optional=True),
            tr("Schema of the database that holds the review, one for each review."),
            advanced=True,
        ),
    ]


def database_of(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Database | None:
    """Return the shared database that is given; None if none is.

    Raises:
        QgsProcessingException: It cannot be reached.
    """
    connection = algorithm.parameterAsString(parameters, CONNECTION, context).strip()
    schema = algorithm.parameterAsString(parameters, SCHEMA, context).strip()
    return Database(connection, schema or DEFAULT_SCHEMA) if connection else None


def warn_if_temporary(path: str, feedback: QgsProcessingFeedback) -> None:
    """Say that a file in the folder of temporary outputs goes with QGIS."""
    if Path(path).resolve().is_relative_to(Path(QgsProcessingUtils.tempFolder()).resolve()):
        feedback.pushWarning(
            tr(
                "OUTPUT: {name} is a temporary file, which QGIS removes when it is closed. Copy it "
                "before, or run again with a file of your own."
            ).format(name=Path(path).name)
        )


def unsaved(context: QgsProcessingContext, path: str, schema: str) -> QgsVectorLayer | None:
    """Return a layer of a review with edits that are not saved; only the main thread may look.

    Args:
        context: With the project.
        path: File of the review; blank if it is shared.
        schema: Schema of a shared one; blank if it is a file.
    """
    layers = context.project().mapLayers().values() if context.project() else ()
    changed = (each for each in layers if isinstance(each, QgsVectorLayer) and each.isModified())
    return next((each for each in changed if _is_of_review(each, path, schema)), None)


def _is_of_review(layer: QgsVectorLayer, path: str, schema: str) -> bool:
    """Whether a layer is a table of the review that a person edits."""
    parts = QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source())
    if (parts.get("layerName") or parts.get("table")) not in (LINES, TASKS):
        return False
    file = str(parts.get("path") or "")
    if path and file:
        return is_same_file(file, path)
    return bool(schema) and parts.get("schema") == schema


class ReviewAlgorithm(EngineAlgorithm):
    """An algorithm on a review that exists, in a file or shared."""

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class."""
        path = self.parameterAsFile(parameters, "REVIEW", context)
        connection = self.parameterAsString(parameters, CONNECTION, context)
        if bool(path) == bool(connection):
            yield "REVIEW", tr("Give the review as REVIEW or as CONNECTION.")
        yield from super().faults(parameters, context)

    def kept(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """Return what is there, and what to do, if the database takes nothing at the end."""
        return tr("Nothing was recorded. Run again once the database can be reached.")

    @contextmanager
    def lent(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> Iterator[dict[str, Any]]:
        """Lend the engine a copy of a shared review, and append to that what is new in the copy."""
        database = database_of(self, parameters, context)
        if database is None:
            yield {}
            return
        copy = Path(QgsProcessingUtils.generateTempFilename("review.gpkg", context))
        try:
            fetch(database, copy)
            yield {"review": str(copy)}
            try:
                give_back(copy, database)
            except QgsProcessingException as error:
                kept = self.kept(parameters, context)
                raise QgsProcessingException(f"{error} {kept}") from error
        finally:
            copy.unlink(missing_ok=True)
