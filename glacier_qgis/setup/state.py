"""The folder of the engine's environment: its interpreter, and what is remembered of set-ups."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

STATE = "setup.json"
"""In the environment's folder: whether it is complete, and whether a set-up was stopped."""


class State:
    """What is remembered of set-ups, in the environment's folder.

    Attributes:
        repairing: A repair has not come to its end; the next set-up is one too.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / STATE
        known = read_state(folder)
        self.repairing: bool = known.get("repairing", False)
        self._complete: bool = known.get("complete", False)
        self._extras: list[str] = known.get("extras", [])

    def begin(self, *, repair: bool) -> None:
        """Remember that a set-up runs; unless it is a repair, what was complete still is."""
        self.repairing = repair
        self._complete = self._complete and not repair
        self._write(unfinished=True)

    def fail(self, problem: str) -> None:
        """Remember why a set-up ended early; one that was cancelled has no time to say so."""
        self._write(unfinished=True, problem=problem)

    def complete(self, extras: Sequence[str]) -> None:
        """Remember that a set-up came to its end."""
        self._complete, self.repairing = True, False
        self._extras = sorted({*self._extras, *extras})
        self._write(unfinished=False)

    def _write(self, *, unfinished: bool, problem: str = "") -> None:
        state = {"complete": self._complete, "unfinished": unfinished, "extras": self._extras}
        state["repairing"] = self.repairing
        text = json.dumps(state | {"problem": problem}) + "\n"
        self._path.write_text(text, encoding="utf-8")


def interpreter(folder: Path) -> Path:
    """Return where an environment in `folder` has its Python."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def read_state(folder: Path) -> dict[str, Any]:
    """Return what is remembered of set-ups in `folder`; nothing where that cannot be read."""
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}
