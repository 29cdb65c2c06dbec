"""Write the help pages from what the algorithms declare.

They are ``docs/algorithms/*.md`` to be read on the web, and ``glacier_qgis/help/*.html``, which
the button 'Help' of the dialogs opens without a network.

    /usr/bin/python3 docs/algorithms.py

with the Python that QGIS runs in, after ``tools/link.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from headless_qgis import glacier_provider
from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingModelAlgorithm,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
)

PAGES = Path(__file__).parent / "algorithms"
OFFLINE_PAGES = Path(__file__).parent.parent / "glacier_qgis" / "help"
STYLE = (
    "body{font-family:sans-serif;line-height:1.5;max-width:48em;margin:2em auto;padding:0 1em}"
    "dt{font-weight:bold;margin-top:1em}dd{margin-left:1.5em}small{color:#666}"
    "code,pre{background:#f2f2f2;padding:0 .2em}pre{padding:.8em;overflow-x:auto}"
)
KINDS = {
    "band": "bands of a raster",
    "boolean": "yes or no",
    "datetime": "date",
    "enum": "choice",
    "extent": "extent",
    "field": "field",
    "file": "file or folder",
    "fileDestination": "file to write",
    "folderDestination": "folder to write",
    "multilayer": "layers or files",
    "number": "number",
    "raster": "raster layer",
    "rasterDestination": "raster to write",
    "sink": "vector layer to write",
    "source": "vector layer",
    "string": "text",
}
CHOSEN = {
    "inspecttrainingdata": "REPORT",
    "preparetrainingdata": "LABEL_LINES",
    "simulateglacier": "SURFACE",
    "terminuschange": "CENTERLINE",
    "terminustimeseries": "FOLDER",
}
"""Of several parameters of which one is needed, the one that the example gives."""
SUFFIXES = {"rasterDestination": "tif", "sink": "gpkg"}


def page(algorithm: QgsProcessingAlgorithm) -> str:
    """Return the help page of an algorithm."""
    return "\n".join(
        [
            f"# {algorithm.displayName()}",
            "",
            f"`{algorithm.id()}`, in the group '{algorithm.group()}'",
            "",
            _summary(algorithm),
            "",
            *_section("Parameters", algorithm, destinations=False),
            *_section("Outputs", algorithm, destinations=True),
            *_values(algorithm),
            "## On the command line",
            "",
            "```",
            *_command(algorithm),
            "```",
            "",
        ]
    )


def _summary(algorithm: QgsProcessingAlgorithm) -> str:
    if isinstance(algorithm, QgsProcessingModelAlgorithm):
        return str(algorithm.helpContent()["ALG_DESC"])
    return str(algorithm.SUMMARY)


def offline_page(algorithm: QgsProcessingAlgorithm) -> str:
    """Return the help page of an algorithm that comes with the plugin."""
    title = escape(algorithm.displayName())
    summary = _summary(algorithm).split("\n\n")
    values = _values_of(algorithm)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
            f"<style>{STYLE}</style></head><body>",
            f"<h1>{title}</h1>",
            f"<p><code>{algorithm.id()}</code>, in the group '{escape(algorithm.group())}'</p>",
            *(f"<p>{escape(paragraph, quote=False)}</p>" for paragraph in summary),
            *_list("Parameters", _terms(algorithm, destinations=False)),
            *_list("Outputs", _terms(algorithm, destinations=True)),
            *_list("Values for models and scripts", [(*value, "", "") for value in values]),
            "<h2>On the command line</h2>",
            f"<pre>{escape(' '.join(_command(algorithm)), quote=False)}</pre>",
            "</body></html>",
            "",
        ]
    )


def _terms(
    algorithm: QgsProcessingAlgorithm, *, destinations: bool
) -> Iterator[tuple[str, str, str, str]]:
    for parameter in algorithm.parameterDefinitions():
        if parameter.isDestination() == destinations:
            kind = _kind(parameter).replace("`", "'")
            yield parameter.name(), parameter.description(), parameter.help(), kind


def _list(title: str, terms: Iterable[tuple[str, str, str, str]]) -> Iterator[str]:
    terms = list(terms)
    if not terms:
        return
    yield f"<h2>{title}</h2>"
    yield "<dl>"
    for name, label, text, kind in terms:
        yield f"<dt>{escape(label, quote=False)} <code>{name}</code></dt>"
        if text or kind:
            text, kind = escape(text, quote=False), escape(kind, quote=False)
            yield f"<dd>{text}<br><small>{kind}</small></dd>"
    yield "</dl>"


def _section(title: str, algorithm: QgsProcessingAlgorithm, *, destinations: bool) -> Iterator[str]:
    chosen = [p for p in algorithm.parameterDefinitions() if p.isDestination() == destinations]
    if not chosen:
        return
    yield from (f"## {title}", "", "| name | what | kind |", "|---|---|---|")
    for parameter in chosen:
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
    if parameter.flags() & QgsProcessingParameterDefinition.Flag.FlagAdvanced:
        words.append("advanced")
    return "; ".join(words)


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _values(algorithm: QgsProcessingAlgorithm) -> Iterator[str]:
    values = _values_of(algorithm)
    if values:
        yield from ("## Values", "", "For models and scripts.", "", "| name | what |", "|---|---|")
        yield from (f"| `{name}` | {what} |" for name, what in values)
        yield ""


def _values_of(algorithm: QgsProcessingAlgorithm) -> list[tuple[str, str]]:
    destinations = {p.name() for p in algorithm.destinationParameterDefinitions()}
    return [
        (output.name(), output.description())
        for output in algorithm.outputDefinitions()
        if output.name() not in destinations
    ]


def _command(algorithm: QgsProcessingAlgorithm) -> Iterator[str]:
    optional = QgsProcessingParameterDefinition.Flag.FlagOptional
    needed = [
        p
        for p in algorithm.parameterDefinitions()
        if (not p.flags() & optional and p.defaultValue() is None)
        or p.name() == CHOSEN.get(algorithm.name())
    ]
    words = [f"{p.name()}={'…' if not p.isDestination() else _example(p)}" for p in needed]
    yield " ".join([f"qgis_process run {algorithm.id()}", *words])


def _example(parameter: QgsProcessingParameterDefinition) -> str:
    name = str(parameter.name().lower())
    if isinstance(parameter, QgsProcessingParameterFolderDestination):
        return f"{name}/"
    if isinstance(parameter, QgsProcessingParameterFileDestination):
        suffix = re.search(r"\*\.(\w+)", parameter.fileFilter())
        return f"{name}.{suffix[1]}" if suffix else name
    return f"{name}.{SUFFIXES[parameter.type()]}"


def main() -> None:
    """Write every page."""
    PAGES.mkdir(exist_ok=True)
    OFFLINE_PAGES.mkdir(exist_ok=True)
    with glacier_provider() as provider:
        algorithms = sorted(provider.algorithms(), key=lambda a: (a.group(), a.displayName()))
        for algorithm in algorithms:
            created = algorithm.create()
            (PAGES / f"{algorithm.name()}.md").write_text(page(created), encoding="utf-8")
            offline = OFFLINE_PAGES / f"{algorithm.name()}.html"
            offline.write_text(offline_page(created), encoding="utf-8")
        lines = [f"| [{a.displayName()}]({a.name()}.md) | {a.group()} |" for a in algorithms]
        index = ["# The toolbox", "", "| algorithm | group |", "|---|---|", *lines, ""]
        (PAGES / "README.md").write_text("\n".join(index), encoding="utf-8")


if __name__ == "__main__":
    main()
