"""One id along a whole layer: lines of two tracks are one where these cross."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS

from glacier_qgis.models.radar.echogram.axes import Axes
from glacier_qgis.models.radar.layers.codes import LAYER, SURFACE
from glacier_qgis.models.radar.layers.peaks import Array
from glacier_qgis.models.radar.layers.trace import Segment
from glacier_qgis.models.radar.layers.tracker import Line
from glacier_qgis.models.raster.crs import read_crs, transformer

CHUNK = 64
"""Traces of a piece of track for which crossings are looked up."""

Traces = npt.NDArray[np.int64]
Key = tuple[int, int]
"""A line: the number of its run of frames, and its own."""


@dataclass(frozen=True)
class Run:
    """Frames that follow each other, with the lines through them."""

    frames: Sequence[Axes]
    segment: Segment

    def layers_at(self, trace: int) -> tuple[list[Line], Array]:
        """Return the layers at a trace and their travel times below the surface, s, ascending."""
        frame = int(np.searchsorted(self.segment.starts, trace, side="right")) - 1
        axes, inside = self.frames[frame], trace - self.segment.starts[frame]
        found = [
            (float(axes.times(inside, row)) - self._surface(axes, trace, inside), line)
            for line in self.segment.lines[LAYER]
            if np.isfinite(row := line.across(trace, trace + 1)[0])
        ]
        found.sort(key=lambda each: each[0])
        return [line for _, line in found], np.array([time for time, _ in found])

    def _surface(self, axes: Axes, trace: int, inside: int) -> float:
        for line in self.segment.lines[SURFACE]:
            row = line.across(trace, trace + 1)[0]
            if np.isfinite(row):
                return float(axes.times(inside, row))
        return float(axes.surface_at(inside))


def same_layers(tracks: Sequence[Run], samples: float) -> list[set[Key]]:
    """Return which lines are one layer, by the crossings of their tracks.

    At a crossing, lines belong together whose depths below the surface are nearest to each other.
    Lines that lie above each other anywhere stay apart.

    Args:
        tracks: All runs of frames.
        samples: Largest difference of depth, samples of the finer of both frames.
    """
    groups: dict[Key, set[Key]] = {
        (run, line.number): {(run, line.number)}
        for run, track in enumerate(tracks)
        for line in track.segment.lines[LAYER]
    }
    spans = {
        (run, line.number): (line.traces[0], line.traces[-1])
        for run, track in enumerate(tracks)
        for line in track.segment.lines[LAYER]
    }
    for (one, at), (two, there) in crossings(tracks):
        lines, depths = tracks[one].layers_at(at)
        others, below = tracks[two].layers_at(there)
        interval = min(axes.sample_interval for run in (one, two) for axes in tracks[run].frames)
        for first, second in _nearest(depths, below, samples * interval):
            left = groups[one, lines[first].number]
            right = groups[two, others[second].number]
            if left is not right and not _overlap(left, right, spans):
                left |= right
                for key in right:
                    groups[key] = left
    return [set(group) for group in {id(group): group for group in groups.values()}.values()]


def _nearest(depths: Array, below: Array, farthest: float) -> Iterator[tuple[int, int]]:
    """Yield pairs that are nearest to each other, at most so far apart; they keep their order."""
    if not depths.size or not below.size:
        return
    away = np.abs(depths[:, None] - below)
    for first, second in enumerate(away.argmin(axis=1)):
        if away[:, second].argmin() == first and away[first, second] <= farthest:
            yield first, int(second)


def _overlap(left: set[Key], right: set[Key], spans: dict[Key, tuple[int, int]]) -> bool:
    """Whether two lines of one run of frames have a trace in common."""
    return any(
        one[0] == two[0] and spans[one][0] <= spans[two][1] and spans[two][0] <= spans[one][1]
        for one in left
        for two in right
    )


def crossings(tracks: Sequence[Run]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Yield where tracks cross each other or themselves: run and trace of both."""
    chunks: list[tuple[int, Traces]] = []
    shapes: list[shapely.LineString] = []
    for run, places in enumerate(_projected(tracks)):
        known = np.flatnonzero(np.isfinite(places).all(axis=1))
        for first in range(0, known.size - 1, CHUNK):
            part = known[first : first + CHUNK + 1]
            if part.size > 1:
                chunks.append((run, part))
                shapes.append(shapely.LineString(places[part]))
    for one, two in combinations_of_near(shapes):
        if chunks[one][0] == chunks[two][0] and abs(one - two) < 2:
            continue  # neighbours meet, they do not cross
        for point in shapely.get_coordinates(shapely.intersection(shapes[one], shapes[two])):
            yield tuple(_trace_at(shapes[each], *chunks[each], point) for each in (one, two))  # type: ignore[misc]


def combinations_of_near(shapes: Sequence[shapely.LineString]) -> Iterator[tuple[int, int]]:
    """Yield each pair of shapes that meet, once."""
    if not shapes:
        return
    tree = shapely.STRtree(shapes)
    for one, two in tree.query(shapes, predicate="intersects").T:
        if one < two:
            yield int(one), int(two)


def _trace_at(shape: shapely.LineString, run: int, traces: Traces, point: Array) -> tuple[int, int]:
    places = shapely.get_coordinates(shape)
    nearest = np.hypot(*(places - point).T).argmin()
    return run, int(traces[nearest])


def _projected(tracks: Sequence[Run]) -> list[Array]:
    """Return the places of the traces of each run, (traces, 2) m, NaN where unknown."""
    lonlat = []
    for track in tracks:
        parts = [
            np.column_stack([axes.longitude, axes.latitude])
            if axes.longitude is not None and axes.latitude is not None
            else np.full((axes.traces, 2), np.nan)
            for axes in track.frames
        ]
        lonlat.append(np.concatenate(parts))
    known = [places[np.isfinite(places).all(axis=1)] for places in lonlat]
    first = next((places[0] for places in known if len(places)), None)
    if first is None:
        return lonlat
    local = CRS.from_dict({"proj": "aeqd", "lon_0": first[0], "lat_0": first[1]})
    project = transformer(read_crs(4326, "The track"), local)
    moved = []
    for places in lonlat:
        x, y = project.transform(places[:, 0], places[:, 1])
        at = np.column_stack([x, y])
        moved.append(np.where(np.isfinite(at) & np.isfinite(places), at, np.nan))
    return moved
