"""The directive ``layers``: a contract of import-linter as a picture.

Its argument is the package whose parts the contract orders. A row is a layer: what stands higher
may import what stands lower, and nothing the other way round. Each part says its purpose in the
first sentence of its docstring. Contract and docstrings are read when the book is built.
"""

from __future__ import annotations

import ast
import re
import tomllib
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

ROOT = Path(__file__).parents[2]
ROOMS = {"glacier_qgis.models": "models", "glacier_qgis.processing": "processing"}
"""Where packages lie that are not in a folder of their name."""


class Layers(SphinxDirective):
    """Draws the layers of one package."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the picture."""
        package = self.arguments[0]
        settings = ROOT / "pyproject.toml"
        self.env.note_dependency(str(settings))
        linter = tomllib.loads(settings.read_text(encoding="utf-8"))["tool"]["importlinter"]
        found = [each for each in linter["contracts"] if each.get("containers") == [package]]
        if not found:
            raise self.error(f"No contract in pyproject.toml orders the parts of {package}.")
        rows = ["".join(box(package, part) for part in parts(row)) for row in found[0]["layers"]]
        drawn = "".join(f"<div>{row}</div>" for row in rows)
        return [nodes.raw("", f'<div class="layers">{drawn}</div>', format="html")]


def parts(layer: str) -> list[str]:
    """Return the names in a layer."""
    return re.findall(r"\w+", layer)


def box(package: str, part: str) -> str:
    """Return a part with its purpose."""
    return f"<span><code>{part}</code> {escape(purpose(package, part))}</span>"


def purpose(package: str, part: str) -> str:
    """Return the first sentence of a part's docstring."""
    module = f"{package}.{part}"
    for name, room in ROOMS.items():
        module = re.sub(rf"^{re.escape(name)}\b", room, module)
    path = ROOT / module.replace(".", "/")
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    words = " ".join(
        (ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or "").split()
    )
    return re.split(r"(?<=[.:;])\s", words)[0].rstrip(".:;")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("layers", Layers)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
