"""The job `preparetrainingdata`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result, Stage
from glacier_qgis.models.engine.job import (
    Job,
    LayerInput,
    RasterInput,
    Seed,
    VectorInput,
    blank_is_none,
)
from glacier_qgis.models.engine.listing import listed
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.segmentation.rock import known_rock
from glacier_qgis.models.raster.footprint import work_grid
from glacier_qgis.models.raster.source import open_raster
from glacier_qgis.models.training.data.card import PARTS, DatasetCard
from glacier_qgis.models.training.echograms.prepare import is_echogram
from glacier_qgis.models.training.jobs import echograms
from glacier_qgis.models.training.preparation.groups import Grouping, read_group_table
from glacier_qgis.models.training.preparation.label_rasters import RasterLabels
from glacier_qgis.models.training.preparation.labels import FrontLabels, Labels, PolygonLabels
from glacier_qgis.models.training.preparation.leakage import find_leakage
from glacier_qgis.models.training.preparation.missing import missing_fronts, missing_in_parts
from glacier_qgis.models.training.preparation.scenes import (
    SceneFile,
    coarsest_cell,
    common_bands,
    scene_files,
)
from glacier_qgis.models.training.preparation.split import (
    Split,
    SplitRule,
    SplitScene,
    joined_groups,
    split_scenes,
)
from glacier_qgis.models.training.preparation.summary import write_card
from glacier_qgis.models.training.preparation.writer import Assignment, CutScene, TileWriter
from glacier_qgis.models.training.publishing.describe import CELL_SIZE_M
from glacier_qgis.models.zones.codes import CLASS_NAMES, GLACIER, OCEAN
from glacier_qgis.models.zones.names import class_title


def _words(value: object) -> object:
    """Split text at its commas."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Bands = Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(_words)]
Percent = Annotated[float, Field(ge=0, le=90)]


class PrepareTrainingData(Job):
    """Cut scenes and labels into a training data set."""

    input: list[RasterInput]
    label_polygons: VectorInput | None = None
    class_field: str = ""
    label_lines: VectorInput | None = None
    line_reach: float = Field(default=1000, ge=1)
    complete: bool = False
    label_rasters: list[RasterInput] = Field(default_factory=list)
    rock: LayerInput | None = None
    scene_field: str = ""
    group_field: str = ""
    group_table: Annotated[Path | None, BeforeValidator(blank_is_none)] = None
    bands: Bands = ()
    cell_size: float | None = Field(default=None, ge=0.01, le=10_000)
    tile_size: int = Field(default=256, ge=32, le=4096)
    stride: int | None = Field(default=None, ge=1, le=4096)
    validation_groups: Words = ()
    test_groups: Words = ()
    validation_share: Percent = 20
    test_share: Percent = 0
    seed: Seed = 1
    output: Path

    @model_validator(mode="after")
    def _consistent(self) -> PrepareTrainingData:
        given = [self.label_polygons, self.label_lines, self.label_rasters or None]
        if sum(kind is not None for kind in given) != 1:
            raise ValueError("Give exactly one of LABEL_POLYGONS, LABEL_LINES and LABEL_RASTERS.")
        if self.label_polygons and not self.class_field:
            raise ValueError("CLASS_FIELD: name the field of LABEL_POLYGONS that holds the class.")
        if self.stride and self.stride > self.tile_size:
            raise ValueError(
                f"STRIDE: {self.stride} is more than TILE_SIZE ({self.tile_size}), which would "
                "leave gaps between tiles. Choose a smaller one."
            )
        if self.validation_share + self.test_share > 90:
            raise ValueError(
                "VALIDATION_SHARE and TEST_SHARE leave less than one tenth for training: lower "
                "one of them."
            )
        return self

    @property
    def kind(self) -> Literal["polygons", "lines", "rasters"]:
        """The kind of labels."""
        if self.label_polygons:
            return "polygons"
        return "lines" if self.label_lines else "rasters"

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """See the base class."""
        if self.input and is_echogram(self.input[0]):
            return echograms.prepare(self, self._rule(), reporter, outputs)
        scenes = scene_files(self.input)
        bands = common_bands(scenes, self.bands)
        cell_size = self.cell_size or max(CELL_SIZE_M, coarsest_cell(scenes))
        labels = self._labels(scenes)
        for line in labels.told:
            reporter.log(line)
        draft = outputs.stage_folder(self.output)
        writer = TileWriter(
            draft, bands, self.tile_size, self.stride or self.tile_size, rock=bool(self.rock)
        )
        reporter.log(f"Tiles of {self.tile_size} × {self.tile_size} cells of {cell_size:g} m.")
        grouping = Grouping(labels, read_group_table(self.group_table) if self.group_table else {})
        cut, groups = self._cut(scenes, labels, grouping, writer, cell_size, reporter)
        if self.rock:
            writer.rock_count.check(reporter, "the labelled tiles")
        names = _classes(cut, labels)
        joined = joined_groups(groups.items())
        split = self._split(cut, joined)
        assignments = {name: Assignment(joined[name], part) for name, part in split.parts.items()}
        card, tiles = write_card(
            draft,
            self.output.name,
            writer,
            cut,
            assignments,
            names,
            self.kind,
            by_date=split.by_date,
        )
        warnings = [*self._ignored(), *labels.doubts, *grouping.doubts(groups), *_foreign(names)]
        warnings += [split.warning] if split.warning else []
        warnings += [*missing_in_parts(card.statistics), *missing_fronts(card)]
        warnings += find_leakage(card, tiles)
        if labels.contested:
            warnings.append(
                f"{labels.contested} cells are in polygons of different classes and were left "
                "unlabelled. Correct overlapping polygons if these are many."
            )
        for warning in warnings:
            reporter.warning(warning)
        _tell(card, writer, reporter)
        return {
            "OUTPUT": str(self.output),
            "SCENES": len(cut),
            "TILES": len(tiles),
            **{f"{part.upper()}_TILES": card.statistics.tiles[part] for part in PARTS},
            "SKIPPED": writer.skipped.unlabelled + writer.skipped.void,
            "WARNINGS": len(warnings),
        }

    def _ignored(self) -> list[str]:
        """Warn of parameters without effect."""
        given = {
            "CLASS_FIELD": self.class_field and not self.label_polygons,
            "SCENE_FIELD": self.scene_field and self.label_rasters,
            "GROUP_FIELD": self.group_field and (self.label_rasters or self.group_table),
        }
        names = [name for name, idle in given.items() if idle]
        if not names:
            return []
        groups = " with a GROUP_TABLE" if self.group_table else ""
        return [f"{' and '.join(names)}: not used, as labels are {self.kind}{groups}."]

    def _labels(self, scenes: list[SceneFile]) -> Labels:
        if self.label_polygons:
            return PolygonLabels(
                self.label_polygons, self.class_field, scenes, self.scene_field, self.group_field
            )
        if self.label_lines:
            return FrontLabels(
                self.label_lines, self.line_reach, scenes, self.scene_field, self.group_field
            )
        return RasterLabels(self.label_rasters, scenes)

    def _cut(
        self,
        scenes: list[SceneFile],
        labels: Labels,
        grouping: Grouping,
        writer: TileWriter,
        cell_size: float,
        reporter: Reporter,
    ) -> tuple[list[CutScene], dict[str, frozenset[str]]]:
        """Cut every labelled scene; return those with tiles, and their groups."""
        cut, groups, bare = [], {}, []
        for number, file in enumerate(scenes):
            with _naming(file), open_raster(file.source) as scene:
                grid = work_grid(scene, None, cell_size)
                with labels.of(file, grid.crs) as own:
                    if own is None:
                        bare.append(file.name)
                        continue
                    named = grouping.of(file)
                    stage = Stage(reporter, number / len(scenes), (number + 1) / len(scenes))
                    with known_rock(self.rock, grid) if self.rock else nullcontext() as rock:
                        found = writer.cut(file, scene, grid, own, stage, rock)
            if found.tiles:
                cut.append(found)
                groups[file.name] = named
            else:
                bare.append(file.name)
        if not cut:
            raise EngineError(
                f"No label overlaps a valid part of a scene ({listed(bare)}). Check that labels "
                "and scenes show the same place, that their CRS are correct, and the values of "
                "SCENE_FIELD."
            )
        if bare:
            reporter.warning(
                f"{len(bare)} scene(s) have no label and were left out: {listed(bare)}."
            )
        return cut, groups

    def _split(self, cut: list[CutScene], groups: dict[str, str]) -> Split:
        return split_scenes(
            [
                SplitScene(
                    scene.file.name, groups[scene.file.name], scene.file.date, len(scene.tiles)
                )
                for scene in cut
            ],
            self._rule(),
        )

    def _rule(self) -> SplitRule:
        return SplitRule(
            groups={"validation": self.validation_groups, "test": self.test_groups},
            shares={"validation": self.validation_share / 100, "test": self.test_share / 100},
            seed=self.seed,
        )


