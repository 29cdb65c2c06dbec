"""What a person does in QGIS' window with the mouse and keys: on the map, and in dialogs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from in_qgis.main_window import LONGEST, Window, expect

LOADED = 1.5
"""Seconds until the vertices of lines in view can be snapped to."""
MODAL = 1500
"""Milliseconds until a modal dialog is looked at."""


class Hand:
    """Works on the map of a window."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._canvas = window.iface.mapCanvas()

    def key(self, key: Any) -> None:  # noqa: ANN401  QGIS' classes are untyped
        """Press a key with Alt and Shift, as those of the panels are."""
        from qgis.PyQt.QtCore import Qt
        from qgis.PyQt.QtTest import QTest

        both = Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ShiftModifier
        self._window.main.activateWindow()  # no window manager does it when a dialog closes
        self._canvas.setFocus()
        self._window.wait(0.2)
        QTest.keyClick(self._canvas, key, both)
        self._window.drawn()

    def zoom(self, centre: Any, width: float) -> None:  # noqa: ANN401
        """Show a place, so many map units wide."""
        from qgis.core import QgsRectangle

        self._canvas.setExtent(QgsRectangle.fromCenterAndSize(centre, width, width))
        self._canvas.refresh()
        self._window.drawn()
        self._window.wait(LOADED)

    def click(self, place: Any) -> None:  # noqa: ANN401
        """Go to a place of the map and click there."""
        from qgis.PyQt.QtCore import QEvent, Qt

        self._do(QEvent.Type.MouseMove, place, Qt.MouseButton.NoButton)
        self._press_and_release(place, Qt.MouseButton.LeftButton)

    def click_along(self, places: Sequence[Any]) -> None:
        """Click at places of the map, and finish with the right button."""
        from qgis.PyQt.QtCore import Qt

        for place in places:
            self.click(place)
        self._press_and_release(places[-1], Qt.MouseButton.RightButton)

    def _press_and_release(self, place: Any, button: Any) -> None:  # noqa: ANN401
        from qgis.PyQt.QtCore import QEvent

        self._do(QEvent.Type.MouseButtonPress, place, button)
        self._do(QEvent.Type.MouseButtonRelease, place, button)

    def _do(self, kind: Any, place: Any, button: Any) -> None:  # noqa: ANN401
        from qgis.PyQt.QtCore import QPointF, Qt
        from qgis.PyQt.QtGui import QMouseEvent
        from qgis.PyQt.QtWidgets import QApplication

        viewport = self._canvas.viewport()
        pixel = self._canvas.getCoordinateTransform().transform(place)
        at = QPointF(pixel.x(), pixel.y())
        on_screen = QPointF(viewport.mapToGlobal(at.toPoint()))
        nothing = Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(viewport, QMouseEvent(kind, at, on_screen, button, button, nothing))
        self._window.wait(0.1)


def opened(window: Window, act: Callable[[], object]) -> Any:  # noqa: ANN401
    """Return the dialog of an algorithm that an action opens."""
    from qgis.gui import QgsProcessingAlgorithmDialogBase
    from qgis.PyQt.QtWidgets import QApplication

    def dialogs() -> set[Any]:
        widgets = QApplication.topLevelWidgets()
        return {each for each in widgets if isinstance(each, QgsProcessingAlgorithmDialogBase)}

    before = dialogs()
    act()
    window.wait(1)
    (dialog,) = dialogs() - before
    return dialog


def run(window: Window, dialog: Any, limit: float = LONGEST) -> bool:  # noqa: ANN401
    """Press Run in the dialog of an algorithm; return whether it succeeded when it has ended."""
    ended: list[bool] = []
    dialog.algorithmFinished.connect(lambda succeeded, _results: ended.append(succeeded))
    dialog.show()
    dialog.runButton().click()
    window.until(lambda: bool(ended), limit)
    window.wait(1)
    return ended == [True]


def during(act: Callable[[], object], look: Callable[[Any], None]) -> None:
    """Look at the modal dialog that an action opens.

    Raises:
        AssertionError: None opens.
    """
    from qgis.PyQt.QtCore import QTimer
    from qgis.PyQt.QtWidgets import QApplication

    problems: list[Exception] = []
    looked: list[bool] = []

    def look_at_it() -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is None or looked:
            return
        looked.append(True)
        try:
            look(dialog)
        except Exception as problem:  # it would be lost in here
            problems.append(problem)
            dialog.close()

    timer = QTimer()
    timer.timeout.connect(look_at_it)
    timer.start(MODAL)
    act()
    timer.stop()
    expect(bool(looked), "no dialog opened")
    if problems:
        raise problems[0]


def press(dialog: Any, title: str) -> None:  # noqa: ANN401
    """Press the button whose title begins so.

    Raises:
        AssertionError: The dialog has no such button.
    """
    from qgis.PyQt.QtWidgets import QPushButton

    buttons = [
        each
        for each in dialog.findChildren(QPushButton)
        if each.text().replace("&", "").startswith(title)
    ]
    expect(bool(buttons), f"{dialog.windowTitle()} has no button {title}")
    buttons[0].click()


def feature_forms() -> list[Any]:
    """Return the forms of features that are open."""
    from qgis.PyQt.QtWidgets import QApplication

    widgets = QApplication.topLevelWidgets()
    return [each for each in widgets if each.inherits("QgsAttributeDialog") and each.isVisible()]
