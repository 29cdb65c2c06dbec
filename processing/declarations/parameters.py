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

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pickers import file_or_name

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
    decimals: int = 1,
    word: str = "",
    **limits: float,
) -> Parameter:
    """Declare a number, optional without a default; `limits` are minValue and maxValue.

    Dialogs show it with `decimals`, and show `word` instead of the lowest value, or of none.
    """
    optional = default is None
    parameter = QgsProcessingParameterNumber(
        name, title, kind, default, optional=optional, **limits
    )
    parameter.setMetadata({"widget_wrapper": {"decimals": decimals}, "word": word})
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


def optional_layer(
    name: str, title: str, text: str, kind: QgsProcessing.SourceType, *, in_dialogs: bool = False
) -> Parameter:
    """Declare a vector layer that is written only if asked for, or by default `in_dialogs`."""
    sink = QgsProcessingParameterFeatureSink(
        name, title, kind, optional=True, createByDefault=in_dialogs
    )
    return described(sink, text)


def table(name: str, title: str, text: str) -> Parameter:
    """Declare a table that is always written."""
    sink = QgsProcessingParameterFeatureSink(name, title, QgsProcessing.SourceType.TypeVector)
    return described(sink, text)


def input_table(name: str, title: str, text: str) -> Parameter:
    """Declare an optional table, for which dialogs offer layers without geometry."""
    kinds = [QgsProcessing.SourceType.TypeVector]
    source = QgsProcessingParameterFeatureSource(name, title, kinds, optional=True)
    source.setMetadata({"only_tables": True})
    return described(source, text, advanced=True)


def report(text: str) -> Parameter:
    """Declare the page that dialogs write unless told not to, and others if asked for."""
    page = QgsProcessingParameterFileDestination(
        "REPORT", "Report", "HTML files (*.html)", optional=True
    )
    return described(page, text)


def extent(what: str) -> Parameter:
    """Declare the part to work on."""
    return described(
        QgsProcessingParameterExtent("EXTENT", "Extent", optional=True),
        f"The part of {what} to use. Leave it empty to use all of it.",
    )


