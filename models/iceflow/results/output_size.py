"""How much a run will write, told while there is time to stop it."""

from __future__ import annotations

import shutil
from pathlib import Path

from glacier_qgis.models.engine.events import Reporter


def tell_size(folders: dict[Path, int], reporter: Reporter) -> None:
    """Say how large the results will be at most, and warn where a disk has less room than that.

    Args:
        folders: Bytes before compression that go into each folder.
        reporter: Is told.
    """
    whole = sum(folders.values())
    if not whole:
        return
    reporter.log(f"The rasters will take at most {_megabytes(whole)}, mostly much less, packed.")
    for folder, size in folders.items():
        free = shutil.disk_usage(folder).free if folder.is_dir() else size
        if free < size:
            reporter.warning(
                f"The results may need up to {_megabytes(size)}, but the disk of {folder} has "
                f"{_megabytes(free)} free. Save less often, ask for fewer outputs, or choose "
                "another folder."
            )


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"
