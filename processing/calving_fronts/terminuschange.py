"""Advance and retreat from dated terminus lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingContext,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
)

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import only_if
from glacier_qgis.processing.declarations.parameters import (
    CALVING_FRONTS,
    Parameter,
    choice,
    number,
    report,
    table,
)
from glacier_qgis.translation import tr

LINES = Qgis.ProcessingSourceType.VectorLine
POLYGONS = Qgis.ProcessingSourceType.VectorPolygon


class TerminusChange(EngineAlgorithm):
    """`glacier:terminuschange`."""

    ID = "terminuschange"
    TITLE = tr("Terminus change")
    GROUP = CALVING_FRONTS
    TAGS = tr(
        "calving,front,terminus,retreat,advance,rate,detect,change,time series,centreline,"
        "box method,glacier"
    )
    SUMMARY = tr(
        "Measures how far dated terminus lines moved: along a centreline, or as the mean over the "
        "width of a box (rectilinear, or curvilinear where the fjord bends). Advance is "
        "positive.\n\n"
        "Lines of one date and image are one front. Lines with a 'glacier' are measured glacier "
        "by glacier; a centreline or box with a 'glacier' is used for the lines of that name "
        "(case-insensitive) and for those without a name. Lines whose glacier has no centreline or "
        "box are reported. A front that cannot be measured, such as one that does not reach from "
        "side to side of the box, stays in the table with the reason. Everything is measured in "
        "metres, for each centreline or box in the projection of the terminus lines if that is "
        "true to scale there, otherwise in its UTM zone, or in polar stereographic near a pole."
    )

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            described(
                QgsProcessingParameterFeatureSource("TERMINI", tr("Terminus lines"), [LINES]),
                tr(
                    "Lines with a date, such as those of 'Terminus time series'. Their "
                    "'uncertainty_m' is propagated if they have one."
                ),
            ),
            choice(
                "METHOD",
                tr("Method"),
                tr(
                    "'centreline': where the front crosses one line; of several crossings the "
                    "furthest seaward counts, and the table says so. 'rectilinear box': area of "
                    "the glacier in a box over its width (Moon and Joughin 2008). 'curvilinear "
                    "box': the same in a box that follows the centreline (Lea and others 2014)."
                ),
                ["centreline", "rectilinear box", "curvilinear box"],
            ),
            described(
                QgsProcessingParameterFeatureSource(
                    "CENTERLINE", tr("Centreline"), [LINES], optional=True
                ),
                tr(
                    "One line per glacier, drawn from the glacier to the sea, from behind the "
                    "furthest retreat to beyond the furthest advance. The methods 'centreline' and "
                    "'curvilinear box' need it; for a rectilinear box it gives the direction of "
                    "flow. If it is drawn the other way, advance and retreat are swapped; a "
                    "warning says so if the lines are those of this plugin, which have the glacier "
                    "on their left."
                ),
            ),
            only_if(
                described(
                    QgsProcessingParameterFeatureSource(
                        "BOX", tr("Box"), [POLYGONS, LINES], optional=True
                    ),
                    tr(
                        "For the rectilinear box: one rectangle per glacier, with sides along the "
                        "flow, narrower than the fronts and reaching beyond them up-glacier and "
                        "seaward. A line of three sides is open to the sea. The up-glacier end of "
                        "a polygon is where the centreline begins. Without a centreline it is on "
                        "the left of the terminus lines, where lines of this plugin have the "
                        "glacier; for other lines this is assumed, with a warning. A line that "
                        "runs against most of the others is taken as reversed."
                    ),
                ),
                METHOD=["rectilinear box"],
            ),
            only_if(
                number(
                    "BOX_WIDTH",
                    tr("Width of the curvilinear box (m)"),
                    tr(
                        "Distance between the sides of the curvilinear box, half of it on either "
                        "side of the centreline. It should be less than the width of the narrowest "
                        "front."
                    ),
                    1000,
                    minValue=0.001,
                    maxValue=1e6,
                ),
                METHOD=["curvilinear box"],
            ),
            described(
                QgsProcessingParameterField("DATE_FIELD", tr("Date field"), "date", "TERMINI"),
                tr("Field with the date: a date, or a text such as 2018-06-02."),
                advanced=True,
            ),
            described(
                QgsProcessingParameterBoolean("FLAGGED", tr("Measure flagged lines too"), False),
                tr(
                    "Lines whose field 'outlier' or 'duplicate' is not 0, as 'Terminus time "
                    "series' writes them, are left out, and the log says how many. Tick this to "
                    "measure them as well. To keep a single one, set its field to 0."
                ),
                advanced=True,
            ),
            table(
                "OUTPUT",
                tr("Terminus change"),
                tr(
                    "One row per front: position from the up-glacier end, distance and area since "
                    "the first date, change and rate since the previous date, uncertainty, and a "
                    "flag with its reason."
                ),
            ),
            report(
                tr(
                    "Positions over time with their trend and annual cycle, the fronts on a map, "
                    "and tables."
                )
            ),
        ]

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class."""
        method = self.parameterAsEnumString(parameters, "METHOD", context)
        if method == "rectilinear box" and not parameters.get("BOX"):
            yield "BOX", tr("METHOD '{method}' needs BOX.").format(method=method)
        if method != "rectilinear box" and not parameters.get("CENTERLINE"):
            yield "CENTERLINE", tr("METHOD '{method}' needs CENTERLINE.").format(method=method)
        yield from super().faults(parameters, context)

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber(
                "CHANGE", tr("Last minus first position, of one glacier (m)")
            ),
            QgsProcessingOutputNumber("AREA_CHANGE", tr("Change of area, of one glacier (km²)")),
            QgsProcessingOutputNumber("RATE", tr("Mean rate, of one glacier (m/a)")),
            QgsProcessingOutputNumber("RATE_ERROR", tr("Standard error of the rate (m/a)")),
            QgsProcessingOutputNumber("MEASURED", tr("Fronts measured")),
            QgsProcessingOutputNumber("NOT_MEASURED", tr("Fronts that could not be measured")),
            QgsProcessingOutputNumber("LEFT_OUT", tr("Flagged lines that were left out")),
            QgsProcessingOutputNumber("GLACIERS", tr("Glaciers")),
        ]
