"""A queue of predictions to look at, as layers to edit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterString,
    QgsVariantUtils,
    QgsVectorLayer,
)

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import REVIEW, WHOLE, Parameter, number
from glacier_qgis.processing.outputs.loading import load_tables
from glacier_qgis.processing.postgis.connection import Database
from glacier_qgis.processing.postgis.sharing import (
    GEOMETRY,
    require_no_review,
    share,
    table_of_file,
)
from glacier_qgis.processing.review.parameters import (
    SHARED,
    database_of,
    shared_review,
    warn_if_temporary,
)
from glacier_qgis.results.run import Run
from glacier_qgis.styles import REVIEW as LOOKS
from glacier_qgis.translation import tr
from glacier_qgis.wall.review import LINES, PREDICTED, TASKS, TRACE

TITLES = {
    LINES: tr("Lines to review"),
    PREDICTED: tr("As predicted"),
    TASKS: tr("Scenes to review"),
}


class PrepareReview(EngineAlgorithm):
    """`glacier:preparereview`."""

    ID = "preparereview"
    TITLE = tr("Prepare review")
    GROUP = REVIEW
    TAGS = tr(
        "review,correct,edit,active learning,uncertainty,ranking,queue,quality control,audit,"
        "calving,front,terminus,line,radar,echogram,layer,postgis,human in the loop,glacier"
    )
    SUMMARY = tr(
        "Makes a queue of scenes or echograms whose predicted lines a person should look at, with "
        "layers to correct them: the most uncertain first, spread over glaciers and dates. An "
        "echogram is cut into stretches, each with its most doubtful place.\n\n"
        "Part of the queue is drawn at random, without regard to uncertainty: this audit says how "
        "large the error is in the scenes that nobody looks at. The review is a GeoPackage (or a "
        "schema in PostGIS) with forms: edit with QGIS' own tools, in the panel 'Review' or "
        "without it, then run 'Record corrections'."
    )
    NOT_SENT = frozenset(SHARED)

    _database: Database | None

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            described(
                QgsProcessingParameterFeatureSource(
                    "INPUT", tr("Predicted lines"), [Qgis.ProcessingSourceType.VectorLine]
                ),
                tr("Lines of 'Delineate termini', 'Terminus time series' or 'Trace layers'."),
            ),
            *_scenes(),
            number(
                "COUNT",
                tr("Scenes to review"),
                tr("Length of the queue; all scenes if there are fewer."),
                100,
                kind=WHOLE,
                minValue=1,
                maxValue=100_000,
            ),
            number(
                "AUDIT_SHARE",
                tr("Share drawn at random (%)"),
                tr(
                    "Part of the queue that is drawn at random from the scenes that the ranking "
                    "leaves out; 0 = none, and nothing is known of these scenes."
                ),
                15,
                word=tr("none"),
                minValue=0,
                maxValue=50,
            ),
            described(
                QgsProcessingParameterString("REVIEWERS", tr("Reviewers"), "", optional=True),
                tr(
                    "Names, separated by commas, to whom the scenes are assigned in turn. Leave it "
                    "empty to assign nobody."
                ),
            ),
            *shared_review(
                tr(
                    "A database that a team shares: the name of a connection in QGIS' browser, or "
                    "a URI such as 'host=db dbname=glaciers user=ada'. The review is written there "
                    "as well, and its layers are opened from there. Leave it empty for the "
                    "GeoPackage alone."
                )
            ),
            described(
                QgsProcessingParameterMultipleLayers(
                    "UNCERTAINTY",
                    tr("Uncertainty rasters"),
                    Qgis.ProcessingSourceType.Raster,
                    optional=True,
                ),
                tr(
                    "UNCERTAINTY of 'Delineate termini', one per scene: scenes are ranked by its "
                    "mean near the lines. PROBABILITY of 'Trace layers', one per echogram: "
                    "stretches are ranked by its entropy. Leave it empty to rank by the lines: "
                    "'uncertainty_m' of fronts, 'confidence' and ends of layers."
                ),
                advanced=True,
            ),
            number(
                "STRETCH",
                tr("Traces per stretch"),
                tr(
                    "Of echograms: longest stretch of a task, in traces. 0 = whole echograms. "
                    "Scenes are never cut."
                ),
                500,
                word=tr("whole echograms"),
                kind=WHOLE,
                minValue=0,
                maxValue=1_000_000,
                advanced=True,
            ),
            number(
                "SEED",
                tr("Seed"),
                tr("Of the random numbers: the same seed draws the same scenes."),
                0,
                kind=WHOLE,
                minValue=0,
                maxValue=2**31 - 1,
                advanced=True,
            ),
            described(
                QgsProcessingParameterFileDestination(
                    "OUTPUT", tr("Review"), tr("GeoPackage (*.gpkg)")
                ),
                tr(
                    "GeoPackage with the tables 'tasks', 'lines', 'lines_predicted', "
                    "'corrections', 'models' and 'scenes', and their forms."
                ),
            ),
        ]

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class."""
        if bool(parameters.get("SCENES")) == bool(parameters.get("FOLDER")):
            yield "SCENES", tr("Give the scenes as SCENES or as FOLDER.")
        yield from super().faults(parameters, context)

    @contextmanager
    def lent(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> Iterator[dict[str, Any]]:
        """Look at the shared database before the work, so that nothing is done in vain."""
        self._database = database_of(self, parameters, context)
        if self._database is not None:
            require_no_review(self._database)
        yield {}
        if self._database is None:
            warn_if_temporary(self.parameterAsFileOutput(parameters, "OUTPUT", context), feedback)

    def accompany(
        self, run: Run, outputs: Mapping[str, Any], context: QgsProcessingContext
    ) -> None:
        """Store the forms, share the review if it is asked for, and load its layers."""
        review, database = Path(outputs["OUTPUT"]), self._database
        layers = {table: table_of_file(review, table) for table in LOOKS}
        if database is not None:
            share(review, database)
            layers |= {table: database.layer(table, GEOMETRY) for table in LOOKS}
        load_tables(run, layers, TITLES, LOOKS, context, aside=of_echograms(layers[TASKS]))

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("TASKS", tr("Scenes to review")),
            QgsProcessingOutputNumber("AUDIT", tr("Scenes among them drawn at random")),
            QgsProcessingOutputNumber("SCENES", tr("Number of scenes")),
        ]


def of_echograms(tasks: QgsVectorLayer) -> bool:
    """Whether the tasks of a review are stretches of echograms."""
    return any(not QgsVariantUtils.isNull(task[TRACE]) for task in tasks.getFeatures())


def _scenes() -> list[Parameter]:
    return [
        described(
            QgsProcessingParameterMultipleLayers(
                "SCENES", tr("Scenes or echograms"), Qgis.ProcessingSourceType.Raster, optional=True
            ),
            tr(
                "Scenes or echograms that the lines were predicted from, as layers or files, also "
                "those without a line. Give these or FOLDER."
            ),
        ),
        described(
            QgsProcessingParameterFile(
                "FOLDER",
                tr("Folder of scenes"),
                QgsProcessingParameterFile.Behavior.Folder,
                optional=True,
            ),
            tr(
                "All rasters in this folder and its subfolders (tif, tiff, vrt, jp2, img, nc) are "
                "scenes; if some of them are echograms, these alone. Give this or SCENES."
            ),
        ),
    ]
