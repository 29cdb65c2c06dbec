"""How a run is reported: by labels in a dialog, with the time left beside the bar; or by names."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingException,
    QgsProcessingFeedback,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QApplication, QLabel, QWidget

from glacier_qgis.messages.labels import labels_of, with_labels
from glacier_qgis.translation import tr

FIRST_SECONDS, FIRST_SHARE = 3.0, 0.01
"""How long a run has been going, and how much of it is done, before the rest is estimated."""
LONG = 10.0
"""s; of less time left nothing is said."""
OFF = 2.0
"""By how many times an estimate must have been wrong to be news."""
MINUTE, HOUR, FEW = 60, 3600, 1.5
"""Seconds; and up to how many hours or minutes the smaller unit is used."""


class Telling(QObject):
    """Who listens to a run.

    Attributes:
        has_bar: Whether text can be put beside the progress bar of a dialog.
    """

    _beside_bar = pyqtSignal(str)

    def __init__(
        self,
        algorithm: QgsProcessingAlgorithm | None = None,
        feedback: QgsProcessingFeedback | None = None,
    ) -> None:
        """Look for the dialog that the run was started from; call it on the main thread."""
        super().__init__()
        dialogs = _dialogs() if algorithm else []
        own = next((one for one in dialogs if getattr(one, "feedback", None) is feedback), None)
        bar = own.findChild(QLabel, "lblProgress") if own else None
        self.has_bar = bar is not None
        if bar is not None:
            self._beside_bar.connect(bar.setText)
        in_window = getattr(feedback, "in_window", own is not None)
        in_window = in_window or any(one.isVisible() for one in dialogs)
        self._labels = labels_of(algorithm) if algorithm and in_window else {}

    def put_beside_bar(self, text: str) -> None:
        """Show a text beside the bar, from any thread; it does not come into the log."""
        self._beside_bar.emit(text)

    def words(self, text: str) -> str:
        """Return a message as who listens reads it: in a window by labels, not by names."""
        return with_labels(text, self._labels) if self._labels else text

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Let errors speak as everything else does."""
        try:
            yield
        except QgsProcessingException as error:
            raise QgsProcessingException(self.words(str(error))) from error


class TimeLeft:
    """How long the rest of a run will take, from how long its part so far took."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begin = clock()
        self._told = 0.0

    def after(self, fraction: float) -> str:
        """Return the time left in words; blank if that is not known yet, or little."""
        left = self._left(fraction)
        return tr("about {time} left").format(time=in_words(left)) if left > LONG else ""

    def news_after(self, fraction: float) -> str:
        """Return the same, but only if it was not reported before, or was wrong."""
        left, elapsed = self._left(fraction), self._clock() - self._begin
        whole = elapsed + left
        if left <= MINUTE or self._told / OFF < whole < self._told * OFF:
            return ""
        self._told = whole
        return self.after(fraction)

    def _left(self, fraction: float) -> float:
        elapsed = self._clock() - self._begin
        if elapsed < FIRST_SECONDS or fraction < FIRST_SHARE:
            return 0.0
        return elapsed * (1 - fraction) / fraction


def in_words(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    if seconds > FEW * HOUR:
        return f"{seconds / HOUR:.1f} h"
    if seconds > FEW * MINUTE:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds:.0f} s"


def _dialogs() -> list[QWidget]:
    """Return the open dialogs of algorithms: those with the label beside the bar."""
    if not isinstance(QApplication.instance(), QApplication):
        return []
    return [one for one in QApplication.topLevelWidgets() if one.findChild(QLabel, "lblProgress")]
