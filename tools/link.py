"""Link the rooms into ``build/plugins/glacier_qgis``, the tree that QGIS, pytest and mypy share.

The repository root is never on ``sys.path`` (there, ``processing`` would shadow QGIS'
own package of that name); this tree is. Run it again after adding a file to the top of
``glacier_qgis/``.
"""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent
TREE = ROOT / "build" / "plugins" / "glacier_qgis"
ROOMS = ("processing", "models")
FILES = ("metadata.txt", "LICENSE")


def link_tree(tree: Path = TREE) -> None:
    """Make `tree` a plugin folder of links into the checkout."""
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    inside = [entry for entry in (ROOT / "glacier_qgis").iterdir() if entry.name != "__pycache__"]
    for entry in [*inside, *(ROOT / name for name in (*ROOMS, *FILES))]:
        (tree / entry.name).symlink_to(entry, target_is_directory=entry.is_dir())


if __name__ == "__main__":
    link_tree()
