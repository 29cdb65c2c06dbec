"""The scenes of a series with their dates, in order of time."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.engine.units import DAYS_A_YEAR
from glacier_qgis.models.fronts.scene.dates import DatePattern
from glacier_qgis.models.fronts.scene.names import parse_scene_name
from glacier_qgis.models.fronts.series.survey import Survey

SUFFIXES = (".tif", ".tiff", ".vrt", ".jp2", ".img", ".nc")


@dataclass(frozen=True)
class SeriesScene:
    """One scene.

    Attributes:
        survey: What one look at it told.
        image_id: The product's own id if the name holds one, else the file's base name.
        date: Day of acquisition; None if not known.
    """

    survey: Survey = field(hash=False)  # which holds a dictionary
    image_id: str
    date: datetime.date | None

    @property
    def source(self) -> RasterInput:
        """Where it is."""
        return self.survey.source

    @property
    def year(self) -> float | None:
        """Acquisition time in years of `DAYS_A_YEAR`; None if not known."""
        return self.date.toordinal() / DAYS_A_YEAR if self.date else None


def find_rasters(folder: Path, leave_out: Path | None = None) -> list[RasterInput]:
    """Return the rasters in a folder and the folders in it, by name.

    Args:
        folder: Folder to search; hidden files (names that start with a dot) are ignored.
        leave_out: A folder in it to ignore.

    Raises:
        EngineError: The folder does not exist, holds no raster, or lies in the one to ignore.
    """
    if not folder.is_dir():
        raise EngineError(
            f"FOLDER: the folder {folder} does not exist. Choose the folder with the scenes."
        )
    aside = leave_out.resolve() if leave_out else None
    if aside and folder.resolve().is_relative_to(aside):
        raise EngineError(
            f"WORK_FOLDER: {leave_out} contains FOLDER, so its scenes would be ignored. Choose "
            "another WORK_FOLDER."
        )
    found = [
        path
        for path in sorted(folder.absolute().rglob("*"))
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder.absolute()).parts)
        and not (aside and path.resolve().is_relative_to(aside))
    ]
    if not found:
        raise EngineError(
            f"FOLDER: {folder} has no raster ({', '.join(SUFFIXES)}). Choose the folder with the "
            "scenes."
        )
    return [RasterInput(path=str(path)) for path in found]


def catalogue(
    surveys: Sequence[Survey], pattern: DatePattern | None, reporter: Reporter
) -> list[SeriesScene]:
    """Date the scenes.

    Args:
        surveys: The scenes.
        pattern: Where the date stands in their names; None for the names of products, plain dates
            in names and, where the name does not tell, the raster's tags.
        reporter: Receives warnings of scenes without a date.

    Returns:
        By date, then by path; those without a date last.

    Raises:
        EngineError: The pattern fits no scene.
    """
    scenes = _by_pattern(surveys, pattern) if pattern else _by_name_or_tag(surveys, reporter)
    undated = [Path(scene.source.path).name for scene in scenes if scene.date is None]
    if undated:
        reporter.warning(
            f"{len(undated)} of {len(scenes)} scenes have no date and are not ordered in time: "
            f"{listed(undated)}. Use DATE_PATTERN to describe where the date is in their names."
        )
    return in_order_of_time(scenes)


def in_order_of_time(scenes: Iterable[SeriesScene]) -> list[SeriesScene]:
    """Return scenes by date, then by path; those without a date last."""
    return sorted(scenes, key=lambda scene: (scene.date or datetime.date.max, scene.source.path))


def dated(survey: Survey, date: datetime.date | None) -> SeriesScene:
    """Return a scene whose date is known."""
    return SeriesScene(survey, parse_scene_name(survey.source.path).image_id, date)


def _by_pattern(surveys: Sequence[Survey], pattern: DatePattern) -> list[SeriesScene]:
    scenes = [dated(survey, pattern.read(survey.source.path)) for survey in surveys]
    if all(scene.date is None for scene in scenes):
        name = Path(surveys[0].source.path).name
        raise EngineError(
            f"DATE_PATTERN {pattern.text!r} fits no scene, for example not '{name}'. Change the "
            "pattern to fit such a name, or leave it empty to find the dates automatically."
        )
    return scenes


def _by_name_or_tag(surveys: Sequence[Survey], reporter: Reporter) -> list[SeriesScene]:
    scenes, tags = [], []
    for survey in surveys:
        date = parse_scene_name(survey.source.path).date
        if date is None and survey.dated:
            date, tag = survey.dated
            tags.append(tag)
        scenes.append(dated(survey, date))
    if tags:
        reporter.log(f"{len(tags)} dates were read from tags: {', '.join(sorted(set(tags)))}.")
    return scenes
