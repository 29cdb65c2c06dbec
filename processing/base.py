"""What every algorithm here shares: parameters go to the engine, outputs come back styled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
)
from qgis.PyQt.QtWidgets import QWidget

from glacier_qgis.client.engine import engine_obstacle, run_job
from glacier_qgis.messages.links import with_link
from glacier_qgis.messages.telling import Telling
from glacier_qgis.processing.declarations.described import Asked
from glacier_qgis.processing.inputs.job_values import Inputs
from glacier_qgis.processing.outputs.destinations import Destinations
from glacier_qgis.processing.outputs.faults import destination_faults, edited_faults
from glacier_qgis.processing.outputs.loading import first_input, hand_over, run_of, settle
from glacier_qgis.processing.outputs.places import Place, places_of_inputs
from glacier_qgis.results.presenter import Style
from glacier_qgis.results.run import Run

DIGITS = 7
"""Significant digits of results: the log prints all that there are."""


class EngineAlgorithm(Asked):
    """An algorithm whose work is one job of the engine.

    A subclass declares its parameters and outputs and says how its outputs are styled, from
    the top of the map down; values are converted by type, under the parameter's name in lower
    case, and the engine's schema validates them.

    Attributes:
        STYLES: How outputs look, by name.
        NOT_SENT: Names of parameters that the engine does not get: the algorithm acts on them.
    """

    STYLES: ClassVar[Mapping[str, Style]] = {}
    NOT_SENT: ClassVar[frozenset[str]] = frozenset()

    _inputs: Inputs
    _telling: Telling
    _sources: list[tuple[str, Place]]
    _subject: str
    _command: str

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class; an output must not take anything away."""
        inputs = list(places_of_inputs(self, parameters, context))
        yield from destination_faults(self, parameters, context, inputs)
        yield from edited_faults(self, parameters, context)

    def canExecute(self) -> tuple[bool, str]:
        """Say before a dialog opens that there is no engine, with a link to its set-up."""
        obstacle = engine_obstacle()
        return not obstacle, with_link(obstacle)

    def checkParameterValues(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Refuse what makes no sense, before anything starts."""
        accepted, message = super().checkParameterValues(parameters, context)
        return self.checked(parameters, context) if accepted else (False, message or "")

    def checked(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Return whether there are no faults, and the first of them."""
        fault = next((text for _, text in self.faults(parameters, context)), "")
        return not fault, fault

    def createCustomParametersWidget(self, parent: QWidget | None = None) -> QWidget:
        """Return the dialog."""
        from glacier_qgis.processing.dialogs.dialog import GlacierDialog

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

    def prepareAlgorithm(  # type: ignore[override]  # never None
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> bool:
        """Resolve layers and extents on the main thread."""
        self._telling = Telling(self, feedback)
        with self._telling.errors():
            self._inputs = Inputs(self, parameters, context, self.NOT_SENT)
        self._sources = list(places_of_inputs(self, parameters, context))
        self._subject = first_input(self, parameters, context)
        self._command, _ = self.asQgisProcessCommand(parameters, context)
        return True

    def processAlgorithm(  # type: ignore[override]  # never None
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        """Run the job and hand its outputs to QGIS."""
        with (
            self._telling.errors(),
            Destinations(self, parameters, context, self._sources) as destinations,
        ):
            with (
                self._inputs.copied(context, feedback),
                self.lent(parameters, context, feedback) as lent,
            ):
                job = self._inputs.job | destinations.job_values() | lent
                result = run_job(self.ID, job, feedback, self._telling)
            outputs = destinations.deliver(result, feedback)
        names = {output.name() for output in self.outputDefinitions()}
        numbers = {name: result[name] for name in names - outputs.keys() if name in result}
        outputs |= {name: rounded(value) for name, value in numbers.items()}
        run = run_of(self, self._command, self._subject, result, context)
        hand_over(self, self.STYLES, run, outputs, context)
        self.accompany(run, outputs, context)
        return {name: value for name, value in outputs.items() if value is not None}

    @contextmanager
    def lent(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> Iterator[dict[str, Any]]:
        """Yield further values of the job; what follows is done when the engine has succeeded."""
        yield {}

    def accompany(
        self, run: Run, outputs: Mapping[str, Any], context: QgsProcessingContext
    ) -> None:
        """Let more be loaded than the outputs."""

    def postProcessAlgorithm(  # type: ignore[override]  # never None
        self, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Make the layers' CRSs the main thread's own before the project takes them."""
        settle(context)
        return {}


def rounded(value: object) -> object:
    """Return a number as the log should print it; other values as they are."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
