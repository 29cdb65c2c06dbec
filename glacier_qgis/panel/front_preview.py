"""The preview of fronts: what is in view goes to the warm engine, its answer over the map."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
)
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtGui import QColor

from glacier_qgis.client.warm_engine import Request, WarmEngine
from glacier_qgis.panel.overlay import Line, Overlay, coloured
from glacier_qgis.processing.inputs.copies import Copy, crs_text
from glacier_qgis.processing.inputs.rasters import raster_value
from glacier_qgis.styles.fronts import CONFIDENCE
from glacier_qgis.styles.zones import ZONES, zone_colours
from glacier_qgis.translation import tr


class FrontPreview(QObject):
    """Asks the engine and shows its answer; one question at a time.

    Attributes:
        progressed: Signal with percents.
        said: Signal with a sentence for a person.
        changed: Signal that it has become busy or idle, or the overlay has come or gone.
    """

    progressed = pyqtSignal(float)
    said = pyqtSignal(str)
    changed = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas, engine: WarmEngine, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._engine = engine
        self._overlay = Overlay(canvas)
        canvas.destinationCrsChanged.connect(self.changed)  # which takes the overlay away
        self._preparation: Request | None = None
        self._prepared: tuple[str, str] | None = None
        self._request: Request | None = None
        self._warnings: list[str] = []

    def prepare(self, layer: QgsRasterLayer, model: str) -> None:
        """Let the engine load the model and measure the scene, before a person asks."""
        wanted = (layer.id(), model)
        if wanted == self._prepared and self._engine.is_running():
            return
        try:
            parameters = self._question(layer, model)
        except QgsProcessingException:
            return  # the preview will say it
        self._prepared = wanted
        self._preparation = self._engine.submit("preparepreview", parameters)

    def ask(self, layer: QgsRasterLayer, model: str, *, view_only: bool) -> None:
        """Show what the network makes of what is in view."""
        try:
            question = self._question(layer, model)
            view = self._view(layer)
        except QgsProcessingException as problem:
            self.said.emit(str(problem))
            return
        self._warnings.clear()
        self._request = self._engine.submit(
            "previewtermini", {**question, "view": view, "view_only": view_only}
        )
        self._request.finished.connect(self._answered)
        self._request.failed.connect(self._failed)
        self._request.warned.connect(self._warnings.append)
        self._request.progressChanged.connect(self.progressed)
        self.said.emit(tr("Looking at what is in view…"))
        self.changed.emit()

    def cancel(self) -> None:
        """Ask no longer; the engine goes with the question."""
        if self._request is not None:
            request, self._request = self._request, None
            self._prepared = None
            request.cancel()
            self.said.emit(tr("Cancelled."))
            self.changed.emit()

    def clear(self) -> None:
        """Take the picture off the map."""
        self._overlay.clear()
        self.changed.emit()

    def is_busy(self) -> bool:
        """Whether there is a question without an answer."""
        return self._request is not None

    def is_shown(self) -> bool:
        """Whether there is a picture over the map."""
        return self._overlay.is_shown()

    def map_crs(self, layer: QgsRasterLayer | None) -> QgsCoordinateReferenceSystem:
        """Return the CRS of the map; without one, layers are drawn in their own coordinates."""
        crs = self._canvas.mapSettings().destinationCrs()
        return crs if crs.isValid() or layer is None else layer.crs()

    def close(self) -> None:
        """Leave nothing on the map, and ask nothing any longer."""
        for request in (self._preparation, self._request):
            if request is not None:
                request.cancel()
        self._request = None
        self._canvas.destinationCrsChanged.disconnect(self.changed)
        self._overlay.close()

    def _question(self, layer: QgsRasterLayer, model: str) -> dict[str, Any]:
        """Return the scene and the model as the engine takes them.

        Raises:
            QgsProcessingException: The engine cannot read the scene itself.
        """
        copies: list[Copy] = []
        scene = raster_value(tr("Scene"), layer, QgsProcessingContext(), copies)
        if copies:
            raise QgsProcessingException(
                tr(
                    "There is no preview of the layer '{}', which only QGIS can read. Run it, or "
                    "export it to a GeoTIFF first."
                ).format(layer.name())
            )
        return {"input": scene, "model": model}

    def _view(self, layer: QgsRasterLayer) -> dict[str, Any]:
        """Return what the map shows, as the engine takes it.

        Raises:
            QgsProcessingException: The scene is not in it.
        """
        crs = self.map_crs(layer)
        box = self._canvas.mapSettings().visibleExtent()
        if not box.intersects(_extent_in(layer, crs)):
            raise QgsProcessingException(
                tr("The scene '{}' is not in view. Zoom to the layer first.").format(layer.name())
            )
        return {
            "xmin": box.xMinimum(),
            "ymin": box.yMinimum(),
            "xmax": box.xMaximum(),
            "ymax": box.yMaximum(),
            "crs": crs_text(crs),
        }

    def _answered(self, outputs: Mapping[str, Any]) -> None:
        self._request = None
        lines = [
            Line(line["points"], _confidence_colour(line["confidence"]))
            for line in outputs["LINES"]
        ]
        image = coloured(base64.b64decode(outputs["PICTURE"]), zone_colours(outputs["CLASSES"]))
        self._overlay.show(image, QgsRectangle(*outputs["EXTENT"]), lines)
        self.said.emit(" ".join([_summary(outputs), *self._warnings]))
        self.changed.emit()

    def _failed(self, problem: str) -> None:
        self._request = self._prepared = None
        self.said.emit(problem)
        self.changed.emit()


def _extent_in(layer: QgsRasterLayer, crs: QgsCoordinateReferenceSystem) -> QgsRectangle:
    """Return where a layer lies; everywhere where that is not known."""
    transform = QgsCoordinateTransform(layer.crs(), crs, QgsProject.instance())
    try:
        return transform.transformBoundingBox(layer.extent())
    except QgsCsException:
        return QgsRectangle(-1e300, -1e300, 1e300, 1e300)


def legend() -> str:
    """Return what the colours of the zones mean, as rich text."""
    return " ".join(
        f'<span style="color: {colour}">■</span> {name.lower()}' for _, name, colour in ZONES
    )


def _confidence_colour(confidence: float) -> QColor:
    """Return the colour that a layer gives to such a line."""
    return next(QColor(colour) for _, high, colour, _ in CONFIDENCE if confidence <= high)


def _summary(outputs: Mapping[str, Any]) -> str:
    """Say in a sentence or two what a preview shows."""
    sure = [line["confidence"] for line in outputs["LINES"]]
    count = len(sure)
    if not count:
        found = tr("No front in view. {reason}").format(reason=outputs["REASON"])
    else:
        found = tr("One line") if count == 1 else tr("{count} lines").format(count=count)
        low, high = (f"{end(sure):.2f}" for end in (min, max))
        found += (
            tr(", confidence {low}.").format(low=low)
            if low == high
            else tr(", confidence {low} to {high}.").format(low=low, high=high)
        )
    return tr("{found} Model {model}, cells of {cell_size:.0f} m.").format(
        found=found, model=outputs["MODEL"], cell_size=outputs["CELL_SIZE"]
    )
