"""Where a training writes its package."""

from __future__ import annotations

from pathlib import Path

from glacier_qgis.models.engine.errors import EngineError


def check_destination(output: Path, start_from: str, kind: str) -> None:
    """Make sure, before a training, that its package can be written.

    Args:
        output: file of the package.
        start_from: name or path of what the training starts from; blank for nothing.
        kind: what the package holds, such as "model", for the message.

    Raises:
        EngineError: It is not a zip, is not in a folder, or would replace what the training starts
            from.
    """
    if output.suffix.lower() != ".zip":
        raise EngineError(
            f"OUTPUT: {output.name} is not a zip, the format of {kind} packages. Choose a file "
            "name *.zip."
        )
    if not output.parent.is_dir() or output.is_dir():
        raise EngineError(
            f"OUTPUT: {output} is a folder, or in a folder that does not exist: choose another "
            "file."
        )
    start = Path(start_from.strip()).expanduser()
    if start.is_file() and output.exists() and start.samefile(output):
        raise EngineError(
            f"OUTPUT: {output} is the {kind} of START_FROM, which must not be replaced. Choose "
            "another name."
        )
