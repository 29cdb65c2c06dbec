"""Build the book into ``build/book``, without a network and with warnings as errors.

    python3 tools/book.py [--quick] [--check]

The plain pages of the algorithms go into the plugin; with ``--check`` those that are there are held
against the book's. ``--quick`` does not run the notebooks, which takes most of the time.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from html import unescape
from pathlib import Path

from environments import engine
from terminal import BUILD, ROOT, StepError, finish, run, say

BOOK = BUILD / "book"
PAGES = BUILD / "help"
"""The plain pages of the algorithms, which ``docs/_ext/plugin_help.py`` writes."""
IN_THE_PLUGIN = ROOT / "glacier_qgis" / "help"


def build(python: Path, *, quick: bool = False) -> None:
    """Build the book, and its plain pages beside it; `quick` runs no notebook."""
    shutil.rmtree(PAGES, ignore_errors=True)
    options = ("--fresh-env", "--fail-on-warning", "--keep-going", "--nitpicky", "--quiet")
    notebooks = ("--define", f"nb_execution_mode={'off' if quick else 'force'}")
    tree = {"PYTHONPATH": str(BUILD / "plugins")}  # for the notebooks and the page of functions
    run([python, "-P", "-m", "sphinx", *options, *notebooks, ROOT / "docs", BOOK], env=tree)


def deliver() -> None:
    """Put the plain pages into the plugin, in place of those that are there."""
    shutil.rmtree(IN_THE_PLUGIN, ignore_errors=True)
    shutil.copytree(PAGES, IN_THE_PLUGIN)


def check() -> None:
    """Compare the words of the plugin's pages with the book's.

    Words alone, since another version of Sphinx may mark them up in another way.

    Raises:
        StepError: A page is missing, not wanted or says something else.
    """
    kept, made = words(IN_THE_PLUGIN), words(PAGES)
    names = sorted(kept.keys() | made.keys())
    stale = ", ".join(name for name in names if kept.get(name) != made.get(name))
    if stale:
        raise StepError(f"These pages in glacier_qgis/help are stale, run tools/book.py: {stale}")


def words(folder: Path) -> dict[str, list[str]]:
    """Return the words of each page of a folder."""
    return {
        page.name: unescape(re.sub(r"<[^>]*>", " ", page.read_text(encoding="utf-8"))).split()
        for page in folder.glob("*.html")
    }


def main() -> None:
    """Build, then deliver or check."""
    parser = argparse.ArgumentParser(description="Build the book.")
    parser.add_argument("--check", action="store_true", help="change nothing in the plugin")
    parser.add_argument("--quick", action="store_true", help="do not run the notebooks")
    options = parser.parse_args()
    build(engine("docs"), quick=options.quick)
    if options.check:
        check()
    else:
        deliver()
        say(f"The book: {(BOOK / 'index.html').relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(finish(main))
