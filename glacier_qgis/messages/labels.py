"""Names of parameters and algorithms in a text, put as the windows of QGIS call them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from qgis.core import QgsApplication, QgsProcessingAlgorithm

_NAMES = re.compile(r"(?<![\w./\\'-])[A-Z][A-Z0-9_]+(?!['\w/\\]|[.-]\w)")
"""What may be the name of a parameter: a word in capitals, not quoted and no part of a path."""
_IDS = re.compile(r" \(glacier:[a-z]+\)|glacier:[a-z]+")


def labels_of(algorithm: QgsProcessingAlgorithm) -> dict[str, str]:
    """Return the labels of an algorithm's parameters by their names, in quotes, without units."""
    return {
        definition.name(): f"'{without_unit(definition.description())}'"
        for definition in algorithm.parameterDefinitions()
    }


def with_labels(text: str, labels: Mapping[str, str]) -> str:
    """Replace names of parameters, such as SAVE_INTERVAL, and ids of algorithms."""
    return _NAMES.sub(lambda found: labels.get(found[0], found[0]), _IDS.sub(_title, text))


def without_unit(label: str) -> str:
    """Return a label without the unit in brackets at its end."""
    return re.sub(r"\s*\([^()]*\)$", "", label)


def _title(found: re.Match[str]) -> str:
    """Return the title of an algorithm for its id; nothing where that only explains a title."""
    if found[0].startswith(" ("):
        return ""
    algorithm = QgsApplication.processingRegistry().algorithmById(found[0])
    return f"'{algorithm.displayName()}'" if algorithm else found[0]
