"""What the clearest scenes as references are worth in a series.

    build/engine/bin/python benchmarks/series_reference.py --data DATA [--glaciers DBE Jorum]

Series of CaFFe go through `terminustimeseries` with the delivered model, which has seen them: with
the clearest scene within half a year among the companions of each scene, as it is, and with those
nearest in time alone. The images have no position; the substitute CRS puts all of them south, so
that only glaciers of the Antarctic Peninsula have their own summer.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1] / "build" / "plugins"))

from glacier_qgis.models.engine.events import Silent
from glacier_qgis.models.fronts.series import first_pass
from glacier_qgis.models.package.registry import DEFAULT_MODEL, find_model
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.delivered.caffe import read_caffe
from glacier_qgis.models.training.delivered.evaluate import evaluate_series


def line(glacier: str, scenes: list[LabelledScene], *, reference: bool) -> str:
    """Return the errors of one series in words."""
    start = time.perf_counter()
    with nullcontext() if reference else patch.object(first_pass, "clearness", lambda *_: 0.0):
        values = evaluate_series(find_model(DEFAULT_MODEL), scenes, Silent())
    return (
        f"{glacier}, {len(scenes)} scenes, {'with' if reference else 'without'} references: "
        f"{values['mde_box_m']} m in the box (median over scenes "
        f"{values['median_over_images_box_m']}), {values['mde_scene_m']} m over the scene, "
        f"{values['missed_box']} missed, {time.perf_counter() - start:.0f} s"
    )


def main() -> None:
    """Print two lines per glacier."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("GLACIER_DATA"))
    parser.add_argument("--glaciers", nargs="+", default=["DBE", "Jorum"])
    given = parser.parse_args()
    every = read_caffe(Path(given.data) / "caffe256")
    for glacier in given.glaciers:
        scenes = [scene for scene in every if scene.group == glacier]
        for reference in (False, True):
            print(line(glacier, scenes, reference=reference), flush=True)


if __name__ == "__main__":
    main()
