"""Started by the engine's own interpreter, in isolated mode: ``python -I launch.py JOB.json``.

With ``--warm SECONDS`` instead of a job, the engine takes jobs from its standard input.

Isolated mode hides QGIS' Python settings from the engine (``PYTHONHOME`` and
``PYTHONPATH`` on Windows and macOS). It also hides this package, so the folder that
holds it is put at the end of the path here: the engine always runs the code of the
plugin that started it, and its environment holds only other people's packages. Where QGIS
brings its own GDAL and PROJ, it also points variables at their data, which the engine's GDAL
and PROJ of other versions cannot read: the engine has its own. QGIS locks NetCDF files that its
dialogs look into, as HDF5 does for those who write; the engine, which only reads them, ignores
such locks.
"""

import os
import runpy
import sys
from pathlib import Path

QGIS_DATA = ("GDAL_DATA", "GDAL_DRIVER_PATH", "PROJ_DATA", "PROJ_LIB")

if __name__ == "__main__":
    for name in QGIS_DATA:
        os.environ.pop(name, None)
    os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")
    sys.path.append(str(Path(__file__).parent.parent))
    runpy.run_module("glacier_qgis.models", run_name="__main__", alter_sys=True)
