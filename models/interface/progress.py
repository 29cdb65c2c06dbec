"""What a caller of Python hears of a job that runs."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the fraction of the work that is done, 0 to 1, and what is being done."""

LOGGER = logging.getLogger("glacier_qgis")
INSIDE = ("glacier_qgis.models.", "contextlib")
"""Modules between a job and the code that called the public function."""


class GlacierWarning(UserWarning):
    """Something that may make a result wrong."""


class Caller:
    """A reporter that calls back, logs and warns as Python does."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress

    def progress(self, fraction: float, message: str = "") -> None:
        """See :class:`~glacier_qgis.models.engine.events.Reporter`."""
        if self._progress is not None:
            self._progress(min(max(float(fraction), 0.0), 1.0), message)

    def log(self, message: str) -> None:
        """See :class:`~glacier_qgis.models.engine.events.Reporter`."""
        LOGGER.info(message)

    def warning(self, message: str) -> None:
        """See :class:`~glacier_qgis.models.engine.events.Reporter`."""
        warnings.warn(message, GlacierWarning, stacklevel=_steps_to_caller())


def _steps_to_caller() -> int:
    """Return how far up the stack, seen from who asks, the first code outside the package runs."""
    frame, steps = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(INSIDE):
        frame, steps = frame.f_back, steps + 1
    return steps


def progress_bar(title: str = "") -> Progress:
    """Return a progress bar, in a notebook or a terminal, to give as `progress`.

    Args:
        title: Shown until the job says what it does.

    Raises:
        ImportError: The package tqdm is not installed.
    """
    from tqdm.auto import tqdm

    bar = tqdm(total=100, desc=title, unit="%", bar_format="{desc} {percentage:3.0f}%|{bar}|")

    def update(fraction: float, message: str) -> None:
        if message:
            bar.set_description_str(message, refresh=False)
        bar.update(round(100 * fraction) - bar.n)
        if fraction >= 1:
            bar.close()

    return update
