"""Advance and retreat from dated terminus lines."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsProcessing,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
)

from glacier_qgis.processing.base import EngineAlgorithm, described
from glacier_qgis.processing.common import (
    CALVING_FRONTS,
    Parameter,
    choice,
    number,
    report,
    table,
)

LINES = QgsProcessing.SourceType.TypeVectorLine
POLYGONS = QgsProcessing.SourceType.TypeVectorPolygon


class TerminusChange(EngineAlgorithm):
    """`glacier:terminuschange`."""

    ID = "terminuschange"
    TITLE = "Terminus change"
    GROUP = CALVING_FRONTS
    TAGS = "calving,front,terminus,retreat,advance,rate,time series,centreline,box method,glacier"
    SUMMARY = (
        "Measures how far dated terminus lines moved: along a centreline, or as the mean over the "
        "width of a box (rectilinear, or curvilinear where the fjord bends). Advance is "
        "positive.\n\n"
        "Lines of one date and image are one front. Lines with a 'glacier' are measured glacier "
        "by glacier; a centreline or box with a 'glacier' takes the lines of that name, in "
        "capitals or small letters, and those without one. You are told of lines whose glacier "
        "has no centreline or box. A front that cannot be measured stays in the table with the "
        "reason: it does not reach from side to side of the box, say. All is measured in metres, "
        "for each centreline or box in the terminus lines' projection if that is true to scale "
        "there, otherwise in the UTM zone of its place, or polar stereographic near a pole."
    )

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            described(
                QgsProcessingParameterFeatureSource("TERMINI", "Terminus lines", [LINES]),
                "Lines with a date, such as those of 'Terminus time series'. Their "
                "'uncertainty_m' is carried along where they have one.",
            ),
            choice(
                "METHOD",
                "Method",
                "'centreline': where the front crosses one line; of several crossings the "
                "furthest seaward counts, and the table says so. 'rectilinear box': area of the "
                "glacier in a box over its width (Moon and Joughin 2008). 'curvilinear box': the "
                "same in a box that follows the centreline (Lea and others 2014).",
                ["centreline", "rectilinear box", "curvilinear box"],
            ),
            described(
                QgsProcessingParameterFeatureSource(
                    "CENTERLINE", "Centreline", [LINES], optional=True
                ),
                "A line for each glacier, drawn from the glacier to the sea, from behind the "
                "furthest retreat to beyond the furthest advance. The methods 'centreline' and "
                "'curvilinear box' need it; to a rectilinear box it tells the direction of flow. "
                "If it is drawn the other way, advance and retreat change places; you are warned "
                "if lines of this plugin, which have the glacier on their left, show it.",
            ),
            described(
                QgsProcessingParameterFeatureSource("BOX", "Box", [POLYGONS, LINES], optional=True),
                "For the rectilinear box: a rectangle for each glacier, with sides along the flow, "
                "narrower than the fronts and reaching beyond them up-glacier and seaward. As a "
                "line of three sides, the box is open to the sea. As a polygon, its up-glacier "
                "end is where the centreline comes from. Without one, it is on the left of the "
                "terminus lines: those of this plugin, as their field 'software' shows, have the "
                "glacier there; of lines from elsewhere that is only supposed, and you are told "
                "so. A line that runs against most of the others is taken for reversed.",
            ),
            number(
                "BOX_WIDTH",
                "Width of the curvilinear box (m)",
                "Distance between the sides of the curvilinear box, half of it on either side of "
                "the centreline. Keep it below the width of the narrowest front.",
                1000,
                minValue=0.001,
                maxValue=1e6,
            ),
            described(
                QgsProcessingParameterField("DATE_FIELD", "Date field", "date", "TERMINI"),
                "The field with the date: a date, or text such as 2018-06-02.",
                advanced=True,
            ),
            described(
                QgsProcessingParameterBoolean("FLAGGED", "Measure flagged lines too", False),
                "Lines whose field 'outlier' or 'duplicate' is not 0, as 'Terminus time series' "
                "writes them, are left out, and you are told how many. Switch this on to measure "
                "them as well. To keep a single one, set its field to 0.",
                advanced=True,
            ),
            table(
                "OUTPUT",
                "Terminus change",
                "A row for each front: position from the up-glacier end, distance and area since "
                "the first date, change and rate since the date before, uncertainty, and a flag "
                "with its reason.",
            ),
            report(
                "The positions against time with their trend and yearly cycle, the fronts on a "
                "map, and tables."
            ),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("CHANGE", "Last minus first position, of one glacier (m)"),
            QgsProcessingOutputNumber("AREA_CHANGE", "Change of area, of one glacier (km²)"),
            QgsProcessingOutputNumber("RATE", "Mean rate, of one glacier (m/a)"),
            QgsProcessingOutputNumber("RATE_ERROR", "Standard error of the rate (m/a)"),
            QgsProcessingOutputNumber("MEASURED", "Fronts measured"),
            QgsProcessingOutputNumber("NOT_MEASURED", "Fronts that could not be measured"),
            QgsProcessingOutputNumber("LEFT_OUT", "Flagged lines that were left out"),
            QgsProcessingOutputNumber("GLACIERS", "Glaciers"),
        ]
