"""What a caller of Python hears of a job that runs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the fraction of the work that is done, 0 to 1, and what is being done."""

LOGGER = logging.getLogger("glacier_qgis")


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
        warnings.warn(message, GlacierWarning, stacklevel=2)


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
