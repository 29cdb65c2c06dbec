"""How long a run will take and how much it will write, told while there is time to stop it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from glacier_qgis.models.engine.events import Reporter

FIRST_STEPS = 10
"""Steps before the time that is left is estimated."""
FIRST_SECONDS = 2.0
"""And how long they must have taken at least."""
LONG = 10.0
"""s; of shorter runs nothing is said."""
OFF = 2.0
"""By how many times an estimate must have been wrong to be told anew."""
_MINUTE, _HOUR = 60, 3600
_FEW = 1.5
"""Up to so many hours or minutes, the smaller unit is used."""


class Forecast:
    """A reporter that adds, from the measured rate of steps, how long the rest will take.

    Each progress report counts as a step. Ice that begins out of balance is fast at first and
    takes small steps, so an estimate that turns out to be far off is told anew.
    """

    def __init__(self, parent: Reporter, clock: Callable[[], float] = time.monotonic) -> None:
        """Pass everything on to `parent`; the clock starts now."""
        self._parent = parent
        self._clock = clock
        self._begin = clock()
        self._steps = 0
        self._told = 0.0

    def progress(self, fraction: float, message: str = "") -> None:
        """See :class:`Reporter`; `fraction` is of the run."""
        self._steps += 1
        elapsed = self._clock() - self._begin
        if self._steps < FIRST_STEPS or elapsed < FIRST_SECONDS or not fraction:
            self._parent.progress(fraction, message)
            return
        whole = elapsed / fraction
        left = whole - elapsed
        if left > LONG and not self._told / OFF < whole < self._told * OFF:
            self._parent.log(
                f"After {self._steps} steps at {self._steps / elapsed:.3g} a second: about "
                f"{in_words(left)} left, if the ice stays about as fast and as large."
            )
            self._told = whole
        self._parent.progress(fraction, f"{message}, {in_words(left)} left")

    def log(self, message: str) -> None:
        """See :class:`Reporter`."""
        self._parent.log(message)

    def warning(self, message: str) -> None:
        """See :class:`Reporter`."""
        self._parent.warning(message)


def in_words(seconds: float) -> str:
    """Return a duration in the unit that suits it."""
    if seconds > _FEW * _HOUR:
        return f"{seconds / _HOUR:.1f} h"
    if seconds > _FEW * _MINUTE:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds:.0f} s"


def tell_size(folders: dict[Path, int], reporter: Reporter) -> None:
    """Say how large the results will be at most, and warn where a disk has less room than that.

    Args:
        folders: Bytes before compression that go into each folder.
        reporter: Is told.
    """
    whole = sum(folders.values())
    if not whole:
        return
    reporter.log(f"The rasters will take at most {_megabytes(whole)}, mostly much less, packed.")
    for folder, size in folders.items():
        free = shutil.disk_usage(folder).free if folder.is_dir() else size
        if free < size:
            reporter.warning(
                f"The results may need up to {_megabytes(size)}, but the disk of {folder} has "
                f"{_megabytes(free)} free. Save less often, ask for fewer outputs, or choose "
                "another folder."
            )


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"
