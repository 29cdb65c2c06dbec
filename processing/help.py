"""The help of an algorithm: beside its parameters in the dialog, and as a page of its own."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from qgis.core import QgsApplication, QgsProcessingAlgorithm, QgsProcessingUtils
from qgis.PyQt.QtCore import QUrl

PAGES = Path(__file__).parent.parent / "help"


def help_url(name: str) -> str:
    """Return the address of the page that ``docs/algorithms.py`` wrote for the plugin."""
    return str(QUrl.fromLocalFile(str(PAGES / f"{name}.html")).toString())


def short_help(algorithm: QgsProcessingAlgorithm, summary: str) -> str:
    """Return what a dialog shows beside the parameters: all of them, explained.

    On the command line, where QGIS lists the parameters itself, it is the summary alone.
    """
    if QgsApplication.platform() == "qgis_process":
        return summary
    texts = {p.name(): p.help() for p in algorithm.parameterDefinitions()}
    described = {name: _paragraphs(labelled(text, algorithm)) for name, text in texts.items()}
    described["ALG_DESC"] = _paragraphs(summary)
    return str(QgsProcessingUtils.formatHelpMapAsHtml(described, algorithm))


def labelled(text: str, algorithm: QgsProcessingAlgorithm) -> str:
    """Replace the names of parameters in a text, such as SAVE_INTERVAL, by their labels."""
    labels = {
        definition.name(): definition.description()
        for definition in algorithm.parameterDefinitions()
    }

    def label(match: re.Match[str]) -> str:
        name = match[0]
        return f"'{without_unit(labels[name])}'" if name in labels else name

    return re.sub(r"(?<!')\b[A-Z][A-Z_]+\b(?!')", label, text)


def without_unit(label: str) -> str:
    """Return a label without the unit in brackets at its end."""
    return re.sub(r"\s*\([^()]*\)$", "", label)


def _paragraphs(text: str) -> str:
    return "<br><br>".join(escape(part, quote=False) for part in text.split("\n\n"))
