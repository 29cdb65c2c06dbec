"""An engine with a job whose behaviour is set by its parameters."""

from __future__ import annotations

from pathlib import Path

import glacier_qgis

DRIVER = """
import errno, os, sys, time
sys.path.append({parent!r})
from pathlib import Path
from glacier_qgis.models.app.jobs import JOBS
from glacier_qgis.models.engine.job import Destination, Job
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.app.runner import main

class Probe(Job):
    output: Destination
    behaviour: str

    def run(self, reporter, outputs):
        draft = outputs.stage(self.output)
        draft.write_text("half")
        Path(str(draft) + ".aux.xml").write_text("litter")
        reporter.progress(0.5, "half way")
        print("a library chatters")
        if self.behaviour == "hang":
            import torch
            a = torch.rand(3000, 3000)
            while True:
                a = a @ a
        if self.behaviour == "refuse":
            raise EngineError("the snow is too soft: wait for the night")
        if self.behaviour == "defect":
            raise KeyError("oops")
        if self.behaviour == "memory":
            bytearray(1 << 60)
        if self.behaviour == "disk":
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.behaviour == "temporary":
            import tempfile
            with tempfile.NamedTemporaryFile() as file:
                while True:
                    file.write(bytes(1 << 16))
        if self.behaviour in ("netcdf", "raster", "layer"):
            fill(self.behaviour, draft)
        if self.behaviour == "slow":
            time.sleep(2.5)
        draft.write_text("whole")
        return {{"OUTPUT": str(self.output), "PROCESS": os.getpid()}}

def fill(kind, draft):
    import numpy as np
    from affine import Affine
    from pyproj import CRS
    from glacier_qgis.models.raster.grid import Grid
    chance = np.random.default_rng(0)
    if kind == "layer":
        import geopandas, shapely
        from glacier_qgis.models.vector.sink import write_layer
        points = shapely.points(chance.random((200_000, 2)))
        frame = geopandas.GeoDataFrame(geometry=points, crs="EPSG:32633")
        write_layer(frame, draft, "a", "Point")
    noise = chance.random((2000, 2000)).astype("f4")
    grid = Grid(CRS.from_epsg(32633), Affine(10, 0, 5e5, 0, -10, 8e6), *noise.shape)
    if kind == "raster":
        from glacier_qgis.models.raster.sink import write_raster
        write_raster(draft, grid, noise[None], nodata=-1, bands=["a"], tags={{}})
    from glacier_qgis.models.iceflow.results.netcdf import create_simulation_file
    facts = dict.fromkeys(("SOFTWARE", "EMULATOR", "CREATED", "ALGORITHM"), "x")
    with create_simulation_file(draft, grid, noise, facts):
        pass

sys.modules["probe"] = sys.modules["__main__"]
JOBS["probe"] = "probe:Probe"
sys.exit(main(sys.argv[1:]))
"""


def write_driver(folder: Path) -> Path:
    """Write a program that is called as the engine is and knows the job "probe"."""
    driver = folder / "driver.py"
    package = Path(glacier_qgis.__file__).parent
    driver.write_text(DRIVER.format(parent=str(package.parent)))
    return driver
