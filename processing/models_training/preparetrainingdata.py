"""Training data from scenes and labels."""

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
    QgsProcessingParameterFile,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterString,
)

from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import GIVEN, Page, offering, only_if, page
from glacier_qgis.processing.declarations.parameters import (
    MODELS_TRAINING,
    WHOLE,
    Parameter,
    number,
    polygons,
    rock,
)
from glacier_qgis.processing.models_training.parameters import seed
from glacier_qgis.translation import tr

LABELS = ["LABEL_POLYGONS", "LABEL_LINES"]


class PrepareTrainingData(EngineAlgorithm):
    """`glacier:preparetrainingdata`."""

    ID = "preparetrainingdata"
    TITLE = tr("Prepare training data")
    GROUP = MODELS_TRAINING
    TAGS = tr(
        "training,data set,labels,tiles,chips,split,machine learning,deep learning,landsat,"
        "sentinel,calving,front,digitise"
    )
    SUMMARY = tr(
        "Cuts satellite scenes and what was digitised on them into a folder of georeferenced tiles "
        "to train a network on: images as the network sees them, labels, an index with hashes, "
        "statistics.\n\n"
        "Labels are polygons with a class, front lines, or rasters of class codes; give one kind. "
        "Whole glaciers are held out for validation and test, because images of one glacier "
        "resemble each other; anything that still connects the parts is reported."
    )

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        scenes = [
            described(
                QgsProcessingParameterMultipleLayers(
                    "INPUT", tr("Satellite scenes"), Qgis.ProcessingSourceType.Raster
                ),
                tr(
                    "Georeferenced scenes in any radiometry and coordinate system, with equal "
                    "bands. Their dates are read from their names. Or echograms of 'Import "
                    "radargram', whose labels are the layer lines drawn in them."
                ),
            ),
            *_labels(),
            rock(
                tr(
                    "What is known to be rock or land, on all dates: polygons, or a raster that is "
                    "0 or no data on ice and water. It is labelled rock, and becomes a channel of "
                    "the images that half of the patches lack in a training: the model works with "
                    "and without ROCK."
                )
            ),
            *_matching(),
        ]
        output = described(
            QgsProcessingParameterFolderDestination("OUTPUT", tr("Data set")),
            tr("A new or empty folder."),
        )
        return [
            page(tr("Scenes and labels"), scenes),
            page(tr("Tiles"), _tiles()),
            page(tr("Split"), _split()),
            page(tr("Result"), [output]),
        ]

    def faults(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Iterator[tuple[str, str]]:
        """See the base class."""
        kinds = ("LABEL_POLYGONS", "LABEL_LINES", "LABEL_RASTERS")
        if sum(bool(parameters.get(kind)) for kind in kinds) != 1:
            yield (
                "LABEL_POLYGONS",
                tr("Give labels of one kind: {kinds} or {kinds2}.").format(
                    kinds=", ".join(kinds[:2]), kinds2=kinds[2]
                ),
            )
        if parameters.get("LABEL_POLYGONS") and not parameters.get("CLASS_FIELD"):
            yield "CLASS_FIELD", tr("CLASS_FIELD is missing: the field with the class.")
        yield from super().faults(parameters, context)

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("SCENES", tr("Number of scenes")),
            QgsProcessingOutputNumber("TILES", tr("Number of tiles")),
            QgsProcessingOutputNumber("TRAINING_TILES", tr("Tiles for training")),
            QgsProcessingOutputNumber("VALIDATION_TILES", tr("Tiles for validation")),
            QgsProcessingOutputNumber("TEST_TILES", tr("Tiles for the test")),
            QgsProcessingOutputNumber("SKIPPED", tr("Tiles without labels or data")),
            QgsProcessingOutputNumber("WARNINGS", tr("Number of warnings")),
        ]


