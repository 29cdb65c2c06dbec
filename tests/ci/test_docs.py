"""The documentation: links lead somewhere, and each picture is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def targets(page: Path) -> Iterator[Path]:
    """Yield the files that a page links to or shows."""
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            yield (page.parent / target).resolve()


def test_links_lead_to_files() -> None:
    missing = [
        (page.name, str(path)) for page in PAGES for path in targets(page) if not path.exists()
    ]
    assert not missing


def test_every_picture_is_on_a_page() -> None:
    shown = {path for page in PAGES for path in targets(page)}
    pictures = [*(ROOT / "docs" / "pictures").glob("*.png"), *(ROOT / "docs").rglob("*.gif")]
    assert pictures
    assert not [path.name for path in pictures if path.resolve() not in shown]
