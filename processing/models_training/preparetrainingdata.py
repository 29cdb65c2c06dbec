"""Training data from scenes and labels."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsProcessing,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterString,
)

from glacier_qgis.processing.base import EngineAlgorithm, described
from glacier_qgis.processing.common import MODELS_TRAINING, WHOLE, Parameter, number, polygons


class PrepareTrainingData(EngineAlgorithm):
    """`glacier:preparetrainingdata`."""

    ID = "preparetrainingdata"
    TITLE = "Prepare training data"
    GROUP = MODELS_TRAINING
    TAGS = "training,data set,labels,tiles,chips,split,deep learning,calving,front,digitise"
    SUMMARY = (
        "Cuts satellite scenes and what was digitised on them into a folder of georeferenced tiles "
        "that a network learns from: images as the network sees them, labels, an index with "
        "hashes, statistics.\n\n"
        "Labels are polygons with a class, front lines, or rasters of class codes; give one kind. "
        "Whole glaciers are kept out for validation and test, because images of one glacier "
        "resemble each other; what ties the parts together all the same is named."
    )

    def declarations(self) -> Sequence[Parameter]:
        """See the base class."""
        return [
            described(
                QgsProcessingParameterMultipleLayers(
                    "INPUT", "Satellite scenes", QgsProcessing.SourceType.TypeRaster
                ),
                "Georeferenced scenes in any radiometry and coordinate system, with equal bands. "
                "Their dates are read from their names.",
            ),
            *_labels(),
            *_matching(),
            *_tiles(),
            *_split(),
            described(
                QgsProcessingParameterFolderDestination("OUTPUT", "Data set"),
                "A new or empty folder.",
            ),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("SCENES", "Number of scenes"),
            QgsProcessingOutputNumber("TILES", "Number of tiles"),
            QgsProcessingOutputNumber("TRAINING_TILES", "Tiles for training"),
            QgsProcessingOutputNumber("VALIDATION_TILES", "Tiles for validation"),
            QgsProcessingOutputNumber("TEST_TILES", "Tiles for the test"),
            QgsProcessingOutputNumber("SKIPPED", "Tiles without labels or data"),
            QgsProcessingOutputNumber("WARNINGS", "Number of warnings"),
        ]


def _labels() -> list[Parameter]:
    """Declare the three kinds of labels."""
    return [
        polygons(
            "LABEL_POLYGONS",
            "Labels: polygons",
            "Digitised zones with a class each. What lies in polygons of two classes counts as "
            "unlabelled.",
        ),
        described(
            QgsProcessingParameterField(
                "CLASS_FIELD",
                "Class field of the polygons",
                parentLayerParameterName="LABEL_POLYGONS",
                optional=True,
            ),
            "Holds the class: no data, rock, glacier, ocean (mélange counts as ocean), or their "
            "numbers 1 to 4. Other names become classes of their own, from 5 on, which "
            "'Train model' refuses.",
        ),
        described(
            QgsProcessingParameterFeatureSource(
                "LABEL_LINES",
                "Labels: front lines",
                [QgsProcessing.SourceType.TypeVectorLine],
                optional=True,
            ),
            "Digitised fronts, each with the glacier on the left of its direction, as the lines of "
            "'Delineate termini' are. Both sides are labelled as far as the lines reach. Draw "
            "all fronts of a scene: a model learns that there are none elsewhere.",
        ),
        number(
            "LINE_REACH",
            "Reach of the lines (m)",
            "How far from a front line it is certain what is glacier and what is ocean.",
            1000,
            minValue=1,
        ),
        described(
            QgsProcessingParameterMultipleLayers(
                "LABEL_RASTERS",
                "Labels: rasters",
                QgsProcessing.SourceType.TypeRaster,
                optional=True,
            ),
            "A raster of class codes for each scene, named like its scene or in the same order: 1 "
            "no data, 2 rock, 3 glacier, 4 ocean, others up to 254; 0 where unlabelled.",
        ),
    ]


def _matching() -> list[Parameter]:
    """Declare what belongs to which scene and glacier."""
    return [
        described(
            QgsProcessingParameterString("SCENE_FIELD", "Scene field", "", optional=True),
            "Field of the polygons or lines that holds the name or the date of their scene. Left "
            "empty, 'image_id' and then 'date' are tried; where neither matches, labels belong to "
            "every scene that they lie in, and a warning says so.",
        ),
        described(
            QgsProcessingParameterString("GROUP_FIELD", "Group field", "", optional=True),
            "Field of the polygons or lines that holds the glacier, which is never split between "
            "parts, in small or capital letters alike. Left empty, 'glacier' and 'glacier_id' are "
            "tried. Where the labels of a scene name no glacier, the first word of its name "
            "counts, and where there is such a field a warning names the scene.",
        ),
        described(
            QgsProcessingParameterFile(
                "GROUP_TABLE", "Table of groups", extension="csv", optional=True
            ),
            "Instead of a field: comma-separated values with a header, the scene's name in the "
            "first column and its glacier in the second.",
            advanced=True,
        ),
        described(
            QgsProcessingParameterString("BANDS", "Bands", "", optional=True),
            "Numbers of the bands to use, with commas between. Leave it empty for all.",
            advanced=True,
        ),
    ]


def _tiles() -> list[Parameter]:
    """Declare how scenes are cut."""
    return [
        number(
            "CELL_SIZE",
            "Cell size (m)",
            "Ground distance between the cells of a tile. Leave it empty for that of the model "
            "that comes with the plugin, or of the coarsest scene if that is coarser.",
            None,
            minValue=0.01,
        ),
        number(
            "TILE_SIZE",
            "Tile size (cells)",
            "Edge of a tile. A network cannot learn from what lies outside it.",
            256,
            kind=WHOLE,
            minValue=32,
            maxValue=4096,
            advanced=True,
        ),
        number(
            "STRIDE",
            "Stride (cells)",
            "Distance between neighbouring tiles. Leave it empty for the tile size; less makes "
            "tiles overlap.",
            None,
            kind=WHOLE,
            minValue=1,
            maxValue=4096,
            advanced=True,
        ),
    ]


def _split() -> list[Parameter]:
    """Declare what is kept out."""
    return [
        described(
            QgsProcessingParameterString(
                "VALIDATION_GROUPS", "Glaciers for validation", "", optional=True
            ),
            "Names with commas between, in small or capital letters. Leave it empty to have some "
            "chosen by their share.",
        ),
        described(
            QgsProcessingParameterString("TEST_GROUPS", "Glaciers for the test", "", optional=True),
            "Names with commas between, in small or capital letters. Leave it empty to have some "
            "chosen by their share.",
        ),
        number(
            "VALIDATION_SHARE",
            "Share for validation (%)",
            "Share of the tiles, met as nearly as whole glaciers allow. A single glacier is split "
            "by its dates.",
            20,
            minValue=0,
            maxValue=90,
        ),
        number(
            "TEST_SHARE",
            "Share for the test (%)",
            "Share of the tiles, met as nearly as whole glaciers allow.",
            0,
            minValue=0,
            maxValue=90,
        ),
        number(
            "SEED",
            "Seed",
            "Another number makes another choice of glaciers; the same number the same one.",
            1,
            kind=WHOLE,
            minValue=0,
            maxValue=2**31 - 1,
            advanced=True,
        ),
    ]
