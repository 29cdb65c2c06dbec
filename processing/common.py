"""Parameters that several algorithms share: the same names, words and defaults everywhere."""

from __future__ import annotations

from typing import TypeAlias

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterString,
)

from glacier_qgis.processing.base import described
from glacier_qgis.processing.widgets import file_or_name

CALVING_FRONTS = ("calving_fronts", "Calving fronts")
ICE_FLOW = ("ice_flow", "Ice flow")
MODELS_TRAINING = ("models_training", "Models and training")
ENGINE = ("engine", "Engine")

Parameter: TypeAlias = QgsProcessingParameterDefinition
REAL = QgsProcessingParameterNumber.Type.Double
WHOLE = QgsProcessingParameterNumber.Type.Integer


def number(
    name: str,
    title: str,
    text: str,
    default: float | None,
    *,
    kind: QgsProcessingParameterNumber.Type = REAL,
    advanced: bool = False,
    **limits: float,
) -> Parameter:
    """Declare a number, optional without a default; `limits` are minValue and maxValue."""
    optional = default is None
    parameter = QgsProcessingParameterNumber(
        name, title, kind, default, optional=optional, **limits
    )
    return described(parameter, text, advanced=advanced)


def choice(
    name: str, title: str, text: str, options: list[str], *, advanced: bool = False
) -> Parameter:
    """Declare a choice among words, the first being the default."""
    parameter = QgsProcessingParameterEnum(
        name, title, options, defaultValue=options[0], usesStaticStrings=True
    )
    return described(parameter, text, advanced=advanced)


def polygons(name: str, title: str, text: str) -> Parameter:
    """Declare an optional polygon layer."""
    kinds = [QgsProcessing.SourceType.TypeVectorPolygon]
    return described(QgsProcessingParameterFeatureSource(name, title, kinds, optional=True), text)


def optional_raster(name: str, title: str, text: str) -> Parameter:
    """Declare a raster that is written only if asked for."""
    return described(
        QgsProcessingParameterRasterDestination(name, title, optional=True, createByDefault=False),
        text,
    )


def optional_layer(name: str, title: str, text: str, kind: QgsProcessing.SourceType) -> Parameter:
    """Declare a vector layer that is written only if asked for."""
    sink = QgsProcessingParameterFeatureSink(
        name, title, kind, optional=True, createByDefault=False
    )
    return described(sink, text)


def table(name: str, title: str, text: str) -> Parameter:
    """Declare a table that is always written."""
    sink = QgsProcessingParameterFeatureSink(name, title, QgsProcessing.SourceType.TypeVector)
    return described(sink, text)


def report(text: str) -> Parameter:
    """Declare the page that is written only if asked for."""
    page = QgsProcessingParameterFileDestination(
        "REPORT", "Report", "HTML files (*.html)", optional=True, createByDefault=False
    )
    return described(page, text)


def extent(what: str) -> Parameter:
    """Declare the part to work on."""
    return described(
        QgsProcessingParameterExtent("EXTENT", "Extent", optional=True),
        f"The part of {what} to work on. Leave it out to work on all of it.",
    )


def device() -> Parameter:
    """Declare the processor to use."""
    return choice(
        "DEVICE",
        "Device",
        "Where to compute. 'automatic' takes the graphics card if the engine can use one.",
        ["automatic", "cpu", "gpu"],
        advanced=True,
    )


def inference(scene: str) -> list[Parameter]:
    """Declare how a segmentation network is run."""
    return [
        described(
            file_or_name("MODEL", "Model", "model", empty="automatic"),
            "Name of an installed model, a model package (zip or folder), or an ONNX model with "
            "the metadata that the plugin Deepness reads. Empty or 'automatic': chosen by what the "
            "scene's name, tags, bands and values say of its sensor, 'caffe_unet' for radar and "
            "'landsat_unet' for optical scenes; the log says which, and why. Where nothing tells "
            "the sensor, 'caffe_unet' is used, with a warning.",
        ),
        extent(scene),
        polygons(
            "MASK",
            "Mask",
            "Polygons outside which nothing is segmented. Draw one around the glacier of interest "
            "where other ice also touches the sea.",
        ),
        number(
            "CELL_SIZE",
            "Cell size (m)",
            "Ground distance between the cells that the network sees. Leave it empty for what the "
            "model was trained with; the scene is resampled as it is read.",
            None,
            minValue=0.01,
        ),
        choice(
            "GRID",
            "Grid of the results",
            "'model': square cells in metres, as the network saw them. 'input': the pixels of the "
            "scene.",
            ["model", "input"],
            advanced=True,
        ),
        described(
            QgsProcessingParameterBoolean("TTA", "Average over mirror images", True),
            "Show the network each tile as it is, mirrored and turned by half, and average its "
            "answers: four times the work for much better lines on glaciers that the model has not "
            "seen, above all in time series.",
            advanced=True,
        ),
        device(),
        number(
            "TILE_SIZE",
            "Tile size (cells)",
            "Edge of the square that the network sees at once; 0 chooses. Smaller tiles take less "
            "memory.",
            0,
            kind=WHOLE,
            minValue=0,
            maxValue=16384,
            advanced=True,
        ),
        number(
            "PADDING",
            "Padding (cells)",
            "Context around each tile that is seen but not used; -1 chooses. Wider padding takes "
            "longer and hides tile borders better.",
            -1,
            kind=WHOLE,
            minValue=-1,
            maxValue=4096,
            advanced=True,
        ),
        number(
            "BATCH_SIZE",
            "Batch size (tiles)",
            "Tiles computed at once; 0 chooses for the device.",
            0,
            kind=WHOLE,
            minValue=0,
            maxValue=1024,
            advanced=True,
        ),
    ]


