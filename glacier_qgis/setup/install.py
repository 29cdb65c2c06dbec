"""Starts the set-up of the engine: ``python -I install.py FOLDER --extra igm``.

Isolated mode hides this package, so the folder that holds it is put at the end of the path.
"""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2]))
    runpy.run_module("glacier_qgis.setup.environment", run_name="__main__", alter_sys=True)
