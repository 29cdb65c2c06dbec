"""Layers that only QGIS knows, and what they hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)

Engine = Callable[..., tuple[dict[str, Any], QgsVectorLayer | QgsRasterLayer]]


def rows(layer: QgsVectorLayer, *names: str) -> list[tuple[object, ...]]:
    return [tuple(feature[name] for name in names) for feature in layer.getFeatures()]


def virtual_raster(scene: Path) -> tuple[QgsRasterLayer, QgsRasterLayer]:
    """Return a scene and twice the scene, which QGIS computes as it is drawn, in the project."""
    base = QgsRasterLayer(str(scene), "scene")
    QgsProject.instance().addMapLayer(base)
    extent = ",".join(map(str, base.extent().toRectF().getCoords()))
    uri = (
        f"?crs=EPSG:3413&extent={extent}&width={base.width()}&height={base.height()}"
        f'&formula="scene@1" * 2&scene:uri={scene}&scene:provider=gdal'
    )
    virtual = QgsRasterLayer(uri, "computed", "virtualraster")
    assert virtual.isValid()
    QgsProject.instance().addMapLayer(virtual)
    return base, virtual