def extraction() -> list[Parameter]:
    """Declare how zones become lines."""
    return [
        polygons(
            "FJORD_MASK",
            "Fjord mask",
            "Polygons of the fjord: lines are cut to what lies inside, which trims fjord walls.",
        ),
        number(
            "MIN_LENGTH",
            "Minimum length (m)",
            "Shorter lines are dropped. 750 m is the rule of the CaFFe benchmark.",
            750,
            minValue=0,
        ),
        described(
            QgsProcessingParameterBoolean("LONGEST_ONLY", "Longest line only", False),
            "Keep one front, the longest. Leave it off where several glaciers end in the scene.",
        ),
        number(
            "MIN_AREA",
            "Minimum area (km²)",
            "Smaller patches of ocean or glacier are speckle and have no front. Larger ones have "
            "none either if they are lakes on the ice or icebergs, that is, under a tenth of the "
            "largest and shut in. Lower it for glaciers of a few hundred metres.",
            0.5,
            minValue=0,
            advanced=True,
        ),
        number(
            "GAP",
            "Close gaps up to (m)",
            "Where cells of rock or without data cut a front, its pieces are joined across them "
            "if the gap is no wider, along the likeliest line. Leave it empty for three cells; 0 "
            "joins nothing.",
            None,
            minValue=0,
            maxValue=5000,
            advanced=True,
        ),
        number(
            "MIN_CONFIDENCE",
            "Minimum confidence",
            "Less sure lines are dropped, 0 to 1: where the network cannot tell ice from water on "
            "either side, there is most likely no front. The limit is low, for a higher one loses "
            "fronts: look at lines under 0.5. 0 keeps every line, also along ocean or glacier that "
            "the network is not sure of (mean probability under 0.65).",
            0.1,
            minValue=0,
            maxValue=1,
            advanced=True,
        ),
        number(
            "SIMPLIFY",
            "Simplify by (m)",
            "Vertices are dropped that lie no further than this from the line without them "
            "(Douglas-Peucker); no line comes to cross itself or another. 0 keeps them all.",
            0,
            minValue=0,
            advanced=True,
        ),
        number(
            "SMOOTH",
            "Smooth over (m)",
            "Standard deviation of the Gaussian along the line that it is averaged with; the ends "
            "of the line stay where they are. 0 leaves it as it is.",
            0,
            minValue=0,
            advanced=True,
        ),
        described(
            QgsProcessingParameterString("GLACIER", "Glacier", "", optional=True),
            "Name for the attribute 'glacier'.",
        ),
        described(
            QgsProcessingParameterDateTime(
                "DATE", "Date", QgsProcessingParameterDateTime.Type.Date, None, True
            ),
            "Day of acquisition for the attribute 'date'. Left empty, it is read from the file's "
            "name where that holds one.",
        ),
        described(
            QgsProcessingParameterString("SENSOR", "Sensor", "", optional=True),
            "For the attribute 'sensor'. Left empty, it is read from the name of known products.",
        ),
        described(
            QgsProcessingParameterString("GLACIER_ID", "Glacier id", "", optional=True),
            "The glacier's number in an inventory, for the attribute 'glacier_id'.",
            advanced=True,
        ),
        described(
            QgsProcessingParameterString("AUTHOR", "Author", "", optional=True),
            "Who stands for the lines, for the attribute 'author'.",
            advanced=True,
        ),
    ]


def line_outputs() -> list[Parameter]:
    """Declare the lines and what can be written beside them."""
    return [
        described(
            QgsProcessingParameterFeatureSink(
                "OUTPUT", "Terminus lines", QgsProcessing.SourceType.TypeVectorLine
            ),
            "One line a front, with date, length, confidence, uncertainty and the model's name. A "
            "shapefile keeps ten letters of a field's name: 'uncertaint' for 'uncertainty_m'.",
        ),
        optional_layer(
            "POINTS",
            "Points along the lines",
            "Points on each line, a cell apart, with the line's number, the distance along it, "
            "confidence and uncertainty in metres. Of zones without probabilities there are none.",
            QgsProcessing.SourceType.TypeVectorPoint,
        ),
        optional_layer(
            "GLACIER_AREA",
            "Glacier area",
            "Polygons of the glacier zone, without the patches that do not count.",
            QgsProcessing.SourceType.TypeVectorPolygon,
        ),
        optional_layer(
            "OCEAN_AREA",
            "Ocean area",
            "Polygons of the ocean zone, without the patches that do not count.",
            QgsProcessing.SourceType.TypeVectorPolygon,
        ),
    ]
