"""Started by the engine's own interpreter, in isolated mode: ``python -I launch.py JOB.json``.

Isolated mode hides QGIS' Python settings from the engine (``PYTHONHOME`` and
``PYTHONPATH`` on Windows and macOS). It also hides this package, so the folder that
holds it is put at the end of the path here: the engine always runs the code of the
plugin that started it, and its environment holds only other people's packages.
"""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parent.parent))
    runpy.run_module("glacier_qgis.models", run_name="__main__", alter_sys=True)