def _labels() -> list[Parameter]:
    """Declare the three kinds of labels."""
    return [
        polygons(
            "LABEL_POLYGONS",
            tr("Labels: polygons"),
            tr(
                "Digitised zones, each with a class. Cells in polygons of two classes are not "
                "labelled."
            ),
        ),
        only_if(
            described(
                QgsProcessingParameterField(
                    "CLASS_FIELD",
                    tr("Class field of the polygons"),
                    parentLayerParameterName="LABEL_POLYGONS",
                    optional=True,
                ),
                tr(
                    "Field with the class: no data, rock, glacier, ocean (with mélange), or their "
                    "numbers 1 to 4. Other names become further classes, from 5 on, which 'Train "
                    "model' refuses."
                ),
            ),
            LABEL_POLYGONS=GIVEN,
        ),
        described(
            QgsProcessingParameterFeatureSource(
                "LABEL_LINES",
                tr("Labels: front lines"),
                [Qgis.ProcessingSourceType.VectorLine],
                optional=True,
            ),
            tr(
                "Digitised fronts, each with the glacier on the left of its direction, as the "
                "lines of 'Delineate termini' are. Both sides are labelled as far as LINE_REACH. "
                "Draw all fronts of a scene, because the rest of it is training data without a "
                "front."
            ),
        ),
        only_if(
            number(
                "LINE_REACH",
                tr("Reach of the lines (m)"),
                tr(
                    "Distance from a front line within which it is certain what is glacier and "
                    "what is ocean."
                ),
                1000,
                minValue=1,
            ),
            LABEL_LINES=GIVEN,
        ),
        only_if(
            described(
                QgsProcessingParameterBoolean(
                    "COMPLETE", tr("Every layer of the echograms is drawn"), False
                ),
                tr(
                    "For echograms. By default only the pixels next to a line are known to be no "
                    "layer, and what is farther away is not trained on."
                ),
            ),
            LABEL_LINES=GIVEN,
        ),
        described(
            QgsProcessingParameterMultipleLayers(
                "LABEL_RASTERS",
                tr("Labels: rasters"),
                Qgis.ProcessingSourceType.Raster,
                optional=True,
            ),
            tr(
                "A raster of class codes for each scene, named like its scene or in the same "
                "order: 1 no data, 2 rock, 3 glacier, 4 ocean, others up to 254; 0 where "
                "unlabelled."
            ),
        ),
    ]


def _matching() -> list[Parameter]:
    """Declare what belongs to which scene and glacier."""
    return [
        described(
            offering("fields", LABELS, "SCENE_FIELD", tr("Scene field")),
            tr(
                "Field of the polygons or lines with the name or the date of their scene. Leave it "
                "empty to try 'image_id' and then 'date'; if neither matches, labels belong to "
                "every scene that they lie in, and a warning says so."
            ),
        ),
        described(
            offering("fields", LABELS, "GROUP_FIELD", tr("Group field")),
            tr(
                "Field of the polygons or lines with the glacier (case-insensitive), which is "
                "never split between parts. Leave it empty to try 'glacier' and 'glacier_id'. If "
                "the labels of a scene name no glacier, the first word of the scene's name is "
                "used; if they have such a field, a warning names the scene."
            ),
        ),
        described(
            QgsProcessingParameterFile(
                "GROUP_TABLE", tr("Table of groups"), extension="csv", optional=True
            ),
            tr(
                "Instead of a field: comma-separated values with a header, the scene's name in the "
                "first column and its glacier in the second."
            ),
            advanced=True,
        ),
        described(
            offering("bands", ["INPUT"], "BANDS", tr("Bands")),
            tr("Numbers of the bands to use, separated by commas. Leave it empty for all."),
            advanced=True,
        ),
    ]


def _tiles() -> list[Parameter]:
    """Declare how scenes are cut."""
    return [
        number(
            "CELL_SIZE",
            tr("Cell size (m)"),
            tr(
                "Ground distance between the cells of a tile. Leave it empty for that of the model "
                "that comes with the plugin, or of the coarsest scene if that is coarser."
            ),
            None,
            decimals=2,
            word=tr("automatic"),
            minValue=0.01,
            maxValue=10_000,
        ),
        number(
            "TILE_SIZE",
            tr("Tile size (cells)"),
            tr("Edge of a tile. A network cannot be trained on context beyond it."),
            256,
            kind=WHOLE,
            minValue=32,
            maxValue=4096,
            advanced=True,
        ),
        number(
            "STRIDE",
            tr("Stride (cells)"),
            tr(
                "Distance between neighbouring tiles. Leave it empty for TILE_SIZE; with less, "
                "tiles overlap."
            ),
            None,
            word=tr("the tile size"),
            kind=WHOLE,
            minValue=1,
            maxValue=4096,
            advanced=True,
        ),
    ]


def _split() -> list[Parameter]:
    """Declare what is held out."""
    return [
        described(
            QgsProcessingParameterString(
                "VALIDATION_GROUPS", tr("Glaciers for validation"), "", optional=True
            ),
            tr(
                "Names, separated by commas (case-insensitive). Leave it empty for a random choice "
                "by VALIDATION_SHARE."
            ),
        ),
        described(
            QgsProcessingParameterString(
                "TEST_GROUPS", tr("Glaciers for the test"), "", optional=True
            ),
            tr(
                "Names, separated by commas (case-insensitive). Leave it empty for a random choice "
                "by TEST_SHARE."
            ),
        ),
        number(
            "VALIDATION_SHARE",
            tr("Share for validation (%)"),
            tr(
                "Share of the tiles, as nearly as whole glaciers allow. A single glacier is split "
                "by its dates."
            ),
            20,
            minValue=0,
            maxValue=90,
        ),
        number(
            "TEST_SHARE",
            tr("Share for the test (%)"),
            tr("Share of the tiles, as nearly as whole glaciers allow; 0 = none."),
            0,
            word=tr("none"),
            minValue=0,
            maxValue=90,
        ),
        seed(tr("Seed of the random choice of glaciers: the same seed gives the same choice.")),
    ]
