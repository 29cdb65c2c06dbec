"""A few hundred of the mutants of `benchmarks/fuzz.py`: none is met with a traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kit.places import ROOT

pytest.importorskip("onnx", reason="the extra 'onnx' is not installed")

SCRIPT = ROOT / "benchmarks" / "fuzz.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the script reads /proc and forks")
def test_mutants_of_every_format_are_refused_or_work() -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--mutants", "450", "--seed", "14"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *_, sums = done.stdout.strip().splitlines()
    _, well, refused, *failures = sums.split()
    assert int(well) + int(refused) == 450
    assert int(well) > 40
    assert int(refused) > 200
    assert set(failures) == {"0"}
