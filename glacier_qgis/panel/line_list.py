"""The lines of a layer as a list, the least certain first, to step through on the map."""

from __future__ import annotations

from qgis.core import (
    Qgis,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeature,
    QgsFeatureRequest,
    QgsMapLayer,
    QgsProject,
    QgsVariantUtils,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas, QgsMapLayerComboBox
from qgis.PyQt.QtCore import QDate, QDateTime, QModelIndex, Qt, QTimer
from qgis.PyQt.QtGui import QAction, QStandardItem, QStandardItemModel
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QToolButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from glacier_qgis.translation import tr

CONFIDENCE = "confidence"
COLUMNS = (
    (CONFIDENCE, tr("Confidence"), "{:.2f}"),
    ("uncertainty_m", "±", "{:.0f} m"),
    ("length_m", tr("Length"), "{:,.0f} m"),
    ("date", tr("Date"), "{}"),
)
"""Field, title and form of each column."""
VALUE, FEATURE = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
RELOAD_MS = 200
"""Edits come in bursts."""
CHANGES = (
    "featureAdded",
    "featuresDeleted",
    "geometryChanged",
    "attributeValueChanged",
    "dataChanged",
    "subsetStringChanged",
    "afterRollBack",
    "afterCommitChanges",
)


class LineList(QWidget):
    """Lines of a chosen layer; the current one is shown on the map."""

    def __init__(self, canvas: QgsMapCanvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._layer: QgsVectorLayer | None = None
        self._reloading = False
        self._layers = QgsMapLayerComboBox()
        self._layers.setFilters(Qgis.LayerFilter.LineLayer)
        self._layers.setAllowEmptyLayer(True, tr("No lines yet"))
        self._model = QStandardItemModel(0, len(COLUMNS), self)
        self._model.setHorizontalHeaderLabels([title for _, title, _ in COLUMNS])
        self._model.setSortRole(VALUE)
        self._view = self._make_view()
        self._place = QLabel()
        self.previous_action = QAction(tr("Previous line"), self)
        self.next_action = QAction(tr("Next line"), self)
        self.previous_action.triggered.connect(lambda: self.step(-1))
        self.next_action.triggered.connect(lambda: self.step(1))
        self._arrange()
        self._reload_soon = QTimer(self)
        self._reload_soon.setSingleShot(True)
        self._reload_soon.setInterval(RELOAD_MS)
        self._reload_soon.timeout.connect(self.reload)
        project = QgsProject.instance()
        project.layersAdded.connect(self._offer_layers)
        project.layersRemoved.connect(self._offer_layers)
        self._layers.layerChanged.connect(self._take_layer)
        self._offer_layers()
        self._take_layer(self._layers.currentLayer())

    def show_layer(self, layer: QgsVectorLayer) -> None:
        """Choose a layer."""
        self._offer_layers()
        self._layers.setLayer(layer)

    def step(self, by: int) -> None:
        """Go to the next line (1) or the one before (-1); the ends are ends."""
        count = self._model.rowCount()
        if not count:
            return
        current = self._view.currentIndex()
        row = current.row() + by if current.isValid() else (0 if by > 0 else count - 1)
        self._go_to(min(max(row, 0), count - 1))

    def close_down(self) -> None:
        """Let go of the project and the layer."""
        self._reload_soon.stop()
        project = QgsProject.instance()
        project.layersAdded.disconnect(self._offer_layers)
        project.layersRemoved.disconnect(self._offer_layers)
        self._take_layer(None)

    def _make_view(self) -> QTreeView:
        view = QTreeView()
        view.setModel(self._model)
        view.setRootIsDecorated(False)
        view.setUniformRowHeights(True)
        view.setAlternatingRowColors(True)
        view.setSortingEnabled(True)
        view.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.header().setStretchLastSection(False)
        view.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        view.selectionModel().currentRowChanged.connect(self._show_current)
        view.clicked.connect(self._show_current)
        return view

    def _arrange(self) -> None:
        def button(action: QAction, arrow: Qt.ArrowType) -> QToolButton:
            made = QToolButton()
            made.setDefaultAction(action)
            made.setArrowType(arrow)
            return made

        row = QHBoxLayout()
        row.addWidget(button(self.previous_action, Qt.ArrowType.LeftArrow))
        row.addWidget(button(self.next_action, Qt.ArrowType.RightArrow))
        row.addWidget(self._place, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._layers)
        column.addWidget(self._view, 1)
        column.addLayout(row)

    def _offer_layers(self, *_: object) -> None:
        """Offer line layers with a confidence, as the toolbox' algorithms make them."""
        self._layers.setExceptedLayerList(
            [
                layer
                for layer in QgsProject.instance().mapLayers().values()
                if isinstance(layer, QgsVectorLayer) and layer.fields().indexOf(CONFIDENCE) < 0
            ]
        )

    def _take_layer(self, chosen: QgsMapLayer | None) -> None:
        layer = chosen if isinstance(chosen, QgsVectorLayer) else None
        if self._layer is not None:
            for name in CHANGES:
                getattr(self._layer, name).disconnect(self._edited)
            self._layer.willBeDeleted.disconnect(self._forget_layer)
        self._layer = layer
        if layer is not None:
            for name in CHANGES:
                getattr(layer, name).connect(self._edited)
            layer.willBeDeleted.connect(self._forget_layer)
        self.reload()

    def _forget_layer(self) -> None:
        self._layer = None
        self.reload()

    def _edited(self, *_: object) -> None:
        self._reload_soon.start()

    def reload(self) -> None:
        """Read the lines again; the current one stays."""
        current = self._current_feature()
        self._reloading = True
        self._model.setRowCount(0)
        if self._layer is not None:
            names = self._layer.fields().names()
            known = [name for name, *_ in COLUMNS if name in names]
            request = QgsFeatureRequest().setFlags(Qgis.FeatureRequestFlag.NoGeometry)
            request.setSubsetOfAttributes(known, self._layer.fields())
            for feature in self._layer.getFeatures(request):
                self._model.appendRow(_row(feature, known))
        header = self._view.header()
        self._model.sort(header.sortIndicatorSection(), header.sortIndicatorOrder())
        for row in range(self._model.rowCount()):
            if self._model.item(row).data(FEATURE) == current:
                self._view.setCurrentIndex(self._model.index(row, 0))
        self._reloading = False
        self._show_place()

    def _current_feature(self) -> int | None:
        index = self._view.currentIndex()
        return self._model.item(index.row()).data(FEATURE) if index.isValid() else None

    def _go_to(self, row: int) -> None:
        index = self._model.index(row, 0)
        if index == self._view.currentIndex():
            self._show_current(index)
        self._view.setCurrentIndex(index)
        self._view.scrollTo(index)

    def _show_current(self, index: QModelIndex, *_: object) -> None:
        """Bring the current line into view, and flash it."""
        if self._layer is None or not index.isValid() or self._reloading:
            return
        self._show_place()
        number = self._model.item(index.row()).data(FEATURE)
        box = self._layer.getFeature(number).geometry().boundingBox()
        transform = QgsCoordinateTransform(
            self._layer.crs(),
            self._canvas.mapSettings().destinationCrs(),
            QgsProject.instance(),
        )
        try:
            box = transform.transformBoundingBox(box)
        except QgsCsException:
            return
        if box.isNull():
            return
        box.scale(1.5)
        self._canvas.zoomToFeatureExtent(box)
        self._canvas.flashFeatureIds(self._layer, [number])

    def _show_place(self) -> None:
        count = self._model.rowCount()
        index = self._view.currentIndex()
        if not count:
            self._place.setText("")
        elif index.isValid():
            self._place.setText(tr("{} of {}").format(index.row() + 1, count))
        else:
            self._place.setText(tr("one line") if count == 1 else tr("{} lines").format(count))
        for action in (self.previous_action, self.next_action):
            action.setEnabled(bool(count))


def _row(feature: QgsFeature, known: list[str]) -> list[QStandardItem]:
    items = []
    for name, _, form in COLUMNS:
        value = feature[name] if name in known else None
        item = QStandardItem(_text(value, form))
        item.setData(_sortable(value), VALUE)
        item.setData(feature.id(), FEATURE)
        if isinstance(value, int | float):
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        items.append(item)
    return items


def _text(value: object, form: str) -> str:
    if QgsVariantUtils.isNull(value):
        return ""
    if isinstance(value, QDate | QDateTime):
        return str(value.toString("yyyy-MM-dd"))
    return form.format(value)


def _sortable(value: object) -> object:
    """Return what sorts as the value does, what is missing first."""
    if QgsVariantUtils.isNull(value):
        return -1.0
    return value.toString("yyyy-MM-dd") if isinstance(value, QDate | QDateTime) else value
