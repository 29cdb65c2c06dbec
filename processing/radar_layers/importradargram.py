"""Radargrams as echograms that QGIS shows, with their place on the map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from qgis.core import (
    Qgis,
    QgsProcessingOutputDefinition,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFile,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterString,
)

from glacier_qgis import styles
from glacier_qgis.processing.base import EngineAlgorithm
from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import Page, page
from glacier_qgis.processing.declarations.parameters import (
    RADAR_LAYERS,
    WHOLE,
    Parameter,
    choice,
    number,
    optional_layer,
)
from glacier_qgis.processing.radar_layers.parameters import LINES, depth, line_source, track_crs
from glacier_qgis.translation import tr

FILE = QgsProcessingParameterFile.Behavior.File
RADARGRAMS = tr("Radargrams (*.mat *.nc *.dzt *.DZT *.sgy *.segy *.png *.jpg *.tif *.tiff)")
POINT = Qgis.ProcessingSourceType.VectorPoint


class ImportRadargram(EngineAlgorithm):
    """`glacier:importradargram`."""

    ID = "importradargram"
    TITLE = tr("Import radargram")
    GROUP = RADAR_LAYERS
    TAGS = tr(
        "radar,echogram,radargram,gpr,georadar,ice-penetrating,snow radar,cresis,open polar radar,"
        "impdar,gssi,dzt,segy,sgy,mat,netcdf,twtt,layers,picks,ground track"
    )
    SUMMARY = tr(
        "Reads a radargram and writes it as an echogram that QGIS shows upright, with its ground "
        "track on the map and the layers that are picked in it as lines.\n\n"
        "Formats: MATLAB files of CReSIS and Open Polar Radar (version 5 and 7.3) and of ImpDAR, "
        "NetCDF, GSSI (.DZT), SEG-Y, and pictures with two calibrations. The echogram lies in a "
        "local system: x counts traces and y samples, downwards. Time, position and elevation of "
        "each trace are in the file of the same name with '.json' behind it; keep both together."
    )
    STYLES: ClassVar = {
        "PICKS": styles.radar_layers,
        "OUTPUT": styles.echogram,
        "POINTS": styles.radar_traces,
        "TRACK": styles.radar_track,
    }

    def pages(self) -> Sequence[Page]:
        """See the base class."""
        return [
            page(tr("Radargram"), self._radargram()),
            page(tr("Calibration"), self._calibration()),
            page(tr("Depth"), [*depth(of_import=True), self._level()]),
            page(tr("Results"), self._results()),
        ]

    def _radargram(self) -> list[Parameter]:
        return [
            described(
                QgsProcessingParameterFile("INPUT", tr("Radargram"), FILE, fileFilter=RADARGRAMS),
                tr(
                    "The file. Its ending says the format; positions of a .DZT are read from the "
                    ".DZG beside it."
                ),
            ),
            described(
                QgsProcessingParameterFile(
                    "LAYERS",
                    tr("Layer file"),
                    FILE,
                    optional=True,
                    fileFilter=tr("Layer files (*.mat)"),
                ),
                tr(
                    "Layer file of Open Polar Radar for the same frame. Its layers are placed by "
                    "GPS time and replace layers of the same id in the radargram."
                ),
            ),
            choice(
                "VALUES",
                tr("Values"),
                tr(
                    "What the echogram holds. 'automatic': linear power becomes dB, anything else "
                    "stays as recorded. 'dB': amplitudes too become power in dB."
                ),
                ["automatic", "dB", "as recorded"],
            ),
            described(
                QgsProcessingParameterString("FRAME_ID", tr("Name of the frame"), optional=True),
                tr(
                    "Name that the echogram, its track and its lines share. Leave it empty for the "
                    "frame in the file's name, such as 20120507_07_004, or the name itself."
                ),
                advanced=True,
            ),
            number(
                "CHANNEL",
                tr("Channel"),
                tr("The channel to read of a .DZT that has several; 1 is the first."),
                1,
                kind=WHOLE,
                minValue=1,
                maxValue=8,
                advanced=True,
            ),
        ]

    def _calibration(self) -> list[Parameter]:
        return [
            number(
                "SAMPLE_INTERVAL",
                tr("Sample interval (ns)"),
                tr(
                    "Two-way travel time between samples. Pictures need it, and SEG-Y files, which "
                    "cannot hold one that is fine enough. Leave it empty for the file's own."
                ),
                None,
                decimals=4,
                word=tr("of the file"),
                minValue=1e-6,
                maxValue=1e5,
            ),
            number(
                "TRACE_SPACING",
                tr("Trace spacing (m)"),
                tr(
                    "Distance between traces, for files without positions. Pictures need it or "
                    "POSITIONS."
                ),
                None,
                decimals=3,
                word=tr("of the file"),
                minValue=1e-6,
                maxValue=1e5,
            ),
            line_source(
                "POSITIONS",
                tr("Line of the profile"),
                tr(
                    "One line on the map from the first trace to the last, along which the traces "
                    "are equally spaced. It is used instead of positions in the file."
                ),
                optional=True,
            ),
            described(
                QgsProcessingParameterCrs(
                    "COORDINATES_CRS", tr("CRS of SEG-Y coordinates"), optional=True
                ),
                tr("Projection of the coordinates in a SEG-Y file, which does not name it."),
                advanced=True,
            ),
        ]

    def _level(self) -> Parameter:
        return described(
            QgsProcessingParameterBoolean("LEVEL_SURFACE", tr("Level the surface"), False),
            tr(
                "Move each trace down by whole samples so that the ice surface is a straight line. "
                "It needs a surface, in the file or the layer file; times stay as they are."
            ),
        )

    def _results(self) -> list[Parameter]:
        return [
            described(
                QgsProcessingParameterRasterDestination("OUTPUT", tr("Echogram")),
                tr("GeoTIFF with overviews, one column per trace and one row per sample."),
            ),
            described(
                QgsProcessingParameterFeatureSink(
                    "TRACK", tr("Ground track"), LINES, optional=True, createByDefault=True
                ),
                tr("Line on the map with the name of the frame; none without positions."),
            ),
            described(
                QgsProcessingParameterFeatureSink(
                    "PICKS", tr("Layer lines"), LINES, optional=True, createByDefault=True
                ),
                tr(
                    "Layers that the file has, as lines in the echogram. Without any it is an "
                    "empty layer with the right fields, to draw in."
                ),
            ),
            optional_layer(
                "POINTS",
                tr("Traces"),
                tr("A point on the map for each trace, with its number, time and elevation."),
                POINT,
            ),
            track_crs(),
        ]

    def numbers(self) -> Sequence[QgsProcessingOutputDefinition]:
        """See the base class."""
        return [
            QgsProcessingOutputNumber("TRACES", tr("Traces")),
            QgsProcessingOutputNumber("SAMPLES", tr("Samples per trace")),
            QgsProcessingOutputNumber("LENGTH_KM", tr("Length of the track (km)")),
        ]
