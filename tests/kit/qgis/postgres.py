"""A PostgreSQL server with PostGIS for one test session, in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

USER = "glacier"
DEBIAN = Path("/usr/lib/postgresql")


class Server:
    """A server that a test may stop and start.

    Args:
        folder: An empty folder for its files; the socket lies there, and it listens to no network.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._data, self._socket = programs, folder / "data", folder
        self._account = _account_for(folder)
        self._run("initdb", "-D", self._data, "-U", USER, "--auth=trust", "--no-sync")
        self.start()
        self._run("psql", "-h", self._socket, "-U", USER, "-d", "postgres", "-qc",
                  "CREATE EXTENSION postgis")  # fmt: skip

    @property
    def uri(self) -> str:
        """By which QGIS connects."""
        return f"host={self._socket} dbname=postgres user={USER}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self._socket} -c fsync=off"
        log = self._socket / "log"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop at once, as a machine that is switched off."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", "immediate", "stop")

    def rows(self, sql: str) -> list[str]:
        """Return what a statement selects, a text per row."""
        command = ("psql", "-h", self._socket, "-U", USER, "-d", "postgres", "-tAc", sql)
        return self._run(*command).strip().splitlines()

    def _run(self, program: str, *words: object) -> str:
        command = [str(self._programs / program), *map(str, words)]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            cwd=self._socket, user=self._account, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout


def _account_for(folder: Path) -> int | None:
    """Return the account that the server runs as, which must not be root; the folder is its own."""
    if os.geteuid() != 0:
        return None
    account = pwd.getpwnam("postgres")
    os.chown(folder, account.pw_uid, account.pw_gid)
    return account.pw_uid


def _programs() -> Path | None:
    """Return the folder of a PostgreSQL that has PostGIS."""
    for folder in sorted(DEBIAN.glob("*/bin"), reverse=True):
        share = Path("/usr/share/postgresql") / folder.parent.name
        if (folder / "initdb").is_file() and (share / "extension" / "postgis.control").is_file():
            return folder
    return None


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """Yield a server; it is stopped in the end."""
    programs = _programs()
    if programs is None:
        if os.environ.get("GLACIER_POSTGIS") == "required":
            pytest.fail("there is no PostgreSQL with PostGIS here, and GLACIER_POSTGIS requires it")
        pytest.skip("there is no PostgreSQL with PostGIS here (Debian: postgresql-postgis)")
    server = Server(programs, folder)
    try:
        yield server
    finally:
        try:
            server.stop()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
