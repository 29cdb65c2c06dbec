"""Where a glacier's run begins: ground, ice and grid."""

from __future__ import annotations

from qgis.core import QgsProcessingParameterRasterLayer

from glacier_qgis.processing.declarations.described import described
from glacier_qgis.processing.declarations.pages import BLANK, Page, only_if
from glacier_qgis.processing.declarations.parameters import Parameter, extent, number, polygons
from glacier_qgis.processing.ice_flow.parameters.evolution import resume
from glacier_qgis.processing.ice_flow.parameters.flow import vertical_unit
from glacier_qgis.translation import tr


def optional_input(name: str, title: str, text: str) -> Parameter:
    """Declare a raster that may be left out."""
    return described(QgsProcessingParameterRasterLayer(name, title, optional=True), text)


def ground_page(cells: str) -> Page:
    """Declare where the run begins; `cells` says what the size of a cell should be."""
    rasters = [
        optional_input(
            "SURFACE",
            tr("Surface elevation"),
            tr(
                "Elevation of the surface, m. With INITIAL_THICKNESS it gives the bedrock; alone "
                "it is taken as ice-free ground."
            ),
        ),
        optional_input(
            "INITIAL_THICKNESS",
            tr("Initial ice thickness"),
            tr("Thickness of the ice at the start, m. Leave it empty to start without ice."),
        ),
        optional_input(
            "BED", tr("Bedrock elevation"), tr("Elevation of the ground under the ice, m.")
        ),
    ]
    grid = [
        extent(tr("The part of the landscape to use. Leave it empty to use all of it.")),
        number(
            "RESOLUTION",
            tr("Resolution (m)"),
            cells,
            100,
            minValue=1,
            maxValue=20000,
        ),
    ]
    uniform = number(
        "UNIFORM_THICKNESS",
        tr("Uniform initial thickness (m)"),
        tr(
            "Instead of a raster: ice of this thickness at the start, inside ICE_MASK if there is "
            "one, else everywhere. It is subtracted from SURFACE to give the bedrock. It is a "
            "first guess only: a raster of published thickness fits a glacier far better."
        ),
        None,
        word=tr("none"),
        minValue=0,
        maxValue=5000,
        advanced=True,
    )
    mask = polygons(
        "ICE_MASK",
        tr("Ice mask"),
        tr("Ice outside these polygons is removed, by a melt of 10 m per year."),
    )
    for parameter in (*rasters, *grid, uniform):
        only_if(parameter, RESUME=BLANK)
    return Page(
        tr("Ground"),
        [*rasters, *grid, mask],
        {tr("Advanced"): [uniform, vertical_unit()], tr("Continue an earlier run"): [resume()]},
    )
