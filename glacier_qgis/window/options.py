"""The page "Glacier" in QGIS' options."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from qgis.core import QgsProcessingException
from qgis.gui import QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from qgis.utils import iface

from glacier_qgis.client.engine import SET_UP, find_python
from glacier_qgis.resources import ICONS
from glacier_qgis.settings import VARIABLE, default_environment, engine_setting, set_engine_setting
from glacier_qgis.setup.needs import EXTRAS, engine_size, extra_label, is_available
from glacier_qgis.setup.state import read_state
from glacier_qgis.translation import tr
from glacier_qgis.window.background import BackgroundRun
from glacier_qgis.window.first_start import withdraw_offer
from glacier_qgis.window.try_it import INVITATION, TryIt


class OptionsFactory(QgsOptionsWidgetFactory):
    """Makes the page whenever the options are opened."""

    def __init__(self) -> None:
        super().__init__("Glacier", QIcon(str(ICONS / "glacier.svg")))

    def createWidget(self, parent: QWidget | None = None) -> OptionsPage:
        """Return a new page."""
        return OptionsPage(parent)


class OptionsPage(QgsOptionsPageWidget):
    """Shows the engine, sets it up, tests and repairs it; lets a person name its interpreter.

    What it starts runs in a thread, also when the options are closed; a page that is opened
    meanwhile shows it.
    """

    running: ClassVar[BackgroundRun | None] = None

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self._python = QgsFileWidget(self)
        self._python.setFilePath(engine_setting())
        self._python.setEnabled(not os.environ.get(VARIABLE))
        self._words = QPlainTextEdit()
        self._words.setReadOnly(True)
        self._extras = {name: QCheckBox(extra_label(name)) for name in EXTRAS}
        chosen = read_state(_environment()).get("extras", ["igm"])
        for name, box in self._extras.items():
            box.setChecked(name in chosen)
            box.setEnabled(is_available(name))
        self._bar = QProgressBar()
        buttons = QHBoxLayout()
        self._idle = [
            self._button(tr("Set up"), self.set_up, buttons),
            self._button(tr("Test"), self.test, buttons),
            self._button(tr("Repair"), self.repair, buttons),
        ]
        self._cancel = self._button(tr("Cancel"), self.cancel, buttons)
        buttons.addStretch(1)
        if iface is not None:
            self._idle.append(self._button(INVITATION, self.try_it, buttons))
        column = QVBoxLayout(self)
        column.addWidget(self._words, 1)
        column.addWidget(self._bar)
        for box in self._extras.values():
            column.addWidget(box)
        column.addLayout(buttons)
        column.addLayout(self._interpreter())
        self._show(engine_state())
        self._watch()

    def apply(self) -> None:
        """Keep what was entered."""
        if self._python.isEnabled():
            set_engine_setting(self._python.filePath().strip())
        withdraw_offer(iface)

    def state(self) -> str:
        """Return what the page says of the engine."""
        return str(self._words.toPlainText())

    def set_up(self) -> None:
        """Install what is missing."""
        self._install(repair=False)

    def repair(self) -> None:
        """Install everything again."""
        self._install(repair=True)

    def test(self) -> None:
        """Start the engine once and show what it says of itself."""
        self.apply()
        self._start("glacier:engineinfo", {})

    def try_it(self) -> None:
        """Run both instruments on the sample data, on the map, which the options would hide."""
        self.apply()
        window = self.window()
        if isinstance(window, QDialog):
            window.accept()
        if iface is not None:
            TryIt(iface).start()

    def cancel(self) -> None:
        """End what is running."""
        if OptionsPage.running is not None:
            OptionsPage.running.cancel()

    def _install(self, *, repair: bool) -> None:
        self.apply()
        extras = [name for name, box in self._extras.items() if box.isChecked()]
        order = {"FOLDER": str(_environment()), "EXTRAS": extras, "REPAIR": repair}
        self._start("glacier:setupengine", order)

    def _start(self, identifier: str, parameters: Mapping[str, Any]) -> None:
        run = BackgroundRun(identifier, parameters)
        OptionsPage.running = run
        run.finished.connect(_forget)
        self._show(tr("Starting…"))
        self._watch()
        run.start()

    def _watch(self) -> None:
        """Follow what is running."""
        run = OptionsPage.running
        self._bar.setVisible(run is not None)
        self._cancel.setVisible(run is not None)
        for button in self._idle:
            button.setEnabled(run is None)
        if run is not None:
            run.feedback.progressChanged.connect(self._tell)
            run.finished.connect(self._end)

    def _tell(self, percent: float) -> None:
        self._bar.setValue(int(percent))
        if OptionsPage.running is not None:
            self._show(_last_line(OptionsPage.running))

    def _end(self, succeeded: bool, results: Mapping[str, Any]) -> None:
        run = self.sender()
        self._watch()
        self._python.setFilePath(engine_setting())
        withdraw_offer(iface)
        if succeeded:
            found = results.get("TEXT")
            works = "\n".join([tr("The engine works."), str(found)])
            self._show(works if found else engine_state())
        elif isinstance(run, BackgroundRun):
            self._show(_last_line(run))

    def _show(self, text: str) -> None:
        self._words.setPlainText(text)

    def _interpreter(self) -> QFormLayout:
        explanation = QLabel(
            tr(
                "Python of the engine: 'Set up' enters it, or choose that of an existing engine. "
                "Empty: {folder}. The variable {variable}, where set, has priority."
            ).format(folder=default_environment(), variable=VARIABLE)
        )
        explanation.setWordWrap(True)
        form = QFormLayout()
        form.addRow(tr("Engine interpreter"), self._python)
        form.addRow(explanation)
        return form

    def _button(self, title: str, act: Callable[[], None], row: QHBoxLayout) -> QPushButton:
        button = QPushButton(title)
        button.clicked.connect(lambda: act())
        row.addWidget(button)
        return button


def _forget() -> None:
    OptionsPage.running = None


def _last_line(run: BackgroundRun) -> str:
    lines = str(run.feedback.textLog()).strip().splitlines()
    return lines[-1] if lines else ""


def engine_state() -> str:
    """Return what can be known of the engine without starting it."""
    try:
        python = find_python()
    except QgsProcessingException as problem:
        size = engine_size()
        needs = tr("It needs {size}.").format(size=size) if size else ""
        here = str(problem).replace(SET_UP, tr("press 'Set up' below"))
        return f"{here}\n{needs}"
    state = read_state(python.parent.parent)
    extras = ", ".join(EXTRAS[name][0] for name in state.get("extras", ()) if name in EXTRAS)
    lines = [tr("Engine: {folder}").format(folder=python.parent.parent)]
    if extras:
        lines.append(tr("Extras: {extras}").format(extras=extras))
    lines.append(tr("'Test' starts it and shows versions, devices, models and disk use."))
    return "\n".join(lines)


def _environment() -> Path:
    """Return the folder of the engine that is there, or where one is made."""
    chosen = os.environ.get(VARIABLE) or engine_setting()
    return Path(chosen).parent.parent if chosen else default_environment()
