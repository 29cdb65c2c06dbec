"""Dated terminus lines of many scenes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterString,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm, described
from glacier_qgis.processing.common import CALVING_FRONTS, Parameter, extraction, inference

OF_ONE_SCENE = {"GRID", "DATE"}


class TerminusTimeSeries(EngineAlgorithm):
    """`glacier:terminustimeseries`."""

    ID = "terminustimeseries"
    TITLE = "Terminus time series"
    GROUP = CALVING_FRONTS
    TAGS = "calving,front,terminus,line,time series,temporal,batch,dask,cluster,retreat,glacier"
    SUMMARY = (
        "Draws the terminus lines of many satellite scenes into one layer with dates, coloured by "
        "date and ready for the temporal controller.\n\n"
        "Scenes may differ in coordinate system, pixel size and sensor. One that cannot be used is "
        "left out and listed in the summary. A run that was stopped goes on where it was. Scenes "
        "that show the same day and place twice are marked 'duplicate', lines that do not go with "
        "their neighbours in time 'outlier'; nothing is deleted."
    )
    STYLES: ClassVar = {"OUTPUT": styles.terminus_series}

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        shared = [*inference("the scenes"), *extraction()]
        return [
            *_scenes(),
            *(parameter for parameter in shared if parameter.name() not in OF_ONE_SCENE),
            *_work(),
            described(
                QgsProcessingParameterFeatureSink(
                    "OUTPUT", "Terminus lines", QgsProcessing.SourceType.TypeVectorLine
                ),
                "A line for each front of each scene, with the attributes of 'Delineate termini' "
                "and, 0 or 1, 'duplicate' and 'outlier'.",
            ),
            described(
                QgsProcessingParameterFeatureSink(
                    "SUMMARY", "Summary", QgsProcessing.SourceType.TypeVector, optional=True
                ),
                "A row for each scene: whether it went well, has no front, failed or is a "
                "duplicate, why, and its lines' number, length, mean confidence and uncertainty.",
            ),
        ]

    def checkParameterValues(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Leave the scenes to the engine, so that one that cannot be opened fails alone."""
        return super().checkParameterValues({**parameters, "INPUT": None}, context)

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("SCENES", "Number of scenes"),
            QgsProcessingOutputNumber("FAILED", "Number of scenes that failed"),
            QgsProcessingOutputNumber("COUNT", "Number of lines"),
        ]


def _scenes() -> list[Parameter]:
    """Declare the scenes, their dates and their bands."""
    return [
        described(
            QgsProcessingParameterMultipleLayers(
                "INPUT", "Satellite scenes", QgsProcessing.SourceType.TypeRaster, optional=True
            ),
            "Georeferenced scenes, as layers or files. Give these or a folder.",
        ),
        described(
            QgsProcessingParameterFile(
                "FOLDER",
                "Folder of scenes",
                QgsProcessingParameterFile.Behavior.Folder,
                optional=True,
            ),
            "All rasters in this folder and the folders in it (tif, tiff, vrt, jp2, img, nc) are "
            "taken as scenes. Give this or layers.",
        ),
        described(
            QgsProcessingParameterString("DATE_PATTERN", "Date pattern", "", optional=True),
            "Where the date stands in the names, as in 'scene_{YYYY}{MM}{DD}': {YYYY} year, {MM} "
            "month, {DD} day, {DDD} day of the year, * anything. With a / in it, it is looked for "
            "in the whole path. Leave it empty to have dates found: in product names (Sentinel, "
            "Landsat, TerraSAR-X), as 20180602 or 2018-06-02 in a name, or in the raster's tags.",
        ),
        described(
            QgsProcessingParameterString("BANDS", "Bands", "", optional=True),
            "Numbers of the bands to use, in the model's order, with commas between. Leave it "
            "empty for the first ones.",
            advanced=True,
        ),
    ]


def _work() -> list[Parameter]:
    """Declare where and by whom the work is done."""
    return [
        described(
            QgsProcessingParameterBoolean("CONSISTENT", "Make scenes consistent in time", True),
            "Zones seldom change from one scene to the next. A model with a network for series, as "
            "the delivered one, sees each scene beside what the others show; then what each cell "
            "shows is judged with the scenes before and after, which corrects blunders that were "
            "not sure. Turn it off to treat every scene by itself.",
        ),
        described(
            QgsProcessingParameterString("SCHEDULER", "Dask scheduler", "", optional=True),
            "Address of a running Dask cluster, such as tcp://host:8786, that shares the work. Its "
            "workers need the engine's packages and must see scenes, model, plugin and work folder "
            "under the same paths. Leave it empty to work on this machine.",
            advanced=True,
        ),
        described(
            QgsProcessingParameterFile(
                "WORK_FOLDER",
                "Work folder",
                QgsProcessingParameterFile.Behavior.Folder,
                optional=True,
            ),
            "Where zones and probabilities of each scene are kept: a later run with more scenes "
            "computes only the new ones. Leave it empty for a folder in your cache that a stopped "
            "run goes on from, and that is removed when the lines are written.",
            advanced=True,
        ),
    ]
