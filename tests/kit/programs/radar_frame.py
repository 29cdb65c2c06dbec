"""Write a small frame of a known geometry, in the engine's Python: ``radar_frame.py FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).absolute().parents[2]))

from kit.radar.files import Frame, layer_file

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    Frame().write_v5(folder)
    layer_file(folder / "layers.mat")
