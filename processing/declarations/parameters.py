"""Kinds of parameters, declared in a line; and those that are the same in several groups."""

from __future__ import annotations

from typing import TypeAlias

from qgis.core import (
    Qgis,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterMapLayer,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
)

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.translation import tr

CALVING_FRONTS = ("calving_fronts", tr("Calving fronts"))
ICE_FLOW = ("ice_flow", tr("Ice flow"))
RADAR_LAYERS = ("radar_layers", tr("Radar layers"))
MODELS_TRAINING = ("models_training", tr("Models and training"))
REVIEW = ("review", tr("Review"))
ENGINE = ("engine", tr("Engine"))

Parameter: TypeAlias = QgsProcessingParameterDefinition
REAL = Qgis.ProcessingNumberParameterType.Double
WHOLE = Qgis.ProcessingNumberParameterType.Integer


def number(
    name: str,
    title: str,
    text: str,
    default: float | None,
    *,
    kind: Qgis.ProcessingNumberParameterType = REAL,
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
    kinds = [Qgis.ProcessingSourceType.VectorPolygon]
    return described(QgsProcessingParameterFeatureSource(name, title, kinds, optional=True), text)


def rock(text: str = "") -> Parameter:
    """Declare what is known to be rock or land; without a text, for segmentation."""
    kinds = [Qgis.ProcessingSourceType.VectorPolygon, Qgis.ProcessingSourceType.Raster]
    return described(
        QgsProcessingParameterMapLayer(
            "ROCK", tr("Rock"), optional=True, types=[int(kind) for kind in kinds]
        ),
        text
        or tr(
            "What is known to be rock or land: polygons, or a raster that is 0 or no data on ice "
            "and water. There, no ice, no water and no front is found. Leave it empty where "
            "nothing is known."
        ),
    )


def optional_raster(name: str, title: str, text: str) -> Parameter:
    """Declare a raster that is written only if asked for."""
    return described(
        QgsProcessingParameterRasterDestination(name, title, optional=True, createByDefault=False),
        text,
    )


def optional_layer(
    name: str, title: str, text: str, kind: Qgis.ProcessingSourceType, *, in_dialogs: bool = False
) -> Parameter:
    """Declare a vector layer that is written only if asked for, or by default `in_dialogs`."""
    sink = QgsProcessingParameterFeatureSink(
        name, title, kind, optional=True, createByDefault=in_dialogs
    )
    return described(sink, text)


def table(name: str, title: str, text: str) -> Parameter:
    """Declare a table that is always written."""
    sink = QgsProcessingParameterFeatureSink(name, title, Qgis.ProcessingSourceType.Vector)
    return described(sink, text)


def input_table(name: str, title: str, text: str) -> Parameter:
    """Declare an optional table, for which dialogs offer layers without geometry."""
    kinds = [Qgis.ProcessingSourceType.Vector]
    source = QgsProcessingParameterFeatureSource(name, title, kinds, optional=True)
    source.setMetadata({"only_tables": True})
    return described(source, text, advanced=True)


def report(text: str) -> Parameter:
    """Declare the page that dialogs write unless told not to, and others if asked for."""
    page = QgsProcessingParameterFileDestination(
        "REPORT", tr("Report"), tr("HTML files (*.html)"), optional=True
    )
    return described(page, text)


def extent(text: str) -> Parameter:
    """Declare the part to work on."""
    return described(
        QgsProcessingParameterExtent("EXTENT", tr("Extent"), optional=True),
        text,
    )


def device() -> Parameter:
    """Declare the processor to use."""
    return choice(
        "DEVICE",
        tr("Device"),
        tr("Where to compute. 'automatic' uses the graphics card if the engine can use one."),
        ["automatic", "cpu", "gpu"],
        advanced=True,
    )
