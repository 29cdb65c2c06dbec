"""Split of scenes into training and held-out ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.training.data.samples import LabelledScene

SAME_GLACIER = {"JAC": "Landsat-Jakobshavn", "Landsat-Jakobshavn": "JAC"}
"""Groups that show the same glacier, by radar and in optical images."""


def hold_out(
    scenes: Sequence[LabelledScene], groups: Collection[str]
) -> tuple[list[LabelledScene], list[LabelledScene]]:
    """Return the scenes for training and those of held-out groups.

    Images of the same glacier from another sensor are held out too.

    Raises:
        EngineError: There is no such group.
    """
    known = {scene.group for scene in scenes}
    if unknown := set(groups) - known:
        raise EngineError(
            f"--hold-out {', '.join(sorted(unknown))}: choose from {', '.join(sorted(known))}."
        )
    unseen = {*groups, *(SAME_GLACIER.get(group, group) for group in groups)}
    return (
        [scene for scene in scenes if scene.group not in unseen],
        [scene for scene in scenes if scene.group in unseen],
    )
