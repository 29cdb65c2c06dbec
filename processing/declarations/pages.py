"""Pages of a dialog: which parameter is on which of them, and when it applies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeAlias

from qgis.core import Qgis, QgsProcessingParameterDefinition, QgsProcessingParameterString

from glacier_qgis.translation import tr

Parameter: TypeAlias = QgsProcessingParameterDefinition
GIVEN, BLANK = True, False
"""What `only_if` may ask of another parameter, instead of a value."""
_CONDITIONS = "only_if"
OFFERS = "offers"


@dataclass(frozen=True)
class Page:
    """A page of a dialog.

    Attributes:
        title: What the list of pages shows.
        main: Parameters that everybody sets.
        sections: Further parameters by the title of the section that they are folded into.
    """

    title: str
    main: Sequence[Parameter]
    sections: Mapping[str, Sequence[Parameter]] = field(default_factory=dict)

    def parameters(self) -> list[Parameter]:
        """Return all parameters of the page, in their order."""
        return [*self.main, *chain.from_iterable(self.sections.values())]


def page(title: str, parameters: Iterable[Parameter]) -> Page:
    """Return a page whose advanced parameters are folded into a section."""
    main: list[Parameter] = []
    advanced: list[Parameter] = []
    for parameter in parameters:
        expert = parameter.flags() & Qgis.ProcessingParameterFlag.Advanced
        (advanced if expert else main).append(parameter)
    return Page(title, main, {tr("Advanced"): advanced} if advanced else {})


def declared(pages: Iterable[Page]) -> list[Parameter]:
    """Return the parameters of all pages, destinations last."""
    every = chain.from_iterable(page.parameters() for page in pages)
    return sorted(every, key=lambda parameter: bool(parameter.isDestination()))


def only_if(parameter: Parameter, **conditions: bool | Sequence[str]) -> Parameter:
    """Show a parameter in dialogs only while others are GIVEN, BLANK or one of some values."""
    known = parameter.metadata()
    conditions = known.get(_CONDITIONS, {}) | conditions
    parameter.setMetadata(known | {_CONDITIONS: conditions})
    return parameter


def applies(parameter: Parameter, values: Mapping[str, object]) -> bool:
    """Return whether a parameter applies beside the values of the others."""
    conditions = parameter.metadata().get(_CONDITIONS, {})
    return all(_meets(values.get(name), wanted) for name, wanted in conditions.items())


def _meets(value: object, wanted: bool | Sequence[str]) -> bool:
    if isinstance(wanted, bool):
        return (value not in (None, "")) is wanted
    return value in wanted


def offering(what: str, of: Sequence[str], name: str, title: str) -> Parameter:
    """Declare an optional text for which dialogs offer the "fields" or "bands" of other inputs."""
    text = QgsProcessingParameterString(name, title, "", optional=True)
    text.setMetadata({OFFERS: what, "of": list(of)})
    return text
