"""A better model from corrected fronts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputBoolean,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterString,
)

from glacier_qgis.processing.declarations.described import Question, described
from glacier_qgis.processing.declarations.pages import Page, page
from glacier_qgis.processing.declarations.parameters import (
    REVIEW,
    WHOLE,
    Parameter,
    device,
    number,
    report,
    rock,
)
from glacier_qgis.processing.declarations.pickers import file_or_name
from glacier_qgis.processing.review.parameters import (
    CONNECTION,
    SHARED,
    ReviewAlgorithm,
    shared_review,
    warn_if_temporary,
)
from glacier_qgis.translation import tr


class Retrain(ReviewAlgorithm):
    """`glacier:retrain`."""

    ID = "retrain"
    TITLE = tr("Retrain")
    GROUP = REVIEW
    TAGS = tr(
        "review,correct,training,fine-tune,adapt,glacier,active learning,human in the loop,"
        "machine learning,deep learning,pytorch,calving,front,terminus,rock,radar,echogram,layer"
    )
    SUMMARY = tr(
        "Trains a model on the fronts or layers that were corrected in a review. What the model "
        "knew is held by replaying earlier data, and images of the random audit, which are not "
        "trained on, decide whether the new model is promoted.\n\n"
        "With ADAPT on, three to ten corrected scenes make a model of one glacier, for single "
        "scenes and for series, in about ten minutes on two cores. The model before stays as it "
        "is, and RESTORE brings it back."
    )
    NOT_SENT = frozenset(SHARED)

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        return [
            page(tr("Corrections"), [*_corrections(), rock()]),
            page(tr("Training"), _training()),
            page(tr("Results"), _results()),
        ]

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class."""
        connection = self.parameterAsString(parameters, CONNECTION, context)
        adapt = self.parameterAsBoolean(parameters, "ADAPT", context)
        if adapt and self.parameterAsBoolean(parameters, "RESTORE", context):
            yield "RESTORE", tr("Choose one of ADAPT and RESTORE.")
        if connection and self.parameterAsBoolean(parameters, "RESTORE", context):
            yield (
                "RESTORE",
                tr(
                    "A shared review keeps which model is in use. Choose the package of the model "
                    "before as MODEL where you need it."
                ),
            )
        yield from super().faults(parameters, context)

    def question(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Question | None:
        """Ask before a training, which takes hours; adapting takes minutes."""
        if any(self.parameterAsBoolean(parameters, name, context) for name in ("ADAPT", "RESTORE")):
            return None
        return Question(
            tr(
                "Train the model further on all corrected scenes of the review? It takes up to "
                "four hours; MINUTES sets another limit."
            ),
            tr("Train"),
            tr("Not now"),
        )

    def kept(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """See the base class."""
        return tr(
            "{package} is written, but the shared review does not know of it. Run again once the "
            "database can be reached: a model is trained once more, and noted there."
        ).format(package=self.parameterAsFileOutput(parameters, "OUTPUT", context))

    @contextmanager
    def lent(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> Iterator[dict[str, Any]]:
        """See the base class."""
        with super().lent(parameters, context, feedback) as values:
            yield values
        warn_if_temporary(self.parameterAsFileOutput(parameters, "OUTPUT", context), feedback)

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("SCENES", tr("Corrected scenes that it was trained on")),
            QgsProcessingOutputNumber("TESTED", tr("Corrected scenes of the frozen test")),
            QgsProcessingOutputBoolean("PROMOTED", tr("Whether it is not worse than before")),
            QgsProcessingOutputNumber("ERROR_BEFORE", tr("Error of the model before (m)")),
            QgsProcessingOutputNumber("ERROR_AFTER", tr("Error of the new model (m)")),
        ]


def _corrections() -> list[Parameter]:
    """Declare what was corrected, and what it is for."""
    return [
        described(
            QgsProcessingParameterFile("REVIEW", tr("Review"), extension="gpkg", optional=True),
            tr(
                "GeoPackage of 'Prepare review' whose corrections were recorded with 'Record "
                "corrections'. Give this or CONNECTION."
            ),
        ),
        *shared_review(
            tr(
                "The database in which a team shares the review: the name of a connection in "
                "QGIS' browser, or a URI. Give this or REVIEW."
            )
        ),
        described(
            QgsProcessingParameterBoolean("ADAPT", tr("Adapt to one glacier"), False),
            tr(
                "Make a model of one glacier from three to ten corrected scenes of it. Scenes "
                "elsewhere get the model before, with a warning. Off: train the model further for "
                "all glaciers."
            ),
        ),
        described(
            QgsProcessingParameterString("GLACIER", tr("Glacier"), "", optional=True),
            tr(
                "With ADAPT: the glacier, as in the field 'glacier' of the tasks. Leave it empty "
                "where the corrected scenes show only one."
            ),
        ),
    ]


def _training() -> list[Parameter]:
    """Declare how it is trained."""
    return [
        described(
            file_or_name(
                "MODEL",
                tr("Model"),
                "model",
                empty="automatic",
                nothing=tr(
                    "The retrained model that is in use in this review, otherwise the one that "
                    "made the predictions. The log says which."
                ),
            ),
            tr(
                "The model to continue from: an installed one, or a package. Empty or 'automatic': "
                "the retrained model that is in use in this review, otherwise the one that made "
                "the predictions."
            ),
        ),
        described(
            QgsProcessingParameterFile(
                "DATASET",
                tr("Earlier data"),
                QgsProcessingParameterFile.Behavior.Folder,
                optional=True,
            ),
            tr(
                "Folder of 'Prepare training data' with what the model was trained on before; its "
                "patches are replayed, so that it stays as good elsewhere. If empty, only scenes "
                "of the review are trained on; without ADAPT, its own predictions and weights "
                "half-way to those before hold what it knew."
            ),
        ),
        number(
            "LEAST",
            tr("Least number of new scenes"),
            tr(
                "Without ADAPT: train only if at least so many corrected scenes are new to the "
                "model."
            ),
            100,
            kind=WHOLE,
            minValue=1,
            maxValue=100_000,
        ),
        number(
            "MINUTES",
            tr("Longest time (min)"),
            tr(
                "Trainings and tests together; the schedule is scaled to it. 0 = automatic: 10 "
                "with ADAPT, otherwise 240."
            ),
            0,
            word=tr("automatic"),
            minValue=0,
            maxValue=100_000,
            advanced=True,
        ),
        described(
            QgsProcessingParameterBoolean("RESTORE", tr("Bring back the model before"), False),
            tr(
                "Train nothing: write the package of the model that the one in use was trained "
                "from, and use that again in this review."
            ),
            advanced=True,
        ),
        number(
            "SEED",
            tr("Seed"),
            tr("Seed of the random patches."),
            1,
            kind=WHOLE,
            minValue=0,
            maxValue=2**31 - 1,
            advanced=True,
        ),
        device(),
    ]


def _results() -> list[Parameter]:
    """Declare what is written."""
    return [
        described(
            QgsProcessingParameterFileDestination(
                "OUTPUT", tr("Model package"), tr("Model packages (*.zip)")
            ),
            tr(
                "The new model; earlier packages stay as they are. Its card says what it was "
                "trained on, from which model, and for which glacier."
            ),
        ),
        report(
            tr(
                "Errors before and after on scenes that it was not trained on, when the training "
                "ended and why, and the corrected scenes."
            )
        ),
    ]
