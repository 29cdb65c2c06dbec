"""A fingerprint of a file, by which a scene that was replaced or changed is known."""

from __future__ import annotations

import hashlib
from pathlib import Path

BLOCK = 1 << 16
"""Bytes read at a time."""
BLOCKS = 64
"""Blocks that are read of a larger file, evenly spread."""


def fingerprint(path: str | Path) -> str:
    """Return the SHA-256 of a file's size and of up to 64 blocks of it, 4 MiB in all.

    Files up to that size are read whole. It is blank for what is not a file, such as a folder or an
    address.

    Raises:
        OSError: It is a file that cannot be read.
    """
    file = Path(path)
    if not file.is_file():
        return ""
    size = file.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    last = max(size - BLOCK, 0)
    starts = sorted({last * number // (BLOCKS - 1) for number in range(BLOCKS)})
    if size <= BLOCK * BLOCKS:
        starts = list(range(0, size, BLOCK))
    with file.open("rb") as stream:
        for start in starts:
            stream.seek(start)
            digest.update(stream.read(BLOCK))
    return digest.hexdigest()
