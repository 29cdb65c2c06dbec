"""What the two commands say, and how they start other programs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

TOOLS = Path(__file__).parent
ROOT = TOOLS.parent
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
_TAIL_LINES = 40


class StepError(Exception):
    """A step did not work; the message says which and what to do."""


def say(text: str) -> None:
    """Print a line at once, in order with what other programs print."""
    print(text, flush=True)


def run(
    command: Sequence[str | Path],
    *,
    log: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
) -> None:
    """Run a program to its end.

    Args:
        command: The program and its arguments.
        log: Name of a file in ``build/logs`` that takes the output; None shows it.
        env: Variables to set beside those of this process.
        cwd: Folder to run in.

    Raises:
        StepError: The program ended with another status than 0.
    """
    words = [str(word) for word in command]
    variables = {**os.environ, **(env or {})}
    if log is None:
        status = subprocess.run(words, env=variables, cwd=cwd, check=False).returncode
        if status != 0:
            raise StepError(f"{Path(words[0]).name} ended with status {status}.")
        return
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    with path.open("wb") as stream:
        done = subprocess.run(
            words, env=variables, cwd=cwd, check=False, stdout=stream, stderr=subprocess.STDOUT
        )
    if done.returncode != 0:
        closing = path.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        say("\n".join(f"    {line}" for line in closing))
        raise StepError(f"{Path(words[0]).name} ended with status {done.returncode}: see {path}.")


def read(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> str:
    """Return what a program prints, or "" where it is missing or fails."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            env={**os.environ, **(env or {})},
            check=False,
            capture_output=True,
            text=True,
        )
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def finish(work: Callable[[], None]) -> int:
    """Run a whole command: 0 when it ends well, 1 with one line on why it did not."""
    try:
        work()
    except StepError as problem:
        say(f"\nFAILED: {problem}")
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return 130
    return 0
