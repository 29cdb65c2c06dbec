"""An engine with a job that behaves as it is told."""

from __future__ import annotations

from pathlib import Path

import glacier_qgis

DRIVER = """
import errno, os, sys, time
sys.path.append({parent!r})
from pathlib import Path
from glacier_qgis.models.engine import job as jobs
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.runner import main

class Probe(jobs.Job):
    output: jobs.Destination
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
        if self.behaviour == "slow":
            time.sleep(2.5)
        draft.write_text("whole")
        return {{"OUTPUT": str(self.output), "PROCESS": os.getpid()}}

sys.modules["probe"] = sys.modules["__main__"]
jobs.JOBS["probe"] = "probe:Probe"
sys.exit(main(sys.argv[1:]))
"""


def write_driver(folder: Path) -> Path:
    """Write a program that is called as the engine is and knows the job "probe"."""
    driver = folder / "driver.py"
    package = Path(glacier_qgis.__file__).parent
    driver.write_text(DRIVER.format(parent=str(package.parent)))
    return driver
