"""What may come into a queue: scenes, with what was predicted of each and how certain it is."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS
from shapely import Polygon

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.fronts.scene.names import SceneName, parse_scene_name
from glacier_qgis.models.fronts.series.survey import Survey, survey
from glacier_qgis.models.raster.footprint import Footprint
from glacier_qgis.models.raster.metric import metric_crs
from glacier_qgis.models.review.queue.outlines import outline, show_one_place, turn_of
from glacier_qgis.models.vector.dates import read_dates
from glacier_qgis.models.vector.glaciers import same_name
from glacier_qgis.models.vector.source import Layer
from glacier_qgis.models.vector.texts import value_text
from glacier_qgis.wall.fingerprint import fingerprint


@dataclass(frozen=True)
class Candidate:
    """A scene, or a stretch of an echogram, with its prediction.

    Attributes:
        path: Of the raster.
        image_id: Name of the scene or of the frame.
        satellite: Blank if not known.
        date: Day of acquisition; None if not known.
        glacier: Name, blank if not known; of a frame its segment.
        part: Which part of the raster; blank for all of it.
        footprint: In the CRS of the lines.
        cell_size_m: Edge of a pixel; of an echogram the depth of a sample.
        lines: Its predicted lines; an empty frame where none was found.
        scene_hash: See `fingerprint`.
        complete: Whether its lines are to be taken for all there are, unless a person says other.
        trace: The most doubtful trace of an echogram.
    """

    path: str
    image_id: str
    satellite: str
    date: datetime.date | None
    glacier: str
    footprint: Polygon
    cell_size_m: float
    lines: gpd.GeoDataFrame = field(repr=False)
    scene_hash: str
    part: str = ""
    complete: bool = True
    trace: int | None = None

    def stated(self, attribute: str) -> str:
        """Return an attribute of its lines as text; the first that is not empty."""
        return stated(self.lines, attribute)

    @property
    def title(self) -> str:
        """What a person calls it: glacier, date and satellite, or its name."""
        if self.part:
            return f"{self.image_id}, {self.part}"
        when = self.date.isoformat() if self.date else ""
        words = [self.glacier, when, self.satellite]
        return " ".join(filter(None, words)) if self.glacier or when else self.image_id


def stated(lines: pd.DataFrame, attribute: str) -> str:
    """Return an attribute of lines as text; the first that is not empty."""
    values = lines.get(attribute, pd.Series(dtype=object))
    return next((text for text in map(value_text, values) if text), "")


def candidates(lines: Layer, scenes: Sequence[RasterInput], reporter: Reporter) -> list[Candidate]:
    """Return each scene with the lines that were predicted of it.

    Lines belong to the scene that `image_id` names. Those that are flagged as duplicates are left
    out, and so are scenes that cannot be used, with a warning. A scene whose lines name no glacier,
    or that has none, gets the glacier of the other scenes of its place, if these agree.

    Args:
        lines: As 'Delineate termini' and 'Terminus time series' write them.
        scenes: What they were predicted from, and scenes without a line.
        reporter: Receives warnings.

    Raises:
        EngineError: The lines have no field `image_id`, or no scene can be used.
    """
    frame = _own_lines(lines)
    dates = read_dates(frame, "date", lines.role) if "date" in frame else None
    groups = dict(iter(frame.groupby(frame["image_id"].map(value_text))))
    found, problems, twice = dict[str, Candidate](), list[str](), list[str]()
    for look in survey(scenes, None):
        name = parse_scene_name(look.source.path)
        if look.footprint is None:
            problems.append(f"{Path(look.source.path).name} ({look.problem})")
        elif name.image_id in found:
            twice.append(look.source.path)
        else:
            own = groups.get(name.image_id, frame.iloc[:0])
            date = _date(look, name, None if dates is None else dates.loc[own.index])
            try:
                one = _candidate(look, look.footprint, name, date, own, lines.crs)
            except EngineError as error:
                problems.append(f"{Path(look.source.path).name} ({error})")
            else:
                found[name.image_id] = one
    _tell(problems, twice, len(frame), sum(len(one.lines) for one in found.values()), reporter)
    if not found:
        raise EngineError(
            "SCENES: none of the scenes can be used. Choose the scenes that the lines of INPUT "
            "were predicted from."
        )
    return _named(list(found.values()), lines.crs)


def _own_lines(lines: Layer) -> gpd.GeoDataFrame:
    frame = lines.frame
    if "image_id" not in frame:
        raise EngineError(
            f"{lines.role}: {lines.name} has no field 'image_id', so its lines belong to no scene. "
            "Choose lines of 'Delineate termini' or 'Terminus time series'."
        )
    if "duplicate" in frame:
        frame = frame[pd.to_numeric(frame["duplicate"], errors="coerce") != 1]
    frame = frame.explode(index_parts=False, ignore_index=True)
    return frame.set_geometry(frame.geometry.force_2d())


def _date(
    look: Survey, name: SceneName, stated: pd.Series[pd.Timestamp] | None
) -> datetime.date | None:
    """Return the day of a scene: of its lines, its name or its tags."""
    known = None if stated is None else stated.dropna()
    if known is not None and len(known):
        return known.iloc[0].date()
    return name.date or (look.dated[0] if look.dated else None)


def _candidate(
    look: Survey,
    footprint: Footprint,
    name: SceneName,
    date: datetime.date | None,
    lines: gpd.GeoDataFrame,
    crs: CRS,
) -> Candidate:
    return Candidate(
        path=look.source.path,
        image_id=name.image_id,
        satellite=name.satellite,
        date=date,
        glacier=stated(lines, "glacier"),
        footprint=outline(footprint, crs),
        cell_size_m=footprint.native_cell_size(metric_crs(footprint)),
        lines=lines,
        scene_hash=fingerprint(look.source.path),
    )


def _tell(
    problems: Sequence[str], twice: Sequence[str], lines: int, used: int, reporter: Reporter
) -> None:
    if problems:
        reporter.warning(f"{len(problems)} scenes cannot be used: {listed(problems)}.")
    if twice:
        reporter.warning(
            f"{len(twice)} scenes are left out, as another one has the same name: {listed(twice)}."
        )
    if used < lines:
        reporter.warning(
            f"{lines - used} of {lines} lines are left out: the scene that their 'image_id' names "
            "is not among SCENES."
        )


def places(found: Sequence[Candidate], crs: CRS) -> NDArray[np.int64]:
    """Return a number for the place of each scene: its glacier, or what its footprint shares.

    Args:
        found: The scenes.
        crs: Of their footprints.
    """
    numbers, turn = dict[str, int](), turn_of(crs)
    views: list[tuple[Polygon, int]] = []
    place = np.empty(len(found), np.int64)
    for index, one in enumerate(found):
        name = same_name(one.glacier)
        known = numbers.get(name) if name else None
        if known is None:
            alike = (seen for view, seen in views if show_one_place(view, one.footprint, turn))
            known = next(alike, index)
        numbers.setdefault(name or f"\0{known}", known)
        views.append((one.footprint, known))
        place[index] = known
    return place


def _named(found: Sequence[Candidate], crs: CRS) -> list[Candidate]:
    """Return scenes; those without a glacier get that of the others of their place."""
    where, names = places(found, crs), dict[int, dict[str, str]]()
    for place, one in zip(where, found, strict=True):
        if one.glacier:
            names.setdefault(place, {}).setdefault(same_name(one.glacier), one.glacier)
    only = {place: "".join(own.values()) for place, own in names.items() if len(own) == 1}
    return [
        replace(one, glacier=one.glacier or only.get(place, ""))
        for place, one in zip(where, found, strict=True)
    ]
