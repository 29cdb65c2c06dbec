"""The IOOS compliance checker, with the tables that it brings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LEVELS = ("high_priorities", "medium_priorities", "low_priorities")


def complaints(path: Path) -> list[str]:
    """Return what speaks against a file as NetCDF after CF 1.10."""
    report = path.with_suffix(".json")
    words = ["--test=cf:1.10", "--criteria=strict", "--format=json", f"--output={report}"]
    program = Path(sys.executable).with_name("compliance-checker")
    done = subprocess.run([program, *words, path], capture_output=True, text=True)
    found = json.loads(report.read_text())["cf:1.10"]
    assert found["scored_points"] > 20, done.stderr
    return [message for level in LEVELS for check in found[level] for message in check["msgs"]]
