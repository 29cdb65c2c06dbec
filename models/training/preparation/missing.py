"""Checks of the parts of a data set for missing classes and fronts."""

from __future__ import annotations

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.training.data.card import PARTS, DatasetCard, Statistics
from glacier_qgis.models.zones.codes import CLASS_NAMES, GLACIER, OCEAN

FRONT_CLASSES = (CLASS_NAMES[GLACIER], CLASS_NAMES[OCEAN])

_REMEDIES = {
    "polygons": "Snap their polygons, so that there are no gaps or overlaps.",
    "rasters": "Label the cells between them.",
    "lines": "Check that the lines lie where the scenes have data.",
}


def missing_in_parts(statistics: Statistics) -> list[str]:
    """Warn of missing classes of a part.

    Raises:
        EngineError: The training part has no glacier or no ocean.
    """
    found = []
    for part in PARTS:
        if not statistics.tiles[part]:
            continue
        lacking = [name for name, count in statistics.pixels[part].items() if not count]
        needed = [name for name in lacking if name in FRONT_CLASSES]
        if part == "training" and needed:
            raise EngineError(
                f"The training part has no cells of the class {' and '.join(needed)}: choose other "
                "VALIDATION_GROUPS or TEST_GROUPS, or another SEED."
            )
        if lacking:
            found.append(f"The {part} part lacks the class {' and '.join(lacking)}.")
    return found


def missing_fronts(card: DatasetCard) -> list[str]:
    """Warn of parts in which glacier and ocean do not touch."""
    pixels, front_m = card.statistics.pixels, card.statistics.front_m
    return [
        f"There is no front in the {part} part: glacier and ocean do not touch. "
        f"{_REMEDIES[card.labels]}"
        for part in PARTS
        if not front_m[part] and all(pixels[part].get(name) for name in FRONT_CLASSES)
    ]
