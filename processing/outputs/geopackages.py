"""GeoPackages that are there already: changed in one transaction, so that no half change is seen.

Replacing the file under a program that has it open would leave that program, and the log of
changes beside the file, with another one. SQLite's own backup writes all pages or none of them,
also when the process is killed, and waits for other programs.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from glacier_qgis.translation import tr

HEADER = b"SQLite format 3\0"
PATIENCE = 10.0
"""Seconds to wait for another program that reads or writes."""
PAUSE = 0.1
"""Seconds between two attempts."""


class LockedError(Exception):
    """Another program holds the file, or has changed it meanwhile."""


def is_database(path: Path) -> bool:
    """Whether a file is a GeoPackage or another database of SQLite."""
    try:
        with path.open("rb") as file:
            return file.read(len(HEADER)) == HEADER
    except OSError:
        return False


def is_locked(path: Path) -> bool:
    """Whether another program is writing to a database."""
    try:
        with closing(_connect(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    return False


class Database:
    """A GeoPackage that is to be changed as a whole.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = _connect(path)
        self._version: int | None = None

    def copy_to(self, draft: Path) -> None:
        """Copy it, to be changed there and put back."""
        self._version = self._current()
        with closing(sqlite3.connect(draft)) as target:
            _copy(self._connection, target)

    def replace_by(self, draft: Path) -> None:
        """Make it what a draft holds.

        Raises:
            LockedError: Another program is using it, or has changed it since it was copied.
            OSError: There is no room for it.
        """
        if self._version not in (None, self._current()):
            raise LockedError(
                tr("{path} was changed by another program meanwhile").format(path=self._path)
            )
        with closing(sqlite3.connect(draft)) as source:
            _copy(source, self._connection)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _current(self) -> int:
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # looks at it
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


def settle(path: Path) -> None:
    """Bring everything that was written to a draft into its one file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=PAUSE, isolation_level=None
    )


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    deadline = time.monotonic() + PATIENCE

    def wait(status: int, remaining: int, total: int) -> None:
        if time.monotonic() > deadline:
            raise LockedError(tr("another program is using it"))

    try:
        source.backup(target, progress=wait, sleep=PAUSE)
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error
