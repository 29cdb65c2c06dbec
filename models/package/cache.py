"""The packages of model files that are used where they lie: what to keep of them."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

DAY = 86_400.0
IN_USE = 1 * DAY
"""Seconds after its last use during which a job may still be at work with a package."""
FORGOTTEN = 30 * DAY
"""Seconds after its last use from which a package is not kept: it can be made again."""
LIMIT_BYTES = 2 << 30
"""What packages may take up together; those used longest ago go first."""


@dataclass(frozen=True)
class UnpackedPackages:
    """A folder of opened packages; the time of each one's folder is that of its last use."""

    folder: Path

    def used(self, package: Path) -> None:
        """Remember that a package was used now, and remove what is not kept.

        Packages used within `IN_USE` stay in any case.
        """
        with suppress(OSError):
            os.utime(package)
        kept = 0
        for age, path in sorted(self._ages()):
            kept += _size(path)
            if age > FORGOTTEN or (age > IN_USE and (kept > LIMIT_BYTES or _unfinished(path))):
                _remove(path)

    def _ages(self) -> list[tuple[float, Path]]:
        """Return each folder with the time since its last use, s."""
        found = []
        for path in self.folder.iterdir():
            with suppress(OSError):  # another process may have removed it
                found.append((time.time() - path.stat().st_mtime, path))
        return found


def _unfinished(path: Path) -> bool:
    """Whether a folder is what a process that was killed left behind."""
    return path.name.startswith(".")


def _size(folder: Path) -> int:
    with suppress(OSError):
        return sum(path.stat().st_size for path in folder.iterdir())
    return 0


def _remove(folder: Path) -> None:
    """Remove a folder as a whole: it leaves its place at once, or stays if a file is open."""
    leaving = folder.with_name(f".{uuid.uuid4().hex}")
    with suppress(OSError):
        folder.replace(leaving)
        shutil.rmtree(leaving, ignore_errors=True)
