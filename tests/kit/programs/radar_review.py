"""Make small echograms, their layers and a review of them: a program for the suite inside QGIS.

python radar_review.py PLUGINS TESTS FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = sys.argv[1:3]

from kit.review.echograms import prepared  # noqa: E402

prepared(Path(sys.argv[3]), audit_share=0)
