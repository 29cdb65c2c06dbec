"""Predicted terminus lines against reference ones."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    Qgis,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
)

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.parameters import (
    CALVING_FRONTS,
    Parameter,
    number,
    polygons,
    report,
    table,
)
from glacier_qgis.translation import tr

LINES = Qgis.ProcessingSourceType.VectorLine


class CompareTermini(EngineAlgorithm):
    """`glacier:comparetermini`."""

    ID = "comparetermini"
    TITLE = tr("Compare termini")
    GROUP = CALVING_FRONTS
    TAGS = tr(
        "calving,front,terminus,line,accuracy,validation,error,mean distance error,caffe,glacier"
    )
    SUMMARY = tr(
        "Measures how far predicted terminus lines lie from reference ones, as the CaFFe "
        "benchmark does: distances from every predicted point to the reference front of the same "
        "image and back, pooled over all images, then averaged.\n\n"
        "A front that was not predicted is in no average and is counted as missed; predicted "
        "lines of an image without a reference are counted as unmatched. Everything is measured "
        "in metres, for each image in the reference's projection if that is true to scale there, "
        "otherwise in its UTM zone, or in polar stereographic near a pole."
    )

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            described(
                QgsProcessingParameterFeatureSource("PREDICTED", tr("Predicted lines"), [LINES]),
                tr("Lines to measure, such as those of 'Terminus time series'."),
            ),
            described(
                QgsProcessingParameterFeatureSource("REFERENCE", tr("Reference lines"), [LINES]),
                tr("Lines to measure them against, such as manually traced ones."),
            ),
            described(
                QgsProcessingParameterField(
                    "MATCH_FIELDS",
                    tr("Fields to match by"),
                    None,
                    "REFERENCE",
                    allowMultiple=True,
                    optional=True,
                ),
                tr(
                    "Lines that agree in these fields of both layers belong to one image. Leave it "
                    "empty for 'date' if both layers have it, together with 'glacier' if both name "
                    "one for every line and more than one in all. Without dates all lines are one "
                    "image. Names of glaciers are case-insensitive."
                ),
            ),
            number(
                "RESOLUTION",
                tr("Resolution (m)"),
                tr(
                    "Distance between the points of a line at which errors are measured. Use the "
                    "pixel size to compare with results of the benchmark."
                ),
                30,
                minValue=0.01,
                maxValue=10_000,
            ),
            polygons(
                "MASK",
                tr("Mask"),
                tr(
                    "Polygons in which both layers are compared. Draw them where the reference is "
                    "complete: fronts that nobody traced would count as errors."
                ),
            ),
            number(
                "BOX_MARGIN",
                tr("Margin of the box (m)"),
                tr(
                    "Predicted lines are compared only inside the bounding box of each image's "
                    "reference lines, enlarged by this on every side; -1 = no box."
                ),
                -1,
                word=tr("no box"),
                minValue=-1,
                maxValue=1e6,
                advanced=True,
            ),
            table(
                "OUTPUT",
                tr("Errors by image"),
                tr(
                    "One row per image: mean, median, 95th percentile and largest distance, "
                    "lengths, and whether the front was found. A shapefile keeps ten letters of a "
                    "field's name: 'predicted_' for 'predicted_m'."
                ),
            ),
            report(
                tr(
                    "The distribution of the distances, errors by glacier and sensor, how often "
                    "the true error lies within 'uncertainty_m', and every image, the worst first."
                )
            ),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("MEAN_DISTANCE_ERROR", tr("Mean of all distances (m)")),
            QgsProcessingOutputNumber("MEDIAN_DISTANCE_ERROR", tr("Median over images (m)")),
            QgsProcessingOutputNumber("IMAGES", tr("Images with a reference")),
            QgsProcessingOutputNumber("MISSED", tr("Images among them without a predicted front")),
            QgsProcessingOutputNumber("UNMATCHED", tr("Images with predicted lines only")),
        ]
