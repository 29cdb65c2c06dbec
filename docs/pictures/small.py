"""Pictures that are small enough for a repository.

    /usr/bin/python3 docs/pictures/small.py build/screenshots/NAME.png docs/pictures/NAME.png

makes one of a screenshot of ``screenshots.py``, without the black screen around the window.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

COLOURS = 255
WIDTH = 1000
"""Of a window, pixels."""


def shrink(picture: Path, width: int | None = None) -> None:
    """Lessen a picture's colours and, if it is wider, its width in pixels."""
    with Image.open(picture) as opened:
        image = opened.convert("RGB")
    if width is not None and image.width > width:
        image = image.resize((width, round(image.height * width / image.width)))
    few = image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, 3, dither=Image.Dither.NONE)
    few.save(picture, optimize=True)


def main() -> None:
    """Crop a screenshot to its window, and shrink it."""
    screenshot, picture = map(Path, sys.argv[1:])
    with Image.open(screenshot) as opened:
        image = opened.convert("RGB")
    image.crop(image.getbbox()).save(picture)
    shrink(picture, WIDTH)


if __name__ == "__main__":
    main()