def device() -> Parameter:
    """Declare the processor to use."""
    return choice(
        "DEVICE",
        "Device",
        "Where to compute. 'automatic' uses the graphics card if the engine can use one.",
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
            "Polygons to segment; everything outside them is left out. Draw one around the glacier "
            "of interest where other ice also touches the sea.",
        ),
        number(
            "CELL_SIZE",
            "Cell size (m)",
            "Ground distance between the cells that the network sees; the scene is resampled to "
            "it. Leave it empty for the cell size that the model was trained with.",
            None,
            decimals=2,
            word="of the model",
            minValue=0.01,
        ),
        choice(
            "GRID",
            "Grid of the results",
            "'model': square cells in metres, as the network sees them. 'input': the pixels of the "
            "scene.",
            ["model", "input"],
            advanced=True,
        ),
        described(
            QgsProcessingParameterBoolean("TTA", "Test-time augmentation", True),
            "Average the predictions over flips and a rotation by 180° of each tile. It takes four "
            "times as long, and the lines of glaciers that the model was not trained on are much "
            "better, above all in time series.",
            advanced=True,
        ),
        device(),
        number(
            "TILE_SIZE",
            "Tile size (cells)",
            "Edge of the square that the network sees at once; 0 = automatic. Smaller tiles take "
            "less memory.",
            0,
            kind=WHOLE,
            word="automatic",
            minValue=0,
            maxValue=16384,
            advanced=True,
        ),
        number(
            "PADDING",
            "Padding (cells)",
            "Margin around each tile that the network sees but whose prediction is not used; -1 = "
            "automatic. A wider one takes longer and hides the borders of tiles better.",
            -1,
            kind=WHOLE,
            word="automatic",
            minValue=-1,
            maxValue=4096,
            advanced=True,
        ),
        number(
            "BATCH_SIZE",
            "Batch size (tiles)",
            "Tiles computed at once; 0 = automatic, by the device.",
            0,
            kind=WHOLE,
            word="automatic",
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
            "Polygons of the fjord. Only the parts of lines inside are kept, which removes lines "
            "along the walls of the fjord.",
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
            "Smaller areas of ocean or glacier are speckle and have no front. Lakes on the ice and "
            "icebergs have none either: areas under a tenth of the largest that are fully "
            "enclosed. Use less for glaciers that are a few hundred metres wide.",
            0.5,
            decimals=3,
            minValue=0,
            advanced=True,
        ),
        number(
            "GAP",
            "Close gaps up to (m)",
            "Parts of a front that cells of rock or without data separate are joined along the "
            "most probable line if the gap is no wider. Leave it empty for three cells; 0 = none "
            "are joined.",
            None,
            word="three cells",
            minValue=0,
            maxValue=5000,
            advanced=True,
        ),
        number(
            "MIN_CONFIDENCE",
            "Minimum confidence",
            "Lines with a lower confidence, 0 to 1, are left out: where the network cannot "
            "distinguish ice from water on either side, there is most likely no front. A high "
            "limit loses fronts; check lines under 0.5. 0 keeps all lines, also along ocean or "
            "glacier with a mean probability under 0.65.",
            0.1,
            decimals=2,
            minValue=0,
            maxValue=1,
            advanced=True,
        ),
        number(
            "SIMPLIFY",
            "Simplify by (m)",
            "Tolerance of the Douglas-Peucker simplification; lines do not come to cross "
            "themselves or each other. 0 = none.",
            0,
            word="none",
            minValue=0,
            advanced=True,
        ),
        number(
            "SMOOTH",
            "Smooth over (m)",
            "Standard deviation of the Gaussian filter along the line; its ends stay in place. "
            "0 = none.",
            0,
            word="none",
            minValue=0,
            advanced=True,
        ),
        described(
            QgsProcessingParameterString("GLACIER", "Glacier", "", optional=True),
            "Name of the glacier, for the attribute 'glacier'.",
        ),
        described(
            QgsProcessingParameterDateTime(
                "DATE", "Date", QgsProcessingParameterDateTime.Type.Date, None, True
            ),
            "Day of acquisition, for the attribute 'date'. Leave it empty to read it from the "
            "file's name.",
        ),
        described(
            QgsProcessingParameterString("SENSOR", "Sensor", "", optional=True),
            "Satellite or instrument, for the attribute 'sensor'. Leave it empty to read it from "
            "the names of known products.",
        ),
        described(
            QgsProcessingParameterString("GLACIER_ID", "Glacier id", "", optional=True),
            "Identifier of the glacier in an inventory, for the attribute 'glacier_id'.",
            advanced=True,
        ),
        described(
            QgsProcessingParameterString("AUTHOR", "Author", "", optional=True),
            "Person responsible for the lines, for the attribute 'author'.",
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
            "One line per front, with date, length, confidence, uncertainty and the model's name. "
            "A shapefile keeps ten letters of a field's name: 'uncertaint' for 'uncertainty_m'.",
        ),
        optional_layer(
            "POINTS",
            "Points along the lines",
            "Points along each line, one cell apart, with the number of the line, the distance "
            "along it, confidence and uncertainty in metres. They need probabilities.",
            QgsProcessing.SourceType.TypeVectorPoint,
        ),
        optional_layer(
            "GLACIER_AREA",
            "Glacier area",
            "Polygons of the glacier zone, without the areas that are too small.",
            QgsProcessing.SourceType.TypeVectorPolygon,
        ),
        optional_layer(
            "OCEAN_AREA",
            "Ocean area",
            "Polygons of the ocean zone, without the areas that are too small.",
            QgsProcessing.SourceType.TypeVectorPolygon,
        ),
    ]
