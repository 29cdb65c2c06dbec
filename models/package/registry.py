"""The installed models: delivered and added ones."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.folders import DELIVERED, user_folder
from glacier_qgis.models.package.archive import unpack
from glacier_qgis.models.package.cache import UnpackedPackages
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import CARD, file_hash, read_card

DEFAULT_MODEL = "caffe_unet"
AUTOMATIC = ("", "automatic")
"""Values of MODEL for an automatic choice."""


def installed_models() -> dict[str, Path]:
    """Return the folder of each model by name; delivered ones have priority."""
    return {
        card.parent.name: card.parent
        for folder in (user_folder(), DELIVERED)
        for card in sorted(folder.glob(f"[!.]*/{CARD}"))
    }


def readable(folders: Iterable[Path]) -> Iterator[tuple[Path, ModelCard]]:
    """Yield packages with their cards, less those of another program and damaged ones.

    These are reported when they are requested.
    """
    for folder in folders:
        with suppress(EngineError):
            yield folder, read_card(folder)


def find_model(name_or_path: str) -> Path:
    """Return the folder of a model.

    Args:
        name_or_path: A name, the path of a package (folder or zip) or of an ONNX model; one of
            `AUTOMATIC` for the default model.

    Raises:
        EngineError: There is no such model, or the file is not a model.
    """
    wanted = name_or_path.strip()
    if wanted.lower() in AUTOMATIC:
        wanted = DEFAULT_MODEL
    models = installed_models()
    if wanted in models:
        return models[wanted]
    path = Path(wanted).expanduser()
    if (path / CARD).is_file():
        return path
    if path.name == CARD and path.is_file():
        return path.parent
    if path.is_file():
        return _opened(path)
    names = ", ".join(sorted(models)) or "none"
    raise EngineError(
        f"There is no model {wanted!r}. Installed: {names}. Choose one of them, or a model "
        f"package (a zip, or the folder with {CARD} in it) or an ONNX model."
    )


def _opened(path: Path) -> Path:
    """Return the package folder of a file, unpacked when the file is first used."""
    cache = UnpackedPackages(user_folder() / ".opened")
    folder = cache.folder / file_hash(path)
    if not (folder / CARD).is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            open_file(path, folder)
        except OSError:
            if not (folder / CARD).is_file():  # unless another process was faster
                raise
    cache.used(folder)
    return folder


def open_file(path: Path, folder: Path) -> None:
    """Make a package folder of a zip or an ONNX file.

    Raises:
        EngineError: It is neither of them, or is refused.
    """
    if zipfile.is_zipfile(path) or path.suffix.lower() == ".zip":
        unpack(path, folder)
        return
    from glacier_qgis.models.package.onnx_card import import_onnx

    import_onnx(path, folder)
