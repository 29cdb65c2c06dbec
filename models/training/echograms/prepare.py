"""A training data set of echograms with lines, in the format of those of scenes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Stage
from glacier_qgis.models.engine.job import RasterInput, VectorInput
from glacier_qgis.models.package.folder import file_hash
from glacier_qgis.models.radar.echogram.axes import Axes, axes_path
from glacier_qgis.models.radar.echogram.lines import LayerLine, read_lines_of
from glacier_qgis.models.radar.echogram.raster import open_echogram
from glacier_qgis.models.radar.layers.codes import CLASS_NAMES
from glacier_qgis.models.training.data.card import DatasetCard, TileEntry
from glacier_qgis.models.training.echograms.frames import EchogramView, LineLabels
from glacier_qgis.models.training.preparation.scenes import SceneFile
from glacier_qgis.models.training.preparation.split import SplitRule, SplitScene, split_scenes
from glacier_qgis.models.training.preparation.summary import write_card
from glacier_qgis.models.training.preparation.writer import Assignment, CutScene, TileWriter

BANDS = [1, 2]
"""Contrast and level; the mask is not stored."""


def is_echogram(source: RasterInput) -> bool:
    """Return whether a raster is an echogram: its axes lie beside it."""
    return axes_path(Path(source.path)).is_file()


def prepare_echograms(
    sources: Sequence[RasterInput],
    lines: VectorInput,
    writer: TileWriter,
    rule: SplitRule,
    name: str,
    *,
    complete: bool,
    reporter: Reporter,
) -> tuple[DatasetCard, list[TileEntry]]:
    """Cut echograms into tiles and write index and card.

    Frames of one segment are a group: they show the same layers.

    Args:
        sources: The echograms.
        lines: Surface, bed and layers that a person drew or corrected.
        writer: Writes into the data set's folder.
        rule: How segments are split.
        name: Of the data set.
        complete: Whether every layer of the frames is among the lines.
        reporter: Receives messages and warnings.

    Raises:
        EngineError: No line lies in an echogram, or segments cannot be split.
    """
    frames = [_axes(source) for source in sources]
    drawn: dict[str, list[LayerLine]] = defaultdict(list)
    for line in read_lines_of(lines, "LABEL_LINES", [axes.frame_id for axes in frames]):
        drawn[line.frame_id].append(line)
    cut: list[CutScene] = []
    groups: dict[str, str] = {}
    for number, (source, axes) in enumerate(zip(sources, frames, strict=True)):
        if not drawn[axes.frame_id]:
            reporter.warning(f"{axes.frame_id} has no line and was left out.")
            continue
        stage = Stage(reporter, number / len(frames), (number + 1) / len(frames))
        with open_echogram(source) as echogram:
            view = EchogramView(echogram)
            labels = LineLabels(drawn[axes.frame_id], view.grid.shape, complete=complete)
            day = axes.day.isoformat() if axes.day else ""
            file = SceneFile(source, axes.frame_id, axes.frame_id, day)
            digest = file_hash(Path(source.path))
            found = writer.cut_view(file, view, view.grid, labels, digest, stage)
        if found.tiles:
            cut.append(found)
            groups[axes.frame_id] = axes.segment_id or axes.frame_id
    if not cut:
        raise EngineError(
            "No line lies in an echogram with data. Choose the lines that belong to the echograms."
        )
    split = split_scenes(
        [
            SplitScene(scene.file.name, groups[scene.file.name], scene.file.date, len(scene.tiles))
            for scene in cut
        ],
        rule,
    )
    if split.warning:
        reporter.warning(split.warning)
    assigned = {frame: Assignment(groups[frame], part) for frame, part in split.parts.items()}
    return write_card(
        writer.folder, name, writer, cut, assigned, CLASS_NAMES, "lines", by_date=split.by_date
    )


def _axes(source: RasterInput) -> Axes:
    if not is_echogram(source):
        raise EngineError(
            f"INPUT: {source.shown} is no echogram (it has no axes beside it), but others are. "
            "Choose echograms alone, or scenes alone."
        )
    return Axes.read(Path(source.path))
