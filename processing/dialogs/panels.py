"""The parameters of a dialog: made by QGIS, on pages, with what is wrong beside each field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from qgis.core import Qgis, QgsApplication, QgsProcessingParameterDefinition
from qgis.gui import (
    QgsCollapsibleGroupBox,
    QgsProcessingParametersGenerator,
)
from qgis.PyQt.QtCore import QSize, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QIcon, QShowEvent
from qgis.PyQt.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from glacier_qgis.processing.declarations.help import labelled
from glacier_qgis.processing.declarations.pages import OFFERS, Page, applies
from glacier_qgis.processing.dialogs.choices import Choice, add_menu, bands, fields
from glacier_qgis.processing.dialogs.wrapped import complete, field_of, label_of, widen
from glacier_qgis.translation import tr
from processing.gui.ParametersPanel import ParametersPanel

PAUSE = 200
"""Milliseconds without a change after which what was set is reviewed."""


class Panel(ParametersPanel):
    """QGIS' panel that hides what does not apply and says beside a field what is wrong with it.

    Attributes:
        reviewed: Emitted with all that is wrong, one line each, whenever it was looked at.
    """

    reviewed = pyqtSignal(str)

    def initWidgets(self) -> None:
        """Let QGIS make its widgets, and complete them."""
        super().initWidgets()
        self.notes: dict[str, QLabel] = {}
        self._hidden: set[str] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(self.review)
        for name, wrapper in self.wrappers.items():
            definition = wrapper.parameterDefinition()
            complete(definition, field_of(wrapper))
            if OFFERS in definition.metadata():
                self._offer(definition, field_of(wrapper))
            self.notes[name] = self._note()
            wrapper.widgetValueHasChanged.connect(self._timer.start)
        self.place()
        self.review()

    def place(self) -> None:
        """Put a note under each widget."""
        for name, note in self.notes.items():
            widget = field_of(self.wrappers[name])
            layout = cast(QBoxLayout, widget.parentWidget().layout())
            layout.insertWidget(layout.indexOf(widget) + 1, note)

    def values(self) -> dict[str, Any]:
        """Return what is set, without any check."""
        return {name: wrapper.parameterValue() for name, wrapper in self.wrappers.items()}

    def review(self) -> None:
        """Hide what does not apply, and say what is wrong."""
        values = self.values()
        inapplicable = self._inapplicable(values)
        faults = self.faults()
        for name in inapplicable ^ self._hidden:
            wrapper = self.wrappers[name]
            for widget in filter(None, (label_of(wrapper), field_of(wrapper))):
                widget.setVisible(name not in inapplicable)
        self._hidden = inapplicable
        for name, note in self.notes.items():
            note.setText(faults.get(name, ""))
            note.setVisible(name in faults)
        self.reviewed.emit(
            "\n".join(f"{self._title(name)}: {fault}" for name, fault in faults.items())
        )

    def faults(self) -> dict[str, str]:
        """Return what is wrong, by the parameter that it is about."""
        values = self.values()
        values = {name: values[name] for name in values.keys() - self._inapplicable(values)}
        found: dict[str, str] = {}
        for definition in self.algorithm().parameterDefinitions():
            name = definition.name()
            if name not in values or found.keys() & set(definition.dependsOnOtherParameters()):
                continue
            if not definition.checkValueIsAcceptable(values[name]):
                missing = values[name] in (None, "", [])
                found[name] = tr("Needed.") if missing else tr("This is not valid.")
        for name, fault in self.algorithm().faults(values, self.processing_context):
            found.setdefault(name, labelled(fault, self.algorithm()))
        return found

    def show_first_fault(self) -> tuple[str, str]:
        """Show the first field with which something is wrong; return its label and the fault."""
        self.review()
        faults = self.faults()
        name = next((name for name in self.wrappers if name in faults), None)
        if name is None:
            return "", ""
        self.reveal(field_of(self.wrappers[name]))
        return self._title(name), faults[name]

    def reveal(self, widget: QWidget) -> None:
        """Bring a field into view."""
        parent = widget
        while parent is not None and parent is not self:
            if isinstance(parent, QgsCollapsibleGroupBox):
                parent.setCollapsed(False)
            if isinstance(parent, QScrollArea):
                parent.ensureWidgetVisible(widget)
            parent = parent.parentWidget()
        widget.setFocus()

    def createProcessingParameters(
        self, *flags: QgsProcessingParametersGenerator.Flag
    ) -> dict[str, Any]:
        """Return what is set, less what does not apply."""
        parameters = super().createProcessingParameters(*flags)
        inapplicable = self._inapplicable(self.values())
        return {name: value for name, value in parameters.items() if name not in inapplicable}

    def setParameters(self, parameters: Mapping[str, Any]) -> None:
        """Show the values of another run: outputs that it did not write are not written again."""
        outputs = self.algorithm().destinationParameterDefinitions()
        if any(output.name() in parameters for output in outputs):
            optional = Qgis.ProcessingParameterFlag.Optional
            off = [output.name() for output in outputs if output.flags() & optional]
            parameters = dict.fromkeys(off) | dict(parameters)
        for name, value in parameters.items():
            if name in self.wrappers:
                widen(field_of(self.wrappers[name]), value)
        super().setParameters(parameters)
        self.review()

    def _title(self, name: str) -> str:
        return str(self.wrappers[name].parameterDefinition().description())

    def _inapplicable(self, values: Mapping[str, Any]) -> set[str]:
        return {
            definition.name()
            for definition in self.algorithm().parameterDefinitions()
            if not applies(definition, values)
        }

    def _offer(self, definition: QgsProcessingParameterDefinition, widget: QWidget) -> None:
        """Offer the fields or bands of the inputs that a text is about."""
        hints = definition.metadata()
        choices = bands if hints[OFFERS] == "bands" else fields

        def found() -> Iterator[Choice]:
            for name in hints["of"]:
                yield from choices(self.wrappers[name].parameterValue(), self.processing_context)

        for line in [widget] if isinstance(widget, QLineEdit) else widget.findChildren(QLineEdit):
            add_menu(line, found, several=choices is bands)

    def _note(self) -> QLabel:
        note = QLabel(self)
        note.setWordWrap(True)
        note.setStyleSheet("color: #b35900")
        note.hide()
        return note


class PagedPanel(Panel):
    """A panel whose parameters are on pages, with a list of them on the left."""

    def addParameterLabel(
        self, definition: QgsProcessingParameterDefinition, label: QWidget
    ) -> None:
        """Keep it until `place` knows its page."""
        label.setParent(self)

    def addParameterWidget(
        self, definition: QgsProcessingParameterDefinition, widget: QWidget, stretch: int
    ) -> None:
        """Keep it until `place` knows its page."""
        widget.setParent(self)

    def addOutputLabel(self, label: QWidget) -> None:
        """Keep it until `place` knows its page."""
        label.setParent(self)

    def addOutputWidget(self, widget: QWidget, stretch: int) -> None:
        """Keep it until `place` knows its page."""
        widget.setParent(self)

    def place(self) -> None:
        """Put everything on its page."""
        self.findChild(QScrollArea, "scrollArea").hide()
        self.list = QListWidget()
        self.stack = QStackedWidget()
        self.page_of: dict[str, int] = {}
        self.sections: dict[str, QgsCollapsibleGroupBox] = {}
        for index, page in enumerate(self.algorithm().pages()):
            self.list.addItem(QListWidgetItem(page.title))
            self.stack.addWidget(self._page(page))
            self.page_of |= {p.name(): index for p in page.parameters()}
        self.list.setIconSize(QSize(16, 16))
        self.list.setFixedWidth(self.list.sizeHintForColumn(0) + 44)
        self.list.currentRowChanged.connect(self.stack.setCurrentIndex)
        self.list.setCurrentRow(0)
        row = QHBoxLayout()
        row.addWidget(self.list)
        row.addWidget(self.stack, 1)
        self.layout().addLayout(row, 1)

    def showEvent(self, event: QShowEvent) -> None:
        """Begin with the list of pages, so that the keyboard changes no value unseen."""
        super().showEvent(event)
        self.list.setFocus()
        for line in self.findChildren(QLineEdit):
            line.deselect()

    def _page(self, page: Page) -> QWidget:
        content = QWidget()
        column = QVBoxLayout(content)
        column.addLayout(self._column(p.name() for p in page.main))
        for title, parameters in page.sections.items():
            box = QgsCollapsibleGroupBox(title)
            names = [p.name() for p in parameters]
            inside = QWidget()  # a folded box hides and shows its own children only
            inside.setLayout(self._column(names))
            QVBoxLayout(box).addWidget(inside)
            box.setScrollOnExpand(False)
            box.setCollapsed(True)
            column.addWidget(box)
            self.sections |= dict.fromkeys(names, box)
        column.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(content)
        return area

    def _column(self, names: Iterable[str]) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        for name in names:
            wrapper = self.wrappers[name]
            for widget in filter(None, (label_of(wrapper), field_of(wrapper), self.notes[name])):
                column.addWidget(widget)
        return column

    def review(self) -> None:
        """See the base class; mark the pages on which something is wrong."""
        super().review()
        marked = {self.page_of[name] for name, note in self.notes.items() if note.text()}
        for index in range(self.list.count()):
            icon = QgsApplication.getThemeIcon("/mIconWarning.svg") if index in marked else QIcon()
            self.list.item(index).setIcon(icon)
        inapplicable = self._inapplicable(self.values())
        shown = {box for name, box in self.sections.items() if name not in inapplicable}
        for box in set(self.sections.values()):
            box.setVisible(box in shown)

    def setParameters(self, parameters: Mapping[str, Any]) -> None:
        """See the base class; unfold the sections in which something is set."""
        super().setParameters(parameters)
        for name, box in self.sections.items():
            value = self.wrappers[name].parameterValue()
            if value not in (None, "", self.wrappers[name].parameterDefinition().defaultValue()):
                box.setCollapsed(False)

    def reveal(self, widget: QWidget) -> None:
        """See the base class; turn to the page."""
        for name, wrapper in self.wrappers.items():
            if field_of(wrapper) is widget:
                self.list.setCurrentRow(self.page_of[name])
        super().reveal(widget)
