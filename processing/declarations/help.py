"""The help of an algorithm: beside its parameters in the dialog, and as a page of its own."""

from __future__ import annotations

from html import escape

from qgis.core import QgsApplication, QgsProcessingAlgorithm, QgsProcessingUtils
from qgis.PyQt.QtCore import QUrl

from glacier_qgis.messages.labels import labels_of, with_labels
from glacier_qgis.resources import HELP
from glacier_qgis.translation import tr

VALUE = tr("A value that models and scripts can use.")


def help_url(name: str) -> str:
    """Return the address of the page that ``docs/algorithms.py`` wrote for the plugin."""
    return str(QUrl.fromLocalFile(str(HELP / f"{name}.html")).toString())


def short_help(algorithm: QgsProcessingAlgorithm, summary: str) -> str:
    """Return what a dialog shows beside the parameters: all of them, explained.

    On the command line, where QGIS lists the parameters itself, it is the summary alone.
    """
    if QgsApplication.platform() == "qgis_process":
        return summary
    texts = {output.name(): VALUE for output in algorithm.outputDefinitions()}
    texts |= {p.name(): p.help() for p in algorithm.parameterDefinitions()}
    described = {name: _paragraphs(labelled(text, algorithm)) for name, text in texts.items()}
    described["ALG_DESC"] = _paragraphs(labelled(summary, algorithm))
    return str(QgsProcessingUtils.formatHelpMapAsHtml(described, algorithm))


def labelled(text: str, algorithm: QgsProcessingAlgorithm) -> str:
    """Replace the names of parameters in a text, such as SAVE_INTERVAL, by their labels."""
    return with_labels(text, labels_of(algorithm))


def _paragraphs(text: str) -> str:
    return "<br><br>".join(escape(part, quote=False) for part in text.split("\n\n"))
