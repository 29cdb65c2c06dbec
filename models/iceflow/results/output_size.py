"""Forecast of the size of the results, at the start of a run."""

from __future__ import annotations

import shutil
from pathlib import Path

from glacier_qgis.models.engine.events import Reporter


def tell_size(folders: dict[Path, int], reporter: Reporter) -> None:
    """Report the largest size of the results, and warn if a disk has less free space.

    Args:
        folders: Bytes before compression for each folder.
        reporter: Receives messages.
    """
    whole = sum(folders.values())
    if not whole:
        return
    reporter.log(
        f"The rasters will need at most {_megabytes(whole)}, usually much less after compression."
    )
    for folder, size in folders.items():
        free = shutil.disk_usage(folder).free if folder.is_dir() else size
        if free < size:
            reporter.warning(
                f"The results may need up to {_megabytes(size)}, but the disk of {folder} has "
                f"{_megabytes(free)} free. Save less often, write fewer outputs, or choose another "
                "folder."
            )


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"
