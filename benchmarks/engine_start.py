"""How long an engine takes to start: the ``ping`` job against a bare import of torch.

    build/engine/bin/python benchmarks/engine_start.py

Both are new processes of the interpreter that runs this, one after the other in turn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LAUNCH = Path(__file__).parents[1] / "build" / "plugins" / "glacier_qgis" / "launch.py"


def seconds(command: list[str]) -> float:
    """Run a command and return how long it took."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    return time.perf_counter() - start


def main() -> None:
    """Print the median of each and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    bare, engine = [], []
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.json"
        job.write_text(json.dumps({"job": "ping", "id": "0123abcd", "parameters": {}}))
        for number in range(rounds + 1):
            times = (
                seconds([sys.executable, "-c", "import torch"]),
                seconds([sys.executable, "-I", str(LAUNCH), str(job)]),
            )
            if number:  # the first round only warms the disk cache
                bare.append(times[0])
                engine.append(times[1])
    ratio = statistics.median(e / b for e, b in zip(engine, bare, strict=True))
    sys.stdout.write(
        f"import torch: {statistics.median(bare):.2f} s, "
        f"ping job: {statistics.median(engine):.2f} s (medians of {rounds}); "
        f"median ratio {ratio:.2f}\n"
    )


if __name__ == "__main__":
    main()
