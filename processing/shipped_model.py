"""A graphical model that comes with the plugin."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingModelAlgorithm
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QIcon

from glacier_qgis.processing.declarations.help import help_url
from glacier_qgis.resources import ICONS
from glacier_qgis.translation import CONTEXT

FOLDER = Path(__file__).parent / "graphical"


class ShippedModel(QgsProcessingModelAlgorithm):
    """The model of one file, with the file's name as its permanent id."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self.fromFile(str(path))
        self.setHelpContent({key: _translated(text) for key, text in self.helpContent().items()})
        for definition in self.parameterDefinitions():
            definition.setDescription(_translated(definition.description()))
            if not definition.isDestination():  # those have the help of the step that they are of
                definition.setHelp(_translated(definition.help()))
        for output in self.outputDefinitions():
            output.setDescription(_translated(output.description()))

    def name(self) -> str:
        """Return the permanent id."""
        return self._path.stem

    def displayName(self) -> str:
        """Return the title."""
        return _translated(super().displayName())

    def group(self) -> str:
        """Return the title of the group."""
        return _translated(super().group())

    def createInstance(self) -> ShippedModel:
        """Return a new object of the same model."""
        return ShippedModel(self._path)

    def tags(self) -> list[str]:
        """Return words that the toolbox' search finds, which QGIS does not read from the file."""
        return str(self.helpContent().get("ALG_TAGS", "")).split(",")

    def helpUrl(self) -> str:
        """Return the address of the help page."""
        return help_url(self.name())

    def icon(self) -> QIcon:
        """Return the plugin's icon."""
        return QIcon(str(ICONS / "glacier.svg"))


def shipped_models() -> list[ShippedModel]:
    """Return a model for each file of the folder."""
    return [ShippedModel(path) for path in sorted(FOLDER.glob("*.model3"))]


def _translated(text: object) -> str:
    """Return a text of a file in the language of QGIS; ``tools/translations.py`` finds it there."""
    return QCoreApplication.translate(CONTEXT, str(text))
