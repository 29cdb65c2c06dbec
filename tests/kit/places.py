"""Where things are in the checkout."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "build" / "plugins"
PROGRAMS = ROOT / "tests" / "kit" / "programs"


def spellings(path: Path, link: Path) -> list[Path]:
    """Return other paths to what is there: by way of the folder above, and through a link.

    Args:
        path: The file or folder.
        link: Where to make a link to the folder that it lies in.
    """
    link.symlink_to(path.parent, target_is_directory=True)
    return [path.parent / ".." / path.parent.name / path.name, link / path.name]
