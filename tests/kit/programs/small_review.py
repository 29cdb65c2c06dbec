"""Make the small review of the engine's tests: a program for the suite inside QGIS.

python small_review.py PLUGINS TESTS FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = sys.argv[1:3]

from kit.review.small_review import SmallScene, write_lines, write_scene  # noqa: E402

SCENES = [
    SmallScene("Helheim", 0, 100),
    SmallScene("Helheim", 90, 90),
    SmallScene("Fenris", 0, 60),
    SmallScene("Fenris", 90, None),
]

folder = Path(sys.argv[3])
(folder / "scenes").mkdir()
for scene in SCENES:
    write_scene(folder / "scenes", scene)
write_lines(folder / "lines.gpkg", SCENES)
