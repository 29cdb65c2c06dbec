"""How the set-up runs other programs, and tells what happens: events, as the engine does."""

from __future__ import annotations

import json
import subprocess  # nosec B404: starts only the interpreters and pip of the engine's environment
import sys
import tempfile
from collections.abc import Callable, Sequence


class SetupError(Exception):
    """A problem that the user can solve; the message says how."""


def tell(event: str, **fields: object) -> None:
    """Write one event."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; return what it said."""
    return subprocess.run(  # noqa: S603  # nosec B603: a list, no shell
        command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
    )


def follow(command: Sequence[str], take: Callable[[list[str]], None]) -> tuple[int, str]:
    """Run pip to its end, giving each line's words to `take`.

    Returns:
        Its exit status, and the last line of what it complained.
    """
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
        subprocess.Popen(  # noqa: S603  # nosec B603: a list, no shell
            command, stdout=subprocess.PIPE, stderr=complaints, text=True, errors="replace"
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                take(line.split())
        except BaseException:
            process.kill()
            raise
        status = process.wait()
        complaints.seek(0)
        return status, last_line(complaints.read())


def last_line(text: str) -> str:
    """Return the last line of what a program said that is not blank."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing."
