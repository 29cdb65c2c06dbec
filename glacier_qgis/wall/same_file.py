"""Whether two paths are one file."""

from __future__ import annotations

from pathlib import Path


def is_same_file(first: str | Path, second: str | Path) -> bool:
    """Return whether two paths lead to one file, also through links and `..`.

    The file system decides, with its case, where both exist; otherwise their spelling.
    """
    try:
        return Path(first).samefile(second)
    except OSError:
        return Path(first).resolve() == Path(second).resolve()
