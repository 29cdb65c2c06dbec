"""The provider "Glacier" of the Processing toolbox."""

from __future__ import annotations

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from glacier_qgis.processing.calving_fronts.comparetermini import CompareTermini
from glacier_qgis.processing.calving_fronts.delineatetermini import DelineateTermini
from glacier_qgis.processing.calving_fronts.extracttermini import ExtractTermini
from glacier_qgis.processing.calving_fronts.segmentcalvingfront import SegmentCalvingFront
from glacier_qgis.processing.calving_fronts.terminuschange import TerminusChange
from glacier_qgis.processing.calving_fronts.terminustimeseries import TerminusTimeSeries
from glacier_qgis.processing.engine.engineinfo import EngineInfo
from glacier_qgis.processing.engine.setupengine import SetupEngine
from glacier_qgis.processing.ice_flow.evaluateemulator import EvaluateEmulator
from glacier_qgis.processing.ice_flow.glacierthickness import GlacierThickness
from glacier_qgis.processing.ice_flow.icevelocity import IceVelocity
from glacier_qgis.processing.ice_flow.runinstructor import RunInstructor
from glacier_qgis.processing.ice_flow.simulateglacier import SimulateGlacier
from glacier_qgis.processing.ice_flow.surfacemassbalance import SurfaceMassBalance
from glacier_qgis.processing.ice_flow.trainemulator import TrainEmulator
from glacier_qgis.processing.models_training.evaluatemodel import EvaluateModel
from glacier_qgis.processing.models_training.exportmodel import ExportModel
from glacier_qgis.processing.models_training.findlearningrate import FindLearningRate
from glacier_qgis.processing.models_training.inspecttrainingdata import InspectTrainingData
from glacier_qgis.processing.models_training.installmodel import InstallModel
from glacier_qgis.processing.models_training.preparetrainingdata import PrepareTrainingData
from glacier_qgis.processing.models_training.trainmodel import TrainModel
from glacier_qgis.processing.radar_layers.exportlayers import ExportLayers
from glacier_qgis.processing.radar_layers.importradargram import ImportRadargram
from glacier_qgis.processing.radar_layers.simulateradargram import SimulateRadargram
from glacier_qgis.processing.radar_layers.tracelayers import TraceLayers
from glacier_qgis.processing.review.preparereview import PrepareReview
from glacier_qgis.processing.review.recordcorrections import RecordCorrections
from glacier_qgis.processing.review.retrain import Retrain
from glacier_qgis.processing.shipped_model import shipped_models
from glacier_qgis.resources import ICONS
from glacier_qgis.version import VERSION

ALGORITHMS = (
    SegmentCalvingFront,
    ExtractTermini,
    DelineateTermini,
    TerminusTimeSeries,
    TerminusChange,
    CompareTermini,
    PrepareTrainingData,
    InspectTrainingData,
    FindLearningRate,
    TrainModel,
    EvaluateModel,
    InstallModel,
    ExportModel,
    SimulateGlacier,
    GlacierThickness,
    IceVelocity,
    SurfaceMassBalance,
    RunInstructor,
    TrainEmulator,
    EvaluateEmulator,
    ImportRadargram,
    SimulateRadargram,
    TraceLayers,
    ExportLayers,
    PrepareReview,
    RecordCorrections,
    Retrain,
    SetupEngine,
    EngineInfo,
)


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
        return ["tif", "tiff"]

    def loadAlgorithms(self) -> None:
        """Register everything; whether the engine is there shows when one is run."""
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())
        for model in shipped_models():
            self.addAlgorithm(model)
