"""Training and validation parts of a data set, with checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.training.data.card import Part
from glacier_qgis.models.training.data.dataset import Dataset
from glacier_qgis.models.training.data.samples import Labelled
from glacier_qgis.models.zones.codes import CLASS_NAMES, GLACIER, OCEAN

HELD_OUT = 0.2
"""Share of a group's dates that is held out for validation if the data set has no such part."""

FEWEST_DATES = 5


@dataclass(frozen=True)
class TrainingParts:
    """The tiles of a training.

    Attributes:
        training: For training.
        validation: For the choice of the best weights.
        split: How the two were separated, in one sentence.
        warnings: Reasons why the result may be wrong.
    """

    training: list[Labelled]
    validation: list[Labelled]
    split: str
    warnings: list[str]


def training_parts(data: Dataset, *, rock: bool = False) -> TrainingParts:
    """Return the parts of a data set; hold out a validation part if there is none.

    Args:
        data: The data set.
        rock: Whether they are for a network that sees rock.

    Raises:
        EngineError: There are no training data, too few to hold out, or unknown classes.
    """
    check_classes(data)
    training: list[Labelled] = [*data.tiles("training", rock=rock)]
    validation: list[Labelled] = [*data.tiles("validation", rock=rock)]
    if not training:
        raise EngineError(
            f"The data set {data.card.name} has no tiles in its training part. Prepare it again "
            "with a split that leaves some groups for training."
        )
    warnings = [
        f"The training part has no cells of the class '{name}', so the model will never predict "
        "it. Add scenes with this class, or do not use the model for it."
        for name in missing_classes(data)
    ]
    if validation:
        if lacking := missing_classes(data, "validation"):
            warnings.append(
                f"The validation part has no cells of the class {' and '.join(lacking)}, so the "
                "choice of the best weights ignores it. Choose other VALIDATION_GROUPS if "
                "possible."
            )
        groups = ", ".join(sorted({tile.group for tile in validation}))
        return TrainingParts(
            training, validation, f"By the data set: {groups} for validation.", warnings
        )
    training, validation = hold_out_dates(training)
    warnings.append(
        "The data set has no validation part, so the last fifth of the dates of each group was "
        "held out instead. Images of one glacier are similar, so the metrics are too optimistic "
        "for other glaciers; prepare the data with a validation group if possible."
    )
    first = min(tile.date for tile in validation)
    return TrainingParts(training, validation, f"By date; held out from {first} on.", warnings)


def check_classes(data: Dataset) -> None:
    """Make sure that codes and names of classes are those of the product.

    Raises:
        EngineError: A class has another code or name.
    """
    foreign = [
        f"{zone.name} ({zone.value})"
        for zone in data.card.classes
        if CLASS_NAMES.get(zone.value) != zone.name
    ]
    if foreign:
        known = ", ".join(f"{name} ({code})" for code, name in CLASS_NAMES.items())
        raise EngineError(
            f"The data set {data.card.name} has classes that calving-front models do not support: "
            f"{', '.join(foreign)}. Prepare it with {known}."
        )


def missing_classes(data: Dataset, part: Part = "training") -> list[str]:
    """Return the required classes of which a part has no cells."""
    counted = data.card.statistics.pixels.get(part, {})
    wanted = {zone.value for zone in data.card.classes} | {GLACIER, OCEAN}
    return [name for code, name in CLASS_NAMES.items() if code in wanted and not counted.get(name)]


def hold_out_dates(tiles: Sequence[Labelled]) -> tuple[list[Labelled], list[Labelled]]:
    """Split tiles in two: the latest dates of each group are held out, in whole days.

    Raises:
        EngineError: No group has enough dates.
    """
    held_out: set[tuple[str, str]] = set()
    for group in {tile.group for tile in tiles}:
        dates = sorted({tile.date for tile in tiles if tile.group == group and tile.date})
        if len(dates) >= FEWEST_DATES:
            count = max(1, round(HELD_OUT * len(dates)))
            held_out |= {(group, date) for date in dates[-count:]}
    if not held_out:
        raise EngineError(
            f"The data set has no validation part, and no group has the {FEWEST_DATES} dates that "
            "are needed to hold some out. Prepare it again with scenes of at least two groups, "
            "one of them for validation."
        )
    validation = [tile for tile in tiles if (tile.group, tile.date) in held_out]
    return [tile for tile in tiles if (tile.group, tile.date) not in held_out], validation


def leaked_groups(card: ModelCard, tiles: Iterable[Labelled]) -> list[str]:
    """Return the groups of tiles on which a model was trained."""
    learnt = {
        name for data in card.training_data for group in data.groups for name in _names(group)
    }
    return sorted(group for group in {tile.group for tile in tiles} if learnt & _names(group))


def _names(group: str) -> set[str]:
    """Return the glaciers of a group (several are joined by +) in one spelling."""
    return {name.strip().casefold() for name in group.split(" + ")}
