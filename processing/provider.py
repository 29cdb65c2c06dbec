"""The provider "Glacier" of the Processing toolbox."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingModelAlgorithm, QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from glacier_qgis.processing.base import ICONS
from glacier_qgis.processing.calving_fronts.delineatetermini import DelineateTermini
from glacier_qgis.processing.calving_fronts.extracttermini import ExtractTermini
from glacier_qgis.processing.calving_fronts.segmentcalvingfront import SegmentCalvingFront
from glacier_qgis.processing.engine.engineinfo import EngineInfo
from glacier_qgis.processing.engine.setupengine import SetupEngine
from glacier_qgis.processing.ice_flow.icevelocity import IceVelocity
from glacier_qgis.processing.ice_flow.simulateglacier import SimulateGlacier
from glacier_qgis.version import VERSION

ALGORITHMS = (
    SegmentCalvingFront,
    ExtractTermini,
    DelineateTermini,
    SimulateGlacier,
    IceVelocity,
    SetupEngine,
    EngineInfo,
)
MODELS = Path(__file__).parent / "graphical"


class GlacierProvider(QgsProcessingProvider):
    """Holds the algorithms and the graphical models that come with them."""

    def id(self) -> str:
        """Return the permanent id."""
        return "glacier"

    def name(self) -> str:
        """Return the title."""
        return "Glacier"

    def longName(self) -> str:
        """Return the title with its version."""
        return f"Glacier ({VERSION})"

    def icon(self) -> QIcon:
        """Return the plugin's icon."""
        return QIcon(str(ICONS / "glacier.svg"))

    def supportedOutputRasterLayerExtensions(self) -> list[str]:
        """Rasters are GeoTIFFs."""
        return ["tif"]

    def loadAlgorithms(self) -> None:
        """Register everything; whether the engine is there shows when one is run."""
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())
        for path in sorted(MODELS.glob("*.model3")):
            model = QgsProcessingModelAlgorithm()
            if model.fromFile(str(path)):
                self.addAlgorithm(model)
