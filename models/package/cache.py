"""Cache of packages unpacked from model files."""

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
"""Seconds after its last use during which a job may still use a package."""
FORGOTTEN = 30 * DAY
"""Seconds after its last use after which a package is removed; it can be unpacked again."""
LIMIT_BYTES = 2 << 30
"""Largest size of all packages; the least recently used are removed first."""


@dataclass(frozen=True)
class UnpackedPackages:
    """A folder of unpacked packages; the modification time of each is that of its last use."""

    folder: Path

    def used(self, package: Path) -> None:
        """Mark a package as used now, and remove expired ones.

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
    """Whether a folder was left behind by a killed process."""
    return path.name.startswith(".")


def _size(folder: Path) -> int:
    with suppress(OSError):
        return sum(path.stat().st_size for path in folder.iterdir())
    return 0


def _remove(folder: Path) -> None:
    """Remove a folder at once, or not at all if a file is open."""
    leaving = folder.with_name(f".{uuid.uuid4().hex}")
    with suppress(OSError):
        folder.replace(leaving)
        shutil.rmtree(leaving, ignore_errors=True)
