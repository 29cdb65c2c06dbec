"""Installation of added models: checked as a whole, then moved to their folder."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Reporter, Result
from glacier_qgis.models.engine.folders import DELIVERED, user_folder
from glacier_qgis.models.engine.job import Job
from glacier_qgis.models.engine.outputs import Outputs
from glacier_qgis.models.package.folder import CARD, load_package, read_card
from glacier_qgis.models.package.registry import open_file

EMULATORS = "emulators"
"""Name of the folder of emulators beside the models."""
EMULATOR_FILES = ("model.h5", "fieldin.dat", "fieldout.dat")
HDF5 = b"\x89HDF\r\n\x1a\n"
MODEL_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
EMULATOR_NAME = rf"{MODEL_NAME}/[1-9][0-9]*"


class InstallModel(Job):
    """Add a model or an emulator to the installed ones."""

    input: Path
    name: str = ""
    overwrite: bool = False

    def run(self, reporter: Reporter, outputs: Outputs) -> Result:
        """Install; returns its ``NAME``, ``KIND`` and ``FOLDER``."""
        source = self.input.expanduser()
        if not source.exists():
            raise EngineError(f"INPUT: {source} does not exist. Choose a file or a folder.")
        emulator = _emulator_folder(source)
        if emulator is not None:
            kind = "emulator"
            name, folder = install_emulator(emulator, self.name, overwrite=self.overwrite)
        else:
            kind = "calving-front model"
            name, folder = install_model(source, self.name, overwrite=self.overwrite)
        reporter.log(f"The {kind} {name} is installed in {folder}.")
        return {"NAME": name, "KIND": kind, "FOLDER": str(folder)}


def install_model(source: Path, name: str = "", *, overwrite: bool = False) -> tuple[str, Path]:
    """Install a calving-front model.

    Args:
        source: A package (zip or folder) or an ONNX file.
        name: Its name; blank for the name in its card.
        overwrite: Replace a model of that name.

    Returns:
        Its name and folder.

    Raises:
        EngineError: It is not a model, is refused, or the name is taken.
    """
    with _workshop() as shop:
        draft = shop / "model"
        if source.is_dir() or source.name == CARD:
            _copy_package(source if source.is_dir() else source.parent, draft)
        else:
            open_file(source, draft)
        model = load_package(draft)
        name = name.strip() or model.card.name
        _check_name(name, MODEL_NAME, "front_1")
        if name == EMULATORS:
            raise EngineError(f"NAME: {name!r} is reserved for emulators. Choose another NAME.")
        if (DELIVERED / name).exists():
            raise EngineError(
                f"NAME: {name!r} is a delivered model and cannot be replaced. Choose another NAME."
            )
        if name != model.card.name:
            card = model.card.model_copy(update={"name": name})
            (draft / CARD).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
        return name, _move(draft, user_folder() / name, name, overwrite=overwrite)


def install_emulator(source: Path, name: str = "", *, overwrite: bool = False) -> tuple[str, Path]:
    """Install an ice-flow emulator.

    Args:
        source: The folder with ``model.h5`` and the two lists of fields, or the package that
            'Train emulator' wrote.
        name: Family and resolution, such as ``f15_mine/100``, or a plain name for a package; blank
            for the names of the folders, or of the package.
        overwrite: Replace an emulator of that name.

    Returns:
        Its name and folder.

    Raises:
        EngineError: It is not an emulator, or the name is taken or has no resolution.
    """
    from glacier_qgis.models.iceflow.emulators.reading import read_core

    if _is_own(source):
        return _install_own(source, name.strip(), overwrite=overwrite)
    resolved = source.resolve()
    name = name.strip() or f"{resolved.parent.name}/{resolved.name}"
    _check_name(name, EMULATOR_NAME, "f15_mine/100")
    with _workshop() as shop:
        draft = shop / "emulator"
        draft.mkdir()
        for part in EMULATOR_FILES:
            if not (source / part).is_file():
                raise EngineError(
                    f"INPUT: {source} has no {part}; an emulator consists of "
                    f"{', '.join(EMULATOR_FILES)}. Choose its folder or the model.h5 in it."
                )
            shutil.copyfile(source / part, draft / part)
        read_core(draft / "model.h5")
        folder = user_folder() / EMULATORS / name
        return name, _move(draft, folder, name, overwrite=overwrite)


def _install_own(source: Path, name: str, *, overwrite: bool) -> tuple[str, Path]:
    """Install an emulator of the plugin's own kinds."""
    from glacier_qgis.models.iceflow.emulators.own_file import WEIGHTS, copy_own
    from glacier_qgis.models.iceflow.emulators.reading import read_core

    name = name or source.stem
    _check_name(name, MODEL_NAME, "my_region")
    if (DELIVERED / EMULATORS / name).exists():
        raise EngineError(
            f"NAME: {name!r} is a delivered emulator and cannot be replaced. Choose another NAME."
        )
    with _workshop() as shop:
        draft = shop / "emulator"
        copy_own(source if source.is_file() else source / WEIGHTS, draft)
        read_core(draft / WEIGHTS)
        folder = user_folder() / EMULATORS / name
        return name, _move(draft, folder, name, overwrite=overwrite)


def _is_own(source: Path) -> bool:
    """Return whether a zip or folder is an emulator of the plugin's own kinds."""
    from glacier_qgis.models.iceflow.emulators.own_file import holds_emulator

    return holds_emulator(source)


def _emulator_folder(source: Path) -> Path | None:
    """Return the folder or package of an emulator, or None for other files."""
    if _is_own(source):
        return source
    if source.is_dir():
        return source if (source / "model.h5").is_file() else None
    with source.open("rb") as file:
        return source.parent if file.read(len(HDF5)) == HDF5 else None


def _copy_package(source: Path, target: Path) -> None:
    """Copy only the files that belong to a package."""
    card = read_card(source)
    files = [source / weights.file for weights in card.all_weights]
    for path in files:
        if not path.is_file() or path.is_symlink():
            raise EngineError(f"INPUT: {path} is missing or a link. Get the package again.")
    target.mkdir()
    for path in (source / CARD, *files):
        shutil.copyfile(path, target / path.name)


def _check_name(name: str, pattern: str, example: str) -> None:
    if not re.fullmatch(pattern, name):
        raise EngineError(
            f"NAME: {name!r} is not valid. Use letters, digits, '_', '.' and '-', as in "
            f"'{example}'."
        )


@contextmanager
def _workshop() -> Iterator[Path]:
    """Create a hidden temporary folder beside the models, and remove it afterwards."""
    base = user_folder()
    base.mkdir(parents=True, exist_ok=True)
    shop = Path(tempfile.mkdtemp(prefix=".install-", dir=base))
    try:
        yield shop
    finally:
        shutil.rmtree(shop, ignore_errors=True)


def _move(draft: Path, folder: Path, name: str, *, overwrite: bool) -> Path:
    """Move a finished folder to its place; an old one is removed only after that."""
    if folder.exists():
        if not overwrite:
            raise EngineError(
                f"NAME: {name!r} is already installed ({folder}). Choose another NAME, or set "
                "OVERWRITE."
            )
        old = folder.replace(draft.parent / "old")
        try:
            draft.replace(folder)
        except OSError:
            old.replace(folder)
            raise
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(folder)
    return folder
