"""Pictures that are small enough for a repository."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

COLOURS = 255


def shrink(picture: Path, width: int | None = None) -> None:
    """Lessen a picture's colours and, if it is wider, its width in pixels."""
    with Image.open(picture) as opened:
        image = opened.convert("RGB")
    if width is not None and image.width > width:
        image = image.resize((width, round(image.height * width / image.width)))
    few = image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, 3, dither=Image.Dither.NONE)
    few.save(picture, optimize=True)
