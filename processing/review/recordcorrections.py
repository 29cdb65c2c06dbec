"""What a person corrected, kept beside the predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFile,
)

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import REVIEW, Parameter, report, table
from glacier_qgis.processing.review.parameters import (
    CONNECTION,
    DEFAULT_SCHEMA,
    SCHEMA,
    SHARED,
    ReviewAlgorithm,
    shared_review,
    unsaved,
)
from glacier_qgis.translation import tr


class RecordCorrections(ReviewAlgorithm):
    """`glacier:recordcorrections`."""

    ID = "recordcorrections"
    TITLE = tr("Record corrections")
    GROUP = REVIEW
    TAGS = tr(
        "review,correct,edit,record,provenance,error,audit,confidence interval,training data,"
        "calving,front,terminus,line,postgis,human in the loop,glacier"
    )
    SUMMARY = tr(
        "Compares the lines of a review with the predictions that they came from, and keeps what "
        "a person made of each scene: lines before and after, their distance in metres and cells, "
        "who and when.\n\n"
        "Corrections are only appended: run it as often as you like, each change is kept once. "
        "The scenes that were drawn at random give an estimate of the error in the scenes that "
        "nobody looked at, with its interval. Tasks that are open or skipped are not recorded."
    )
    NOT_SENT = frozenset(SHARED)

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            described(
                QgsProcessingParameterFile(
                    "REVIEW",
                    tr("Review"),
                    extension="gpkg",
                    optional=True,
                ),
                tr("GeoPackage of 'Prepare review'. Give this or CONNECTION."),
            ),
            *shared_review(
                tr(
                    "The database in which a team shares the review: the name of a connection in "
                    "QGIS' browser, or a URI. Give this or REVIEW."
                )
            ),
            table(
                "OUTPUT",
                tr("Recorded tasks"),
                tr(
                    "One row per finished task: whether it was recorded now, earlier or not, and "
                    "why; errors in metres and cells; lines kept, edited, added and deleted."
                ),
            ),
            report(
                tr(
                    "Errors of what was reviewed, the estimate for the scenes that nobody looked "
                    "at, and every task, the largest error first."
                )
            ),
        ]

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class; edits that are not saved would not be recorded."""
        path = self.parameterAsFile(parameters, "REVIEW", context)
        connection = self.parameterAsString(parameters, CONNECTION, context)
        schema = self.parameterAsString(parameters, SCHEMA, context) or DEFAULT_SCHEMA
        layer = unsaved(context, path, schema if connection else "")
        if layer is not None:
            yield (
                "REVIEW",
                tr(
                    "REVIEW: the layer '{layer}' has edits that are not saved. Save or discard "
                    "them, and run again."
                ).format(layer=layer.name()),
            )
        yield from super().faults(parameters, context)

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("RECORDED", tr("Tasks recorded now")),
            QgsProcessingOutputNumber("TOTAL", tr("Tasks recorded in all")),
            QgsProcessingOutputNumber("LEFT_OUT", tr("Finished tasks that could not be recorded")),
            QgsProcessingOutputNumber("MEAN_ERROR", tr("Mean error of the recorded tasks (m)")),
            QgsProcessingOutputNumber(
                "AUDIT_SCENES", tr("Scenes that the queue left out of its ranking")
            ),
            QgsProcessingOutputNumber("AUDIT_SAMPLE", tr("Scenes among them that were looked at")),
            QgsProcessingOutputNumber("AUDIT_ERROR", tr("Estimate of their mean error (m)")),
            QgsProcessingOutputNumber("AUDIT_LOW", tr("Lower end of its interval (m)")),
            QgsProcessingOutputNumber("AUDIT_HIGH", tr("Upper end of its interval (m)")),
        ]
