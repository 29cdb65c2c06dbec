"""Dated terminus lines of many scenes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from qgis.core import (
    Qgis,
    QgsProcessingAlgorithm,
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
from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.calving_fronts.parameters import inference, lines_page
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import Page, offering, page
from glacier_qgis.processing.declarations.parameters import CALVING_FRONTS, Parameter
from glacier_qgis.processing.outputs.loading import load_scenes
from glacier_qgis.results.run import Run
from glacier_qgis.translation import tr

OF_ONE_SCENE = {"GRID", "DATE"}


class TerminusTimeSeries(EngineAlgorithm):
    """`glacier:terminustimeseries`."""

    ID = "terminustimeseries"
    TITLE = tr("Terminus time series")
    GROUP = CALVING_FRONTS
    TAGS = tr(
        "calving,front,terminus,line,outline,detect,time series,temporal,batch,sar,radar,"
        "optical,sentinel,landsat,machine learning,deep learning,pytorch,dask,cluster,"
        "retreat,glacier"
    )
    SUMMARY = tr(
        "Draws the terminus lines of many satellite scenes into one layer with dates, coloured by "
        "date and ready for the temporal controller.\n\n"
        "Scenes may differ in coordinate system, pixel size and sensor. One that cannot be used is "
        "left out and listed in the summary. A run that was stopped is resumed. Copies (the "
        "same pixels, or the same day and place) are flagged 'duplicate' and do not count as "
        "evidence, lines that are inconsistent with neighbouring dates are flagged 'outlier'; "
        "nothing is deleted."
    )
    STYLES: ClassVar = {"OUTPUT": styles.terminus_series}

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        part = tr("The part of the scenes to use. Leave it empty to use all of it.")
        networks = [p for p in inference(part) if p.name() not in OF_ONE_SCENE]
        outputs = [
            described(
                QgsProcessingParameterBoolean(
                    "LOAD_SCENES", tr("Open the scenes under the lines"), False
                ),
                tr(
                    "Put the dated scenes on the map as well; the temporal controller shows each "
                    "from its day until that of the next scene. Scenes that are on the map already "
                    "get that time, too. It does nothing where the lines are not opened."
                ),
            ),
            described(
                QgsProcessingParameterFeatureSink(
                    "OUTPUT", tr("Terminus lines"), Qgis.ProcessingSourceType.VectorLine
                ),
                tr(
                    "One line per front and scene, with the attributes of 'Delineate termini', and "
                    "'duplicate' and 'outlier' (0 or 1)."
                ),
            ),
            described(
                QgsProcessingParameterFeatureSink(
                    "SUMMARY", tr("Summary"), Qgis.ProcessingSourceType.Vector, optional=True
                ),
                tr(
                    "One row per scene: whether it has fronts, has none, failed or is a duplicate, "
                    "and why; number and length of its lines, their mean confidence and "
                    "uncertainty."
                ),
            ),
        ]
        return [
            page(tr("Scenes"), [*_scenes(), *networks, *_work()]),
            lines_page(OF_ONE_SCENE),
            page(tr("Results"), outputs),
        ]

    def checkParameterValues(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Leave the scenes to the engine, so that one that cannot be opened fails alone."""
        without_scenes = {**parameters, "INPUT": None}
        accepted, message = QgsProcessingAlgorithm.checkParameterValues(
            self, without_scenes, context
        )
        return self.checked(parameters, context) if accepted else (False, message or "")

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class."""
        if bool(parameters.get("INPUT")) == bool(parameters.get("FOLDER")):
            yield "INPUT", tr("Give the scenes as INPUT or as FOLDER.")
        yield from super().faults(parameters, context)

    def accompany(
        self, run: Run, outputs: Mapping[str, Any], context: QgsProcessingContext
    ) -> None:
        """Load the scenes under the lines, where these are loaded."""
        lines = outputs.get("OUTPUT", "")
        if context.willLoadLayerOnCompletion(lines):
            project = context.layerToLoadOnCompletionDetails(lines).project
            load_scenes(run, run.values.get("DATED_SCENES") or [], project, context)

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("SCENES", tr("Number of scenes")),
            QgsProcessingOutputNumber("FAILED", tr("Number of scenes that failed")),
            QgsProcessingOutputNumber("COUNT", tr("Number of lines")),
        ]


def _scenes() -> list[Parameter]:
    """Declare the scenes, their dates and their bands."""
    return [
        described(
            QgsProcessingParameterMultipleLayers(
                "INPUT", tr("Satellite scenes"), Qgis.ProcessingSourceType.Raster, optional=True
            ),
            tr("Georeferenced scenes, as layers or files. Give these or FOLDER."),
        ),
        described(
            QgsProcessingParameterFile(
                "FOLDER",
                tr("Folder of scenes"),
                QgsProcessingParameterFile.Behavior.Folder,
                optional=True,
            ),
            tr(
                "All rasters in this folder and its subfolders (tif, tiff, vrt, jp2, img, nc) are "
                "scenes. Give this or INPUT."
            ),
        ),
        described(
            QgsProcessingParameterString("DATE_PATTERN", tr("Date pattern"), "", optional=True),
            tr(
                "Position of the date in the names, such as 'scene_{YYYY}{MM}{DD}': {YYYY} year, "
                "{MM} month, {DD} day, {DDD} day of the year, * anything. A pattern with a / is "
                "searched for in the whole path. Leave it empty to read dates from product names "
                "(Sentinel, Landsat, TerraSAR-X), from 20180602 or 2018-06-02 in a name, or from "
                "the tags of the raster."
            ),
        ),
        described(
            offering("bands", ["INPUT"], "BANDS", tr("Bands")),
            tr(
                "Numbers of the bands to use, in the order of the model, separated by commas. "
                "Leave it empty for the first ones, or in optical scenes whose bands are named for "
                "the red one; rock and open water are then also judged by colour."
            ),
            advanced=True,
        ),
    ]


def _work() -> list[Parameter]:
    """Declare where and by whom the work is done."""
    return [
        described(
            QgsProcessingParameterBoolean("CONSISTENT", tr("Make scenes consistent in time"), True),
            tr(
                "Zones seldom change from one scene to the next. A model with a network for "
                "series, such as the delivered one, predicts each scene together with the zones of "
                "the others; then each cell is compared with the scenes before and after, which "
                "corrects uncertain misclassifications. Untick it to treat every scene by itself."
            ),
        ),
        described(
            QgsProcessingParameterString("SCHEDULER", tr("Dask scheduler"), "", optional=True),
            tr(
                "Address of a running Dask cluster, such as tcp://host:8786, that shares the work. "
                "Needs the engine's extra 'cluster'. Its workers need the engine's packages, and "
                "scenes, model, plugin and work folder under the same paths. Leave it empty to "
                "compute on this machine."
            ),
            advanced=True,
        ),
        described(
            QgsProcessingParameterFile(
                "WORK_FOLDER",
                tr("Work folder"),
                QgsProcessingParameterFile.Behavior.Folder,
                optional=True,
            ),
            tr(
                "Folder that keeps zones and probabilities of each scene: a later run with more "
                "scenes computes only the new ones. Leave it empty for a folder in your cache, "
                "from which a stopped run is resumed, and which is removed when the lines are "
                "written."
            ),
            advanced=True,
        ),
    ]
