"""A graphical model that comes with the plugin."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingModelAlgorithm
from qgis.PyQt.QtGui import QIcon

from glacier_qgis.processing.declarations.help import help_url
from glacier_qgis.resources import ICONS

FOLDER = Path(__file__).parent / "graphical"


class ShippedModel(QgsProcessingModelAlgorithm):
    """The model of one file, with the file's name as its permanent id."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self.fromFile(str(path))

    def name(self) -> str:
        """Return the permanent id."""
        return self._path.stem

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
