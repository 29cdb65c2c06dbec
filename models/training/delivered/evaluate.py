"""Evaluation of a model on labelled scenes, with the jobs of the product."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from shapely import LineString
from skimage.morphology import thin

from glacier_qgis.models.engine.events import Reporter, Silent
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries
from glacier_qgis.models.fronts.scene.names import parse_scene_name
from glacier_qgis.models.fronts.termini.metrics import (
    front_distances,
    mask_lines,
    mean_distance_error,
    reference_box,
    zone_confusion,
    zone_iou,
)
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.vector.lines import clip_lines, line_parts
from glacier_qgis.models.zones.codes import CLASS_NAMES, NO_DATA, NOT_PROCESSED

SPACING_M = 60.0
"""Spacing of the points at which distances are measured."""

STAND_IN_CRS = "EPSG:3031"
"""The images have no position, only a pixel size, so any metric CRS is suitable."""


@dataclass(frozen=True)
class SceneResult:
    """One scene, labelled and predicted.

    Attributes:
        zones: Predicted codes, (rows, columns) of the model's grid.
        truth: Labelled codes on the same cells.
        lines: Predicted fronts, m, in the substitute CRS.
        reference: Digitised fronts.
    """

    zones: npt.NDArray[np.uint8]
    truth: npt.NDArray[np.uint8]
    lines: list[LineString]
    reference: list[LineString]


def evaluate(
    package: Path, scenes: Sequence[LabelledScene], reporter: Reporter
) -> dict[str, float | int]:
    """Evaluate a model package on scenes that were not used for its training.

    Front distances are averaged over the points of all images (see `metrics`), once for all
    predicted fronts (``scene``) and once for those in the box around the labelled front (``box``),
    because ocean also meets unlabelled ice.

    Returns:
        Numbers by name; names end in the unit.
    """
    counts = np.zeros((len(CLASS_NAMES), len(CLASS_NAMES) + 1), np.int64)
    fronts = []
    for index, scene in enumerate(scenes):
        result = predict(package, scene)
        counts += zone_confusion(result.zones, result.truth, list(CLASS_NAMES))
        fronts.append((result.lines, result.reference))
        reporter.progress((index + 1) / len(scenes), f"Evaluating: {scene.name}")
    values = front_values(fronts)
    present = counts.sum(axis=1) > 0
    overlap = dict(zip(CLASS_NAMES.values(), zone_iou(counts), strict=True))
    for name in np.asarray(list(CLASS_NAMES.values()))[present]:
        values[f"iou_{name.replace(' ', '_')}"] = round(float(overlap[name]), 4)
    values["mean_iou"] = round(float(zone_iou(counts)[present].mean()), 4)
    return values


def evaluate_series(
    package: Path, scenes: Sequence[LabelledScene], reporter: Reporter
) -> dict[str, float | int]:
    """Evaluate a model package on a time series of one place, with temporal consistency.

    Args:
        package: The model.
        scenes: Of one place, with the same corners.
        reporter: Receives progress.

    Returns:
        The front distances of `evaluate`.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "scenes").mkdir()
        references = {
            parse_scene_name(scene.name).image_id: reference_lines(
                scene, write_scene(scene, folder / "scenes" / f"{scene.name}.tif")
            )
            for scene in scenes
        }
        with Outputs("00000000") as outputs:
            parameters = {
                "folder": folder / "scenes",
                "model": str(package),
                "work_folder": folder / "work",
                "output": folder / "termini.gpkg",
            }
            TerminusTimeSeries.model_validate(parameters).run(reporter, outputs)
        frame = gpd.read_file(folder / "termini.gpkg")
        return front_values(
            [
                (line_parts(frame.geometry[frame["image_id"] == image]), reference)
                for image, reference in references.items()
            ]
        )


@dataclass(frozen=True)
class ImageDistances:
    """Distances between predicted and labelled fronts of one image, m; see `front_distances`.

    Attributes:
        whole: Of all predicted fronts.
        boxed: Of those in the box around the labelled front.
    """

    whole: npt.NDArray[np.float64]
    boxed: npt.NDArray[np.float64]

    @classmethod
    def of(cls, lines: list[LineString], reference: list[LineString]) -> ImageDistances:
        """Measure them."""
        inside = clip_lines(lines, reference_box(reference))
        return cls(
            front_distances(lines, reference, SPACING_M),
            front_distances(inside, reference, SPACING_M),
        )


def front_values(
    fronts: Sequence[tuple[list[LineString], list[LineString]]],
) -> dict[str, float | int]:
    """Return the front distances of predicted and labelled lines, one pair per image."""
    return pooled_values([ImageDistances.of(*pair) for pair in fronts])


def pooled_values(images: Sequence[ImageDistances]) -> dict[str, float | int]:
    """Return the front distances of all images together."""
    values: dict[str, float | int] = {"images": len(images)}
    boxed, whole = [image.boxed for image in images], [image.whole for image in images]
    for name, distances in {"box": boxed, "scene": whole}.items():
        error = mean_distance_error(distances)
        values[f"mde_{name}_m"] = round(error.mean_m, 1)
        values[f"median_over_images_{name}_m"] = round(error.median_m, 1)
        values[f"missed_{name}"] = error.missed
    return values


def reference_lines(scene: LabelledScene, transform: Affine) -> list[LineString]:
    """Return the digitised front as lines."""
    return mask_lines(thin(scene.traced), transform)  # type: ignore[no-untyped-call]


def predict(package: Path, scene: LabelledScene) -> SceneResult:
    """Delineate the termini of a labelled scene with the job of the toolbox."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        transform = write_scene(scene, folder / "scene.tif")
        with Outputs("00000000") as outputs:
            parameters = {
                "input": RasterInput(path=str(folder / "scene.tif")),
                "model": str(package),
                "output": folder / "termini.gpkg",
                "zones": folder / "zones.tif",
            }
            DelineateTermini.model_validate(parameters).run(Silent(), outputs)
        frame = gpd.read_file(folder / "termini.gpkg")
        with rasterio.open(folder / "zones.tif") as dataset:
            zones = dataset.read(1)
            truth = _on_cells(scene.zones, ~transform @ dataset.transform, zones.shape)
    return SceneResult(
        zones=np.where(zones == NOT_PROCESSED, NO_DATA, zones).astype(np.uint8),
        truth=truth,
        lines=line_parts(frame.geometry),
        reference=reference_lines(scene, transform),
    )


def write_scene(scene: LabelledScene, path: Path) -> Affine:
    """Write the image with its true pixel size; return the transform."""
    transform = Affine.scale(scene.cell_size[0], -scene.cell_size[1])
    height, width = scene.image.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        dtype="uint8",
        count=1,
        height=height,
        width=width,
        crs=STAND_IN_CRS,
        transform=transform,
    ) as dataset:
        dataset.write(scene.image, 1)
    return transform


def _on_cells(
    zones: npt.NDArray[np.uint8], to_pixels: Affine, shape: tuple[int, int]
) -> npt.NDArray[np.uint8]:
    """Sample labels at the centres of cells; 0 outside the image."""
    rows, columns = np.indices(shape) + 0.5
    x, y = to_pixels @ (columns, rows)
    row, column = np.floor(y).astype(int), np.floor(x).astype(int)
    inside = (row >= 0) & (row < zones.shape[0]) & (column >= 0) & (column < zones.shape[1])
    sampled = zones[row.clip(0, zones.shape[0] - 1), column.clip(0, zones.shape[1] - 1)]
    return np.where(inside, sampled, 0).astype(np.uint8)
