"""What the parts of a data set lack: classes, and a front between glacier and ocean."""

from __future__ import annotations

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.training.data.card import PARTS, DatasetCard, Statistics
from glacier_qgis.models.zones.codes import CLASS_NAMES, GLACIER, OCEAN

FRONT_CLASSES = (CLASS_NAMES[GLACIER], CLASS_NAMES[OCEAN])

_CURES = {
    "polygons": "Snap their polygons to each other, without a gap or an overlap between them.",
    "rasters": "Label the cells between them.",
    "lines": "Check that the lines lie where the scenes have data.",
}


def missing_in_parts(statistics: Statistics) -> list[str]:
    """Say which classes a part lacks.

    Raises:
        EngineError: The part to learn from lacks glacier or ocean.
    """
    found = []
    for part in PARTS:
        if not statistics.tiles[part]:
            continue
        lacking = [name for name, count in statistics.pixels[part].items() if not count]
        needed = [name for name in lacking if name in FRONT_CLASSES]
        if part == "training" and needed:
            raise EngineError(
                f"The part to learn from lacks the class {' and '.join(needed)}: name other "
                "VALIDATION_GROUPS or TEST_GROUPS, or another SEED."
            )
        if lacking:
            found.append(f"The {part} part lacks the class {' and '.join(lacking)}.")
    return found


def missing_fronts(card: DatasetCard) -> list[str]:
    """Say in which parts glacier and ocean are labelled but meet nowhere."""
    pixels, front_m = card.statistics.pixels, card.statistics.front_m
    return [
        f"There is no front in the {part} part: glacier and ocean do not touch. "
        f"{_CURES[card.labels]}"
        for part in PARTS
        if not front_m[part] and all(pixels[part].get(name) for name in FRONT_CLASSES)
    ]
