"""Write what the algorithms declare: the tables that their pages in the book include.

    /usr/bin/python3 docs/algorithms.py

with the Python that QGIS runs in, after ``tools/link.py``.
``docs/algorithms/declared/ALGORITHM.md`` holds the parameters, outputs and values of an algorithm;
the rest of its page, ``docs/algorithms/ALGORITHM.md``, is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from textwrap import wrap

from headless_qgis import glacier_provider
from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
)

TABLES = Path(__file__).parent / "algorithms" / "declared"
COMMAND_WIDTH = 84
KINDS = {
    "band": "bands of a raster",
    "boolean": "yes or no",
    "crs": "coordinate reference system",
    "datetime": "date",
    "enum": "choice",
    "extent": "extent",
    "field": "field",
    "file": "file or folder",
    "fileDestination": "file to write",
    "folderDestination": "folder to write",
    "layer": "raster or vector layer",
    "multilayer": "layers or files",
    "number": "number",
    "providerconnection": "database connection",
    "raster": "raster layer",
    "rasterDestination": "raster to write",
    "sink": "vector layer to write",
    "source": "vector layer",
    "string": "text",
}
CHOSEN = {
    "evaluateemulator": "SNAPSHOTS",
    "inspecttrainingdata": "REPORT",
    "preparereview": "FOLDER",
    "preparetrainingdata": "LABEL_LINES",
    "recordcorrections": "REVIEW",
    "retrain": "REVIEW",
    "runinstructor": "SURFACE",
    "simulateglacier": "SURFACE",
    "terminuschange": "CENTERLINE",
    "terminustimeseries": "FOLDER",
    "trainemulator": "SNAPSHOTS",
}
"""Of several parameters of which one is needed, the one that the example gives."""
SUFFIXES = {"rasterDestination": "tif", "sink": "gpkg"}


def tables(algorithm: QgsProcessingAlgorithm) -> str:
    """Return the part of a page that an algorithm declares."""
    given = [p for p in algorithm.parameterDefinitions() if not p.isDestination()]
    advanced = QgsProcessingParameterDefinition.Flag.FlagAdvanced
    return "\n".join(
        [
            *_table("Parameters", [p for p in given if not p.flags() & advanced]),
            *_table("Advanced parameters", [p for p in given if p.flags() & advanced]),
            *_table("Outputs", algorithm.destinationParameterDefinitions()),
            *_values(algorithm),
            "## On the command line",
            "",
            "```text",
            _command(algorithm),
            "```",
            "",
        ]
    )


def _table(title: str, parameters: Sequence[QgsProcessingParameterDefinition]) -> Iterator[str]:
    if not parameters:
        return
    yield from (f"## {title}", "", "| name | what | kind |", "|---|---|---|")
    for parameter in parameters:
        what = " ".join(filter(None, (f"**{parameter.description()}.**", parameter.help())))
        yield f"| `{parameter.name()}` | {what} | {_kind(parameter)} |"
    yield ""


def _kind(parameter: QgsProcessingParameterDefinition) -> str:
    words = [KINDS[parameter.type()]]
    if isinstance(parameter, QgsProcessingParameterEnum):
        words = ["one or more of" if parameter.allowMultiple() else "one of"]
        words[0] += " " + ", ".join(f"`{option}`" for option in parameter.options())
    if parameter.defaultValue() not in (None, ""):
        words.append(f"default {_plain(parameter.defaultValue())}")
    if parameter.flags() & QgsProcessingParameterDefinition.Flag.FlagOptional:
        words.append("optional")
    return "; ".join(words)


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _values(algorithm: QgsProcessingAlgorithm) -> Iterator[str]:
    files = {p.name() for p in algorithm.destinationParameterDefinitions()}
    values = [output for output in algorithm.outputDefinitions() if output.name() not in files]
    if values:
        yield from ("## Values", "", "For models and scripts.", "", "| name | what |", "|---|---|")
        yield from (f"| `{output.name()}` | {output.description()} |" for output in values)
        yield ""


def _command(algorithm: QgsProcessingAlgorithm) -> str:
    optional = QgsProcessingParameterDefinition.Flag.FlagOptional
    needed = [
        p
        for p in algorithm.parameterDefinitions()
        if (not p.flags() & optional and p.defaultValue() is None)
        or p.name() == CHOSEN.get(algorithm.name())
    ]
    words = [f"{p.name()}={'…' if not p.isDestination() else _example(p)}" for p in needed]
    command = " ".join([f"qgis_process run {algorithm.id()}", *(["--", *words] if words else [])])
    return " \\\n    ".join(
        wrap(command, COMMAND_WIDTH, break_long_words=False, break_on_hyphens=False)
    )


def _example(parameter: QgsProcessingParameterDefinition) -> str:
    name = str(parameter.name().lower())
    if isinstance(parameter, QgsProcessingParameterFolderDestination):
        return f"{name}/"
    if isinstance(parameter, QgsProcessingParameterFileDestination):
        suffix = re.search(r"\*\.(\w+)", parameter.fileFilter())
        return f"{name}.{suffix[1]}" if suffix else name
    return f"{name}.{SUFFIXES[parameter.type()]}"


def index(algorithms: Iterable[QgsProcessingAlgorithm]) -> str:
    """Return a table of the algorithms of each group."""
    lines: list[str] = []
    ordered = sorted(algorithms, key=lambda a: (a.group(), a.displayName()))
    for group, members in groupby(ordered, key=lambda a: a.group()):
        lines += [f"## {group}", "", "| algorithm | what it does |", "|---|---|"]
        lines += [
            f"| [{a.displayName()}]({a.name()}.md) | {a.shortDescription()} |" for a in members
        ]
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Write every table."""
    TABLES.mkdir(exist_ok=True)
    with glacier_provider() as provider:
        algorithms = [algorithm.create() for algorithm in provider.algorithms()]
        for algorithm in algorithms:
            (TABLES / f"{algorithm.name()}.md").write_text(tables(algorithm), encoding="utf-8")
        (TABLES / "index.md").write_text(index(algorithms), encoding="utf-8")
    print("The tables are written; tools/book.py --quick puts them into the plugin's help.")


if __name__ == "__main__":
    main()
