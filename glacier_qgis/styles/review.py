"""How the tables of a review look, and their forms, which guide a person through a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from qgis.core import (
    Qgis,
    QgsAttributeEditorContainer,
    QgsAttributeEditorField,
    QgsAttributeEditorTextElement,
    QgsDefaultValue,
    QgsEditorWidgetSetup,
    QgsFieldConstraints,
    QgsFillSymbol,
    QgsLineSymbol,
    QgsRuleBasedRenderer,
    QgsSimpleLineSymbolLayer,
    QgsSymbol,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor

from glacier_qgis.translation import tr
from glacier_qgis.wall.review import (
    ACCEPTED,
    CORRECTED,
    LINE_ACCEPTED,
    LINE_ADDED,
    LINE_EDITED,
    LINE_PREDICTED,
    LINE_REJECTED,
    LINES,
    NO_FRONT,
    OPEN,
    PREDICTED,
    REJECTED,
    SKIPPED,
    TASKS,
)

CURRENT = "review_task"
"""Variable of a layer: the number of the task that the panel shows; without it, all are shown."""
WHO = "coalesce(nullif(@user_full_name, ''), @user_account_name)"
HALO = QColor("#202020")

TASK_LABELS = {
    OPEN: tr("open"),
    ACCEPTED: tr("accepted: the lines are right"),
    CORRECTED: tr("corrected: the lines are right now"),
    NO_FRONT: tr("no front in this scene"),
    REJECTED: tr("rejected: the scene cannot be used"),
    SKIPPED: tr("skipped: left for later"),
}
TASK_COLOURS = {
    OPEN: "#8a8f94",
    ACCEPTED: "#1a9641",
    CORRECTED: "#1a9641",
    NO_FRONT: "#1a9641",
    REJECTED: "#d7191c",
    SKIPPED: "#fdae61",
}
LINE_LABELS = {
    LINE_PREDICTED: tr("predicted"),
    LINE_EDITED: tr("edited"),
    LINE_ADDED: tr("drawn"),
    LINE_ACCEPTED: tr("accepted"),
    LINE_REJECTED: tr("rejected: not a front"),
}
LINE_COLOURS = {
    LINE_PREDICTED: "#ffff33",
    LINE_EDITED: "#33ddff",
    LINE_ADDED: "#33ddff",
    LINE_ACCEPTED: "#33ff66",
    LINE_REJECTED: "#ff4040",
}
QUALITY_LABELS = {1: tr("1: sharp"), 2: tr("2: fair"), 3: tr("3: doubtful")}
ALIASES = {
    "task": tr("Task"),
    "title": tr("Scene"),
    "rank": tr("Place in the queue"),
    "score": tr("Uncertainty (0 to 1)"),
    "status": tr("Status"),
    "complete": tr("Every front of the scene is drawn"),
    "assignee": tr("For"),
    "comment": tr("Comment"),
    "edited_by": tr("Edited by"),
    "edited_at": tr("Edited at"),
    "glacier": tr("Glacier"),
    "date": tr("Date"),
    "satellite": tr("Satellite"),
    "image_id": tr("Image"),
    "scene": tr("File of the scene"),
    "cell_size_m": tr("Cell size (m)"),
    "model": tr("Model"),
    "line_id": tr("Predicted line"),
    "line": tr("Line or layer"),
    "quality": tr("Quality"),
    "origin": tr("Drawn by"),
    "confidence": tr("Confidence (0 to 1)"),
    "uncertainty_m": tr("Uncertainty (± m)"),
}
TASK_GUIDE = tr(
    "Look at the lines over the scene. Right: accept. Wrong: edit, delete or draw lines, save "
    "them, and choose 'corrected'. No front in sight: 'no front'. Clouds or damage: 'rejected'. "
    "Untick the box if a front is missing that you do not draw."
)
LINE_GUIDE = tr(
    "Move the vertices of a line to where the front is. Delete a line that is no front, or choose "
    "'rejected'. A new line needs the number of its task."
)


def review_tasks(layer: QgsVectorLayer, outputs: Mapping[str, Any]) -> None:
    """Draw outlines of scenes by status, the current task thick; the form asks for the status."""
    rules = [
        (f"\"status\" = '{status}'", label.partition(":")[0], _outline(TASK_COLOURS[status]))
        for status, label in TASK_LABELS.items()
    ]
    _draw(layer, [*rules, (f'"task" = @{CURRENT}', tr("this task"), _outline("#ffffff", 0.8))])
    layer.setDisplayExpression('"rank" || \' \' || "title"')
    _widgets(layer, {"status": _choices(TASK_LABELS), "complete": ("CheckBox", {}), **_COMMON})
    _fill_in(layer, {"status": f"'{OPEN}'", "complete": "true"})
    _require(layer, ("status", "complete"))
    _form(
        layer,
        TASK_GUIDE,
        {
            tr("Review"): ["status", "complete", "comment"],
            tr("Scene"): ["title", "glacier", "date", "satellite", "image_id", "scene"],
            tr("Prediction"): ["rank", "score", "model", "cell_size_m"],
            tr("Provenance"): ["assignee", "edited_by", "edited_at"],
        },
        writable=("status", "complete", "comment", "assignee", "glacier"),
    )


def review_lines(layer: QgsVectorLayer, outputs: Mapping[str, Any]) -> None:
    """Draw lines by status, only those of the current task; the form asks what became of each."""
    rules = [
        (f"\"status\" = '{status}' AND {_of_this_task()}", label.partition(":")[0], _line(colour))
        for (status, label), colour in zip(LINE_LABELS.items(), LINE_COLOURS.values(), strict=True)
    ]
    _draw(layer, rules)
    layer.setDisplayExpression("\"status\" || ' ' || coalesce(\"line_id\", '')")
    qualities = _choices({str(key): text for key, text in QUALITY_LABELS.items()}, blank=True)
    _widgets(layer, {"status": _choices(LINE_LABELS), "quality": qualities, **_COMMON})
    _fill_in(layer, {"status": f"'{LINE_ADDED}'", "origin": WHO, "task": f"@{CURRENT}"})
    _require(layer, ("task", "status"))
    place = layer.fields().indexOf("quality")
    layer.setConstraintExpression(
        place, '"quality" IS NULL OR "quality" BETWEEN 1 AND 3', tr("1, 2 or 3")
    )
    _form(
        layer,
        LINE_GUIDE,
        {
            tr("Review"): ["status", "quality", "comment", "task"],
            tr("Prediction"): ["line_id", "line", "confidence", "uncertainty_m"],
            tr("Provenance"): ["origin", "edited_by", "edited_at"],
        },
        writable=("status", "quality", "comment", "task", "line"),
    )


def review_predictions(layer: QgsVectorLayer, outputs: Mapping[str, Any]) -> None:
    """Draw the frozen predictions as thin broken lines, only those of the current task."""
    symbol = QgsLineSymbol.createSimple(
        {"line_color": "#ff8c1a", "line_width": "0.5", "line_style": "dash"}
    )
    _draw(layer, [(_of_this_task(), tr("as predicted"), symbol)])
    layer.setReadOnly(True)
    _name(layer)


REVIEW = {LINES: review_lines, PREDICTED: review_predictions, TASKS: review_tasks}
"""Styles of the tables that are layers, from the top of the map down."""

_COMMON: dict[str, tuple[str, dict[str, object]]] = {
    "comment": ("TextEdit", {"IsMultiline": True}),
    "edited_at": (
        "DateTime",
        {"display_format": "yyyy-MM-dd HH:mm", "field_format": "yyyy-MM-dd HH:mm:ss"},
    ),
}


def _of_this_task() -> str:
    return f'"task" = coalesce(@{CURRENT}, "task")'


def _outline(colour: str, width: float = 0.3) -> QgsSymbol:
    return QgsFillSymbol.createSimple(
        {"style": "no", "outline_color": colour, "outline_width": str(width)}
    )


def _line(colour: str) -> QgsSymbol:
    symbol = QgsLineSymbol.createSimple({"line_color": colour, "line_width": "0.7"})
    symbol.insertSymbolLayer(0, QgsSimpleLineSymbolLayer(HALO, 1.5))
    return symbol


def _draw(layer: QgsVectorLayer, rules: Sequence[tuple[str, str, QgsSymbol]]) -> None:
    """Draw a layer by rules: a filter, its label and its symbol."""
    root = QgsRuleBasedRenderer.Rule(None)
    for where, label, symbol in rules:
        rule = QgsRuleBasedRenderer.Rule(symbol)
        rule.setFilterExpression(where)
        rule.setLabel(label)
        root.appendChild(rule)
    layer.setRenderer(QgsRuleBasedRenderer(root))


def _choices(labels: Mapping[str, str], *, blank: bool = False) -> tuple[str, dict[str, object]]:
    pairs = [{label: value} for value, label in labels.items()]
    if blank:
        pairs.insert(0, {tr("not stated"): "{2839923C-8B7D-419E-B84B-CA2FE9B80EC7}"})
    return "ValueMap", {"map": pairs}


def _name(layer: QgsVectorLayer) -> None:
    for place, name in enumerate(layer.fields().names()):
        if name in ALIASES:
            layer.setFieldAlias(place, ALIASES[name])


def _widgets(layer: QgsVectorLayer, setups: Mapping[str, tuple[str, dict[str, object]]]) -> None:
    _name(layer)
    for name, (kind, options) in setups.items():
        place = layer.fields().indexOf(name)
        if place >= 0:
            layer.setEditorWidgetSetup(place, QgsEditorWidgetSetup(kind, options))


def _fill_in(layer: QgsVectorLayer, defaults: Mapping[str, str]) -> None:
    """Fill in what a person need not type; who edited a feature and when, at each change."""
    for name, expression in defaults.items():
        place = layer.fields().indexOf(name)
        layer.setDefaultValueDefinition(place, QgsDefaultValue(expression, False))
    for name, expression in (("edited_by", WHO), ("edited_at", "now()")):
        place = layer.fields().indexOf(name)
        layer.setDefaultValueDefinition(place, QgsDefaultValue(expression, True))


def _require(layer: QgsVectorLayer, names: Sequence[str]) -> None:
    hard = QgsFieldConstraints.ConstraintStrength.ConstraintStrengthHard
    for name in names:
        layer.setFieldConstraint(
            layer.fields().indexOf(name), QgsFieldConstraints.Constraint.ConstraintNotNull, hard
        )


def _form(
    layer: QgsVectorLayer,
    guide: str,
    groups: Mapping[str, Sequence[str]],
    writable: Sequence[str],
) -> None:
    """Lay a form out in groups, the guide in the first; all but some fields are read-only."""
    form = layer.editFormConfig()
    form.clearTabs()
    form.setLayout(Qgis.AttributeFormLayout.DragAndDrop)
    for number, (title, names) in enumerate(groups.items()):
        group = QgsAttributeEditorContainer(title, form.invisibleRootContainer())
        group.setType(Qgis.AttributeEditorContainerType.GroupBox)
        group.setCollapsed(number > 1)
        if not number:
            text = QgsAttributeEditorTextElement(tr("What to do"), group)
            text.setText(guide)
            group.addChildElement(text)
        for element in _elements(layer, names, group):
            group.addChildElement(element)
        form.addTab(group)
    for place, name in enumerate(layer.fields().names()):
        form.setReadOnly(place, name not in writable)
    form.setSuppress(Qgis.AttributeFormSuppression.Off)
    layer.setEditFormConfig(form)


def _elements(
    layer: QgsVectorLayer, names: Sequence[str], group: QgsAttributeEditorContainer
) -> Iterator[QgsAttributeEditorField]:
    for name in names:
        yield QgsAttributeEditorField(name, layer.fields().indexOf(name), group)