@contextmanager
def _naming(file: SceneFile) -> Iterator[None]:
    """Add the scene's name to errors."""
    try:
        yield
    except EngineError as error:
        named = str(error) if file.name in str(error) else f"Scene {file.name}: {error}"
        raise EngineError(named) from error


def _foreign(names: Mapping[int, str]) -> list[str]:
    """Warn of classes on which 'Train model' cannot train."""
    own = [name for code, name in names.items() if code not in CLASS_NAMES]
    if not own:
        return []
    return [
        f"'Train model' does not support the classes {', '.join(own)}, only "
        f"{', '.join(CLASS_NAMES.values())}. Rename them, or leave their polygons out."
    ]


def _classes(cut: list[CutScene], labels: Labels) -> dict[int, str]:
    codes = {code for scene in cut for tile in scene.tiles for code in tile.pixels}
    names = {code: class_title(code, labels.names.get(code, [])) for code in sorted(codes)}
    lacking = [CLASS_NAMES[code] for code in (GLACIER, OCEAN) if code not in codes]
    if lacking:
        raise EngineError(
            f"The labels have no class {' and '.join(lacking)}, only {', '.join(names.values())}. "
            "A front needs both: label 'glacier' and 'ocean' (or 3 and 4)."
        )
    return names


def _tell(card: DatasetCard, writer: TileWriter, reporter: Reporter) -> None:
    for part in PARTS:
        groups = sorted({scene.group for scene in card.scenes if scene.part == part})
        if groups:
            reporter.log(
                f"{part.capitalize()}: {card.statistics.tiles[part]} tiles of {', '.join(groups)}, "
                f"{card.statistics.front_m[part] / 1000:.1f} km of front."
            )
    skipped = writer.skipped
    reporter.log(
        f"Skipped {skipped.unlabelled} tiles without a label and {skipped.void} without data."
    )
