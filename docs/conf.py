"""The book: ``python3 tools/book.py`` builds it into ``build/book``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pygments.lexers.special import TextLexer

if TYPE_CHECKING:
    from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Glacier"
author = "The glacier_qgis developers"
project_copyright = "The glacier_qgis developers, GPL-3.0-or-later"
language = "en-GB"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxcontrib.bibtex",
    "layers",
    "mathml",
    "plugin_help",
]
exclude_patterns = ["algorithms/declared/*"]  # parts of the pages that include them
nitpicky = True
default_role = "code"  # for docstrings
smartquotes = False  # parameters are quoted as the dialogs quote them

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 3
myst_footnote_sort = False  # references stay in their section
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_output_stderr = "remove"  # progress bars
autodoc_typehints = "none"  # napoleon's sections say what is what
bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"
bibtex_default_style = "plain"

html_theme = "furo"
html_title = "Glacier"
html_logo = "../glacier_qgis/icons/glacier.svg"
html_favicon = "../glacier_qgis/icons/glacier.svg"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
copybutton_exclude = ".linenos, .gp, .go"


def setup(app: Sphinx) -> None:
    """Show tables of comma-separated values, for which Pygments has no language, as they are."""
    app.add_lexer("csv", TextLexer)
