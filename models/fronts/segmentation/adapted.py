"""Models of one glacier, used on that glacier only.

A model that was adapted to a glacier has forgotten others. So a scene that lies elsewhere is
segmented with the model that it was adapted from, where that is installed.
"""

from __future__ import annotations

from pathlib import Path

from shapely import box

from glacier_qgis.models.package.card import AdaptedTo, ModelCard
from glacier_qgis.models.package.registry import installed_models, readable
from glacier_qgis.models.raster.crs import read_crs
from glacier_qgis.models.raster.footprint import Footprint
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.raster.metric import transform_bounds


def lies_elsewhere(scene: Footprint | Grid, adapted: AdaptedTo) -> bool:
    """Return whether a scene does not touch the surroundings of a model's glacier."""
    own = transform_bounds(scene.bounds, scene.crs, read_crs("EPSG:4326", ""))
    return not box(*adapted.bounds).intersects(box(*own))


def adapted_from(adapted: AdaptedTo) -> tuple[Path, ModelCard] | None:
    """Return the installed model that a model was adapted from; None if it is not there."""
    known = readable(installed_models().values())
    return next(
        (
            (folder, card)
            for folder, card in known
            if card.adapted is None and card.weights.sha256 == adapted.parent
        ),
        None,
    )
