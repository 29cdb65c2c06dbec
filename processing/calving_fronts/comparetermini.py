"""Predicted terminus lines against reference ones."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsProcessing,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
)

from glacier_qgis.processing.base import EngineAlgorithm, described
from glacier_qgis.processing.common import (
    CALVING_FRONTS,
    Parameter,
    number,
    polygons,
    report,
    table,
)

LINES = QgsProcessing.SourceType.TypeVectorLine


class CompareTermini(EngineAlgorithm):
    """`glacier:comparetermini`."""

    ID = "comparetermini"
    TITLE = "Compare termini"
    GROUP = CALVING_FRONTS
    TAGS = "calving,front,terminus,accuracy,validation,error,mean distance error,caffe,glacier"
    SUMMARY = (
        "Measures how far predicted terminus lines lie from reference ones, as the CaFFe "
        "benchmark does: distances from every predicted point to the reference front of the same "
        "image and back, pooled over all images, then averaged.\n\n"
        "A front that was not predicted is in no average and is counted as missed; predicted "
        "lines of an image without a reference are counted as unmatched. All is measured in "
        "metres, for each image in the reference's projection if that is true to scale there, "
        "otherwise in the UTM zone of its place, or polar stereographic near a pole."
    )

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            described(
                QgsProcessingParameterFeatureSource("PREDICTED", "Predicted lines", [LINES]),
                "The lines to judge, such as those of 'Terminus time series'.",
            ),
            described(
                QgsProcessingParameterFeatureSource("REFERENCE", "Reference lines", [LINES]),
                "The lines to judge by, such as those that a person traced.",
            ),
            described(
                QgsProcessingParameterField(
                    "MATCH_FIELDS",
                    "Fields to match by",
                    None,
                    "REFERENCE",
                    allowMultiple=True,
                    optional=True,
                ),
                "Lines that agree in these fields of both layers belong to one image. Left empty, "
                "it is 'date' if both layers have it, and with it 'glacier' if both name one for "
                "every line and not just a single one each, spelt in two ways. Without dates all "
                "lines are one image. Capitals and small letters of a 'glacier' do not matter.",
            ),
            number(
                "RESOLUTION",
                "Resolution (m)",
                "Distance between the points of a line at which errors are measured. Take the "
                "size of the pixels to compare with results of the benchmark.",
                30,
                minValue=0.01,
                maxValue=10_000,
            ),
            polygons(
                "MASK",
                "Mask",
                "Polygons outside which both layers are left out. Draw them where the reference is "
                "complete: other ice that nobody traced would count as error.",
            ),
            number(
                "BOX_MARGIN",
                "Margin of the box (m)",
                "Leave out predicted lines outside the box around each image's reference lines, "
                "grown by this on every side; -1 for no box.",
                -1,
                minValue=-1,
                maxValue=1e6,
                advanced=True,
            ),
            table(
                "OUTPUT",
                "Errors by image",
                "A row for each image: mean, median, 95th percentile and largest distance, "
                "lengths, and whether the front was found. A shapefile keeps ten letters of a "
                "field's name: 'predicted_' for 'predicted_m'.",
            ),
            report(
                "The distribution of the distances, errors by glacier and sensor, how often the "
                "true error lies within 'uncertainty_m', and every image, the worst first."
            ),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("MEAN_DISTANCE_ERROR", "Mean of all distances (m)"),
            QgsProcessingOutputNumber("MEDIAN_DISTANCE_ERROR", "Median over images (m)"),
            QgsProcessingOutputNumber("IMAGES", "Images with a reference"),
            QgsProcessingOutputNumber("MISSED", "Images among them without a predicted front"),
            QgsProcessingOutputNumber("UNMATCHED", "Images with predicted lines only"),
        ]
