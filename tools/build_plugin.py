"""Build ``dist/glacier_qgis-<version>.zip`` and hold it against the plugin repository's rules.

The same tree always gives the same bytes: entries are sorted and carry no time of their own.

    python tools/build_plugin.py           build, and check form and contents
    python tools/build_plugin.py --scan    the same, then bandit and detect-secrets on the zip
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import plugin_rules

ROOT = Path(__file__).parent.parent
FOLDER = "glacier_qgis"
ROOMS = ("processing", "models")
FILES = ("metadata.txt", "LICENSE")
LEFT_OUT = ("models/training/delivered",)
"""The maintainers' own tools; pyproject.toml leaves them out of the wheel too."""
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_MODE = 0o100644 << 16


def plugin_files(root: Path = ROOT) -> dict[str, Path]:
    """Map each name inside the zip to its file: the rooms in the shape that QGIS imports."""
    files = {f"{FOLDER}/{name}": root / name for name in FILES if (root / name).is_file()}
    for path in _sources(root / FOLDER):
        files[f"{FOLDER}/{path.relative_to(root / FOLDER).as_posix()}"] = path
    for room in ROOMS:
        for path in _sources(root / room):
            name = path.relative_to(root)
            if not any(name.is_relative_to(folder) for folder in LEFT_OUT):
                files[f"{FOLDER}/{name.as_posix()}"] = path
    return dict(sorted(files.items()))


def _sources(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def version(root: Path = ROOT) -> str:
    """Return the version that metadata.txt states."""
    metadata = (root / "metadata.txt").read_text(encoding="utf-8")
    return plugin_rules.read_metadata(metadata).get("version", "0.0.0")


def write_zip(files: dict[str, Path], archive: Path) -> None:
    """Pack `files` (name inside the zip → file on disk), reproducibly."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as bundle:
        for name, path in files.items():
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.external_attr = _MODE
            bundle.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)


def archive_path(root: Path = ROOT) -> Path:
    """Return where the zip of the checkout at `root` is, or will be."""
    return root / "dist" / f"{FOLDER}-{version(root)}.zip"


def build(root: Path = ROOT) -> Path:
    """Write the zip of the checkout at `root` and return its path."""
    archive = archive_path(root)
    write_zip(plugin_files(root), archive)
    return archive


def main() -> int:
    """Build and check; 0 when the plugin repository would take the zip."""
    parser = argparse.ArgumentParser(description="Build the plugin zip and check it.")
    parser.add_argument("--scan", action="store_true", help="run bandit and detect-secrets too")
    options = parser.parse_args()
    archive = build()
    problems = plugin_rules.check(archive)
    if options.scan:
        problems += plugin_rules.scan(archive)
    for problem in problems:
        print(f"refused: {problem}")
    if not problems:
        print(f"{archive.relative_to(ROOT)}: {archive.stat().st_size:,} bytes")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
