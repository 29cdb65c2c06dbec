"""The model that a training continues from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from affine import Affine

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter
from glacier_qgis.models.fronts.segmentation.adapted import lies_elsewhere
from glacier_qgis.models.package.folder import Model, load_package
from glacier_qgis.models.package.registry import AUTOMATIC, find_model
from glacier_qgis.models.radar.layers.model import DEFAULT, find_layer_model
from glacier_qgis.models.raster.grid import Grid
from glacier_qgis.models.review.tables.corrected import CorrectedScene
from glacier_qgis.models.review.tables.lineage import model_in_use, packages_in_use
from glacier_qgis.wall.same_file import is_same_file


def parent(
    asked: str, review: Path, known: Sequence[CorrectedScene], reporter: Reporter, *, adapt: bool
) -> Model:
    """Return the model to train: the one in use in a review, or the one that predicted its lines.

    Args:
        asked: The name or path of another one; one of `AUTOMATIC` for these.
        review: The GeoPackage.
        known: Its corrected scenes.
        reporter: Receives which one it is, and why.
        adapt: Whether a model of one glacier is wanted.

    Raises:
        EngineError: There is none, it holds other weights than it had, or it is of one glacier, and
            shall be of another or of any.
    """
    name = asked.strip()
    if name.lower() not in AUTOMATIC:
        model, why = load_package(package_of(name)), "as MODEL says"
    elif used := model_in_use(review):
        model = load_package(_at_hand(used.package, "the model in use in this review is"))
        if model.card.weights.sha256 != used.model_hash:
            raise EngineError(
                f"MODEL: {used.package} holds other weights than those of the model in use in this "
                f"review ({used.model_hash[:12]}…). Put that package back, or choose a MODEL."
            )
        why = "the model in use in this review"
    else:
        names = [scene.model.split()[0] for scene in known if scene.model]  # less the version
        name = max(names, key=names.count, default="")
        model = load_package(_at_hand(name, "the lines of this review were predicted by"))
        why = "which made the predictions of this review"
    if model.card.adapted and not adapt:
        raise EngineError(
            f"MODEL: {model.card.name} is a model of one glacier, and knows no other. Train it "
            "with ADAPT, or choose as MODEL the one that it was adapted from."
        )
    reporter.log(f"Continuing from {model.card.name} {model.card.version}, {why}.")
    return model


def check_place(model: Model, scenes: Sequence[CorrectedScene]) -> None:
    """Refuse to adapt a model of one glacier to another.

    Raises:
        EngineError: No scene lies at the model's glacier.
    """
    adapted = model.card.adapted
    if adapted and all(lies_elsewhere(_around(scene), adapted) for scene in scenes):
        raise EngineError(
            f"MODEL: {model.card.name} is a model of another glacier, and knows no other. Choose "
            "as MODEL the one that it was adapted from."
        )


def check_output(output: Path, asked: str, review: Path) -> None:
    """Refuse to write over a package that is still needed.

    Raises:
        EngineError: It is the model in use, the one before, or the one to train.
    """
    given = asked.strip()
    needed = [*packages_in_use(review), *([given] if given.lower() not in AUTOMATIC else [])]
    if any(is_same_file(Path(name).expanduser(), output) for name in needed):
        raise EngineError(
            f"OUTPUT: {output.name} is the package of a model that this review still needs. Choose "
            "another file name, so that it can be brought back."
        )


def package_of(name: str) -> Path:
    """Return the folder of a model by its name or path, also of the one for layers."""
    return find_layer_model(name) if name == DEFAULT else find_model(name)


def _around(scene: CorrectedScene) -> Grid:
    """Return a cell as large as a scene."""
    west, south, east, north = scene.footprint.bounds
    return Grid(scene.crs, Affine(east - west, 0.0, west, 0.0, south - north, north), 1, 1)


def _at_hand(name: str, what: str) -> Path:
    try:
        return package_of(name)
    except EngineError as error:
        raise EngineError(
            f"MODEL: {what} {name}, which is not at hand. Choose its package, or another model."
        ) from error
