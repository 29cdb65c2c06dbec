"""Who an algorithm is, and what its dialog asks: stated in class attributes and declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

from qgis.core import (
    Qgis,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingParameterDefinition,
)
from qgis.PyQt.QtGui import QIcon

from glacier_qgis.processing.declarations.help import help_url, short_help
from glacier_qgis.processing.declarations.pages import Page, declared
from glacier_qgis.resources import ICONS


def described(
    parameter: QgsProcessingParameterDefinition, text: str, *, advanced: bool = False
) -> QgsProcessingParameterDefinition:
    """Give a parameter its help and, if it is one for experts, its place among those."""
    parameter.setHelp(text)
    if advanced:
        parameter.setFlags(parameter.flags() | Qgis.ProcessingParameterFlag.Advanced)
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
        return self.TITLE

    def groupId(self) -> str:
        """Return the permanent id of the group."""
        return self.GROUP[0]

    def group(self) -> str:
        """Return the group's title."""
        return self.GROUP[1]

    def tags(self) -> list[str]:
        """Return words that the toolbox' search finds."""
        return self.TAGS.split(",")

    def shortDescription(self) -> str:
        """Return what the algorithm does in a sentence, for lists and tooltips."""
        return re.split(r"[.:](?:\s|$)", self.SUMMARY)[0] + "."

    def shortHelpString(self) -> str:
        """Return what the algorithm does, and what each of its parameters is."""
        return short_help(self, self.SUMMARY)

    def helpUrl(self) -> str:
        """Return the address of the help page."""
        return help_url(self.ID)

    def icon(self) -> QIcon:
        """Return the group's icon."""
        return QIcon(str(ICONS / f"{self.GROUP[0]}.svg"))


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


class Asked(Described):
    """An algorithm with a dialog of ours."""

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
        yield from ()

    def question(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Question | None:
        """Return what a dialog asks before it runs something that is likely not meant."""
        return None
