"""Parameters that the algorithms of the group share."""

from __future__ import annotations

from collections.abc import Collection

from qgis.core import (
    Qgis,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBand,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from glacier_qgis import styles
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import Page, page
from glacier_qgis.processing.declarations.parameters import (
    WHOLE,
    Parameter,
    choice,
    device,
    extent,
    number,
    optional_layer,
    polygons,
    rock,
)
from glacier_qgis.processing.declarations.pickers import file_or_name
from glacier_qgis.translation import tr

ONE_SCENE = tr("The part of the scene to use. Leave it empty to use all of it.")
"""Help of the extent."""
LINE_STYLES = {
    "OUTPUT": styles.termini,
    "POINTS": styles.terminus_points,
    "GLACIER_AREA": styles.glacier_area,
    "OCEAN_AREA": styles.ocean_area,
}
ATTRIBUTES = {"GLACIER", "DATE", "SENSOR", "GLACIER_ID", "AUTHOR"}


def scene_and_bands() -> list[Parameter]:
    """Declare the scene and its bands."""
    return [
        described(
            QgsProcessingParameterRasterLayer("INPUT", tr("Satellite scene")),
            tr(
                "A georeferenced scene in linear power, amplitude, dB, or 8- or 16-bit integers. "
                "It may be larger than memory."
            ),
        ),
        described(
            QgsProcessingParameterBand(
                "BANDS", tr("Bands"), None, "INPUT", optional=True, allowMultiple=True
            ),
            tr(
                "Bands to use, in the order of the model. Leave it empty for the first ones, or in "
                "an optical scene whose bands are named for the red one; rock and open water are "
                "then also judged by colour."
            ),
            advanced=True,
        ),
    ]


def inference(part: str) -> list[Parameter]:
    """Declare how a segmentation network is run."""
    return [
        described(
            file_or_name("MODEL", tr("Model"), "model", empty="automatic"),
            tr(
                "Name of an installed model, a model package (zip or folder), or an ONNX model "
                "with the metadata that the plugin Deepness reads. Empty or 'automatic': chosen by "
                "what the scene's name, tags, bands and values say of its sensor, 'caffe_unet' for "
                "radar and 'landsat_unet' for optical scenes; the log says which, and why. Where "
                "nothing tells the sensor, 'caffe_unet' is used, with a warning."
            ),
        ),
        extent(part),
        polygons(
            "MASK",
            tr("Mask"),
            tr(
                "Polygons to segment; everything outside them is left out. Draw one around the "
                "glacier of interest where other ice also touches the sea."
            ),
        ),
        rock(),
        number(
            "CELL_SIZE",
            tr("Cell size (m)"),
            tr(
                "Ground distance between the cells that the network sees; the scene is resampled "
                "to it. Leave it empty for the cell size that the model was trained with."
            ),
            None,
            decimals=2,
            word=tr("of the model"),
            minValue=0.01,
            maxValue=10_000,
        ),
        choice(
            "GRID",
            tr("Grid of the results"),
            tr(
                "'model': square cells in metres, as the network sees them. 'input': the pixels of "
                "the scene."
            ),
            ["model", "input"],
            advanced=True,
        ),
        described(
            QgsProcessingParameterBoolean("TTA", tr("Test-time augmentation"), True),
            tr(
                "Average the predictions over flips and a rotation by 180° of each tile. It takes "
                "four times as long, and the lines of glaciers that the model was not trained on "
                "are much better, above all in time series. A model of one glacier knows it as it "
                "lies, so its tiles are not turned."
            ),
            advanced=True,
        ),
        device(),
        number(
            "TILE_SIZE",
            tr("Tile size (cells)"),
            tr(
                "Edge of the square that the network sees at once; 0 = automatic. Smaller tiles "
                "take less memory."
            ),
            0,
            kind=WHOLE,
            word=tr("automatic"),
            minValue=0,
            maxValue=16384,
            advanced=True,
        ),
        number(
            "PADDING",
            tr("Padding (cells)"),
            tr(
                "Margin around each tile that the network sees but whose prediction is not used; "
                "-1 = automatic. A wider one takes longer and hides the borders of tiles better."
            ),
            -1,
            kind=WHOLE,
            word=tr("automatic"),
            minValue=-1,
            maxValue=4096,
            advanced=True,
        ),
        number(
            "BATCH_SIZE",
            tr("Batch size (tiles)"),
            tr("Tiles computed at once; 0 = automatic, by the device."),
            0,
            kind=WHOLE,
            word=tr("automatic"),
            minValue=0,
            maxValue=1024,
            advanced=True,
        ),
    ]


def lines_page(unused: Collection[str] = ()) -> Page:
    """Return the page on how zones become lines, less the parameters that are unused."""
    parameters = [p for p in _extraction() if p.name() not in unused]
    lines = page(tr("Lines"), (p for p in parameters if p.name() not in ATTRIBUTES))
    attributes = [p for p in parameters if p.name() in ATTRIBUTES]
    return Page(lines.title, lines.main, {tr("Attributes"): attributes, **lines.sections})


def _extraction() -> list[Parameter]:
    """Declare how zones become lines."""
    return [
        polygons(
            "FJORD_MASK",
            tr("Fjord mask"),
            tr(
                "Polygons of the fjord. Only the parts of lines inside are kept, which removes "
                "lines along the walls of the fjord."
            ),
        ),
        number(
            "MIN_LENGTH",
            tr("Minimum length (m)"),
            tr("Shorter lines are dropped. 750 m is the rule of the CaFFe benchmark."),
            750,
            minValue=0,
        ),
        described(
            QgsProcessingParameterBoolean("LONGEST_ONLY", tr("Longest line only"), False),
            tr(
                "Keep one front, the longest. Leave it off where several glaciers end in the scene."
            ),
        ),
        number(
            "MIN_AREA",
            tr("Minimum area (km²)"),
            tr(
                "Smaller areas of ocean or glacier are speckle and have no front. Lakes on the ice "
                "and icebergs have none either: areas under a tenth of the largest that are fully "
                "enclosed. Use less for glaciers that are a few hundred metres wide."
            ),
            0.5,
            decimals=3,
            minValue=0,
            advanced=True,
        ),
        number(
            "GAP",
            tr("Close gaps up to (m)"),
            tr(
                "Parts of a front that cells of rock or without data separate are joined along the "
                "most probable line if the gap is no wider. Leave it empty for three cells; 0 = "
                "none are joined."
            ),
            None,
            word=tr("three cells"),
            minValue=0,
            maxValue=5000,
            advanced=True,
        ),
        number(
            "MIN_CONFIDENCE",
            tr("Minimum confidence"),
            tr(
                "Lines with a lower confidence, 0 to 1, are left out: where the network cannot "
                "distinguish ice from water on either side, there is most likely no front. A high "
                "limit loses fronts; check lines under 0.5. 0 keeps all lines, also along ocean or "
                "glacier with a mean probability under 0.65."
            ),
            0.1,
            decimals=2,
            minValue=0,
            maxValue=1,
            advanced=True,
        ),
        number(
            "SIMPLIFY",
            tr("Simplify by (m)"),
            tr(
                "Tolerance of the Douglas-Peucker simplification; lines do not come to cross "
                "themselves or each other. 0 = none."
            ),
            0,
            word=tr("none"),
            minValue=0,
            advanced=True,
        ),
        number(
            "SMOOTH",
            tr("Smooth over (m)"),
            tr(
                "Standard deviation of the Gaussian filter along the line; its ends stay in place. "
                "0 = none."
            ),
            0,
            word=tr("none"),
            minValue=0,
            advanced=True,
        ),
        described(
            QgsProcessingParameterString("GLACIER", tr("Glacier"), "", optional=True),
            tr("Name of the glacier, for the attribute 'glacier'."),
        ),
        described(
            QgsProcessingParameterDateTime(
                "DATE", tr("Date"), QgsProcessingParameterDateTime.Type.Date, None, True
            ),
            tr(
                "Day of acquisition, for the attribute 'date'. Leave it empty to read it from the "
                "file's name."
            ),
        ),
        described(
            QgsProcessingParameterString("SENSOR", tr("Sensor"), "", optional=True),
            tr(
                "Satellite or instrument, for the attribute 'sensor'. Leave it empty to read it "
                "from the names of known products."
            ),
        ),
        described(
            QgsProcessingParameterString("GLACIER_ID", tr("Glacier id"), "", optional=True),
            tr("Identifier of the glacier in an inventory, for the attribute 'glacier_id'."),
            advanced=True,
        ),
        described(
            QgsProcessingParameterString("AUTHOR", tr("Author"), "", optional=True),
            tr("Person responsible for the lines, for the attribute 'author'."),
            advanced=True,
        ),
    ]


def line_outputs() -> list[Parameter]:
    """Declare the lines and what can be written beside them."""
    return [
        described(
            QgsProcessingParameterFeatureSink(
                "OUTPUT", tr("Terminus lines"), Qgis.ProcessingSourceType.VectorLine
            ),
            tr(
                "One line per front, with date, length, confidence, uncertainty and the model's "
                "name. A shapefile keeps ten letters of a field's name: 'uncertaint' for "
                "'uncertainty_m'."
            ),
        ),
        optional_layer(
            "POINTS",
            tr("Points along the lines"),
            tr(
                "Points along each line, one cell apart, with the number of the line, the distance "
                "along it, confidence and uncertainty in metres. They need probabilities."
            ),
            Qgis.ProcessingSourceType.VectorPoint,
        ),
        optional_layer(
            "GLACIER_AREA",
            tr("Glacier area"),
            tr("Polygons of the glacier zone, without the areas that are too small."),
            Qgis.ProcessingSourceType.VectorPolygon,
        ),
        optional_layer(
            "OCEAN_AREA",
            tr("Ocean area"),
            tr("Polygons of the ocean zone, without the areas that are too small."),
            Qgis.ProcessingSourceType.VectorPolygon,
        ),
    ]


def line_numbers() -> list[QgsProcessingOutputDefinition]:
    """Declare the values that models can decide on."""
    return [
        QgsProcessingOutputNumber("COUNT", tr("Number of lines")),
        QgsProcessingOutputNumber("TOTAL_LENGTH", tr("Total length (m)")),
        QgsProcessingOutputString("REASON", tr("Why no front was found")),
    ]
