"""What every algorithm here shares: parameters go to the engine, outputs come back styled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterDefinition,
)
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QWidget

from glacier_qgis.engine import engine_obstacle, run_job
from glacier_qgis.links import with_link
from glacier_qgis.processing.destinations import Destinations
from glacier_qgis.processing.help import help_url, short_help
from glacier_qgis.processing.inputs import Inputs
from glacier_qgis.processing.pages import Page, declared
from glacier_qgis.processing.places import destination_faults, edited_faults
from glacier_qgis.processing.results import first_input, hand_over, run_of, settle
from glacier_qgis.results.presenter import Style
from glacier_qgis.results.run import Run
from glacier_qgis.telling import Telling

ICONS = Path(__file__).parent.parent / "icons"


def described(
    parameter: QgsProcessingParameterDefinition, text: str, *, advanced: bool = False
) -> QgsProcessingParameterDefinition:
    """Give a parameter its help and, if it is one for experts, its place among those."""
    parameter.setHelp(text)
    if advanced:
        parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
    return parameter


class Described(QgsProcessingAlgorithm):
    """An algorithm that states who it is in class attributes.

    Attributes:
        ID: Permanent name.
        TITLE: What the toolbox shows.
        GROUP: Permanent id and title of its group.
        SUMMARY: What it does.
        TAGS: Words to find it by, with commas between.
    """

    ID: ClassVar[str]
    TITLE: ClassVar[str]
    GROUP: ClassVar[tuple[str, str]]
    SUMMARY: ClassVar[str]
    TAGS: ClassVar[str]

    def createInstance(self) -> Described:
        """Return a new object of the same algorithm."""
        return type(self)()

    def name(self) -> str:
        """Return the permanent id."""
        return self.ID

    def displayName(self) -> str:
        """Return the title."""
        return self.tr(self.TITLE)

    def groupId(self) -> str:
        """Return the permanent id of the group."""
        return self.GROUP[0]

    def group(self) -> str:
        """Return the group's title."""
        return self.tr(self.GROUP[1])

    def tags(self) -> list[str]:
        """Return words that the toolbox' search finds."""
        return self.tr(self.TAGS).split(",")

    def shortDescription(self) -> str:
        """Return what the algorithm does in a sentence, for lists and tooltips."""
        return re.split(r"[.:](?:\s|$)", self.tr(self.SUMMARY))[0] + "."

    def shortHelpString(self) -> str:
        """Return what the algorithm does, and what each of its parameters is."""
        return short_help(self, self.tr(self.SUMMARY))

    def helpUrl(self) -> str:
        """Return the address of the help page."""
        return help_url(self.ID)

    def icon(self) -> QIcon:
        """Return the group's icon."""
        return QIcon(str(ICONS / f"{self.GROUP[0]}.svg"))

    def tr(self, text: str) -> str:
        """Translate."""
        return QCoreApplication.translate(type(self).__name__, text)


class Question(NamedTuple):
    """What a dialog asks before a run that is likely not meant.

    Attributes:
        text: The question; names of parameters in it are shown as their labels.
        accept: The answer that runs it.
        refuse: The answer that does not.
    """

    text: str
    accept: str
    refuse: str


class EngineAlgorithm(Described):
    """An algorithm whose work is one job of the engine.

    A subclass declares its parameters and outputs and says how its outputs are styled, from
    the top of the map down; values are converted by type, under the parameter's name in lower
    case, and the engine's schema validates them.
    """

    STYLES: ClassVar[Mapping[str, Style]] = {}

    _inputs: Inputs
    _telling: Telling
    _subject: str
    _command: str

    def pages(self) -> Sequence[Page]:
        """Return the pages of the dialog; without any, it is a single one as QGIS makes it."""
        return ()

    def declarations(self) -> Sequence[QgsProcessingParameterDefinition]:
        """Return the parameters, the most important first and destinations last."""
        return declared(self.pages())

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with several parameters together, each with the name of one."""
        yield from destination_faults(self, parameters, context)
        yield from edited_faults(self, parameters, context)

    def question(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Question | None:
        """Return what a dialog asks before it runs something that is likely not meant."""
        return None

    def canExecute(self) -> tuple[bool, str]:
        """Say before a dialog opens that there is no engine, with a link to its set-up."""
        obstacle = engine_obstacle()
        return not obstacle, with_link(obstacle)

    def checkParameterValues(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Refuse what makes no sense, before anything starts."""
        accepted, message = super().checkParameterValues(parameters, context)
        return self.checked(parameters, context) if accepted else (accepted, message)

    def checked(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Return whether there are no faults, and the first of them."""
        fault = next((text for _, text in self.faults(parameters, context)), "")
        return not fault, fault

    def createCustomParametersWidget(self, parent: QWidget | None = None) -> QWidget:
        """Return the dialog."""
        from glacier_qgis.processing.dialog import GlacierDialog

        return GlacierDialog(self, parent=parent)

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:
        """Declare parameters and outputs."""
        for parameter in self.declarations():
            self.addParameter(parameter)
        for output in self.numbers():
            self.addOutput(output)

    def numbers(self) -> Sequence[Any]:
        """Return definitions of outputs that are no destinations."""
        return ()

    def prepareAlgorithm(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> bool:
        """Resolve layers and extents on the main thread."""
        self._telling = Telling(self, feedback)
        with self._telling.errors():
            self._inputs = Inputs(self, parameters, context)
        self._subject = first_input(self, parameters, context)
        self._command, _ = self.asQgisProcessCommand(parameters, context)
        return True

    def processAlgorithm(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        """Run the job and hand its outputs to QGIS."""
        with (
            self._telling.errors(),
            Destinations(self, parameters, context) as destinations,
        ):
            with self._inputs.copied(context, feedback):
                job = self._inputs.job | destinations.job_values()
                result = run_job(self.ID, job, feedback, self._telling)
            outputs = destinations.deliver(result, feedback)
        names = {output.name() for output in self.outputDefinitions()}
        outputs |= {name: result[name] for name in names - outputs.keys() if name in result}
        run = run_of(self, self._command, self._subject, result, context)
        hand_over(self, self.STYLES, run, outputs, context)
        self.accompany(run, outputs, context)
        return {name: value for name, value in outputs.items() if value is not None}

    def accompany(
        self, run: Run, outputs: Mapping[str, Any], context: QgsProcessingContext
    ) -> None:
        """Let more be loaded than the outputs."""

    def postProcessAlgorithm(
        self, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Make the layers' CRSs the main thread's own before the project takes them."""
        settle(context)
        return {}
