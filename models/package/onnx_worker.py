"""Runs an ONNX graph on noise, in a separate process that can be ended.

Usage: ``python onnx_worker.py MODEL INPUT DTYPE BANDS EDGE THREADS``: prints the shape of the
output for one image, its minimum and its maximum as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(path: str, name: str, dtype: str, bands: int, edge: int, threads: int) -> None:
    """Run the graph once."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    model = Path(path).read_bytes()
    session = onnxruntime.InferenceSession(model, options, providers=providers)
    noise = np.random.default_rng(0).normal(size=(1, bands, edge, edge)).astype(dtype)
    answer = session.run(None, {name: noise})[0]
    extremes = [float(answer.min()), float(answer.max())] if answer.size else [0.0, 0.0]
    sys.stdout.write(json.dumps([list(answer.shape), *extremes]))


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:]))  # type: ignore[arg-type]
