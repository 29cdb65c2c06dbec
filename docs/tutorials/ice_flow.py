"""Run every command of ``ice_flow.md`` on the Great Aletsch Glacier and draw its pictures.

    GLACIER_DATA=... /usr/bin/python3 docs/tutorials/ice_flow.py [FOLDER]

with the Python that QGIS runs in, after ``.ci/link.py``. Commands are the blocks marked ``sh``;
they run in FOLDER (``build/ice_flow``) with the real ``qgis_process`` and a profile of its own.
"""

from __future__ import annotations

from termini import HERE, chosen_folder, work_through

if __name__ == "__main__":
    work_through(
        HERE / "ice_flow.md",
        ["aletsch.py", "south_glacier.py"],
        "ice_flow_pictures.py",
        chosen_folder("ice_flow"),
    )
