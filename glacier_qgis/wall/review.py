"""The words of a review: its tables, and the values of their fields.

The engine makes the tables, and the forms and the panel of QGIS fill them in.
"""

from __future__ import annotations

TASKS, LINES, PREDICTED, CORRECTIONS, MODELS, SCENES = TABLES = (
    "tasks",
    "lines",
    "lines_predicted",
    "corrections",
    "models",
    "scenes",
)

OPEN, ACCEPTED, CORRECTED, NO_FRONT, REJECTED, SKIPPED = TASK_STATES = (
    "open",
    "accepted",
    "corrected",
    "no_front",
    "rejected",
    "skipped",
)
"""Of a task. `accepted`: the prediction is right; `corrected`: the lines are right now; `no_front`:
the scene shows none; `rejected`: the scene cannot be used; `skipped`: left for later."""
REVIEWED = (ACCEPTED, CORRECTED, NO_FRONT, REJECTED)
"""States of a task that a person has finished."""

LINE_PREDICTED, LINE_EDITED, LINE_ADDED, LINE_ACCEPTED, LINE_REJECTED = LINE_STATES = (
    "predicted",
    "edited",
    "added",
    "accepted",
    "rejected",
)
"""Of a line. A `rejected` one counts as deleted."""

TRACE = "trace"
"""Field of the tasks: the most doubtful trace of a stretch of an echogram; empty for a scene."""

RANKED, AUDIT = STRATEGIES = ("ranked", "audit")
"""How a task came into the queue: by its score, or by chance."""

QUALITIES = (1, 2, 3)
"""Of a line, as a person sees it: 1 sharp, 2 fair, 3 doubtful."""
