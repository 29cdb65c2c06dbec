"""Make small scenes, their lines and a review of them: a program for the suite inside QGIS.

python small_review.py PLUGINS TESTS FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = sys.argv[1:3]

from kit.review.small_review import SmallScene, prepared  # noqa: E402

SCENES = [
    SmallScene("Helheim", 0, 100),
    SmallScene("Helheim", 90, 90),
    SmallScene("Fenris", 0, 60),
    SmallScene("Fenris", 90, None),
]

prepared(Path(sys.argv[3]), SCENES, reviewers="Ada, Bo", audit_share=25)
