"""A model package as one file: a zip with the STAC item, the card and the weights.

An archive comes from anywhere, so nothing is written before its list of members has been
judged, and nothing is kept before every hash has been found right.
"""

from __future__ import annotations

import errno
import json
import lzma
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.package import CARD, MAX_CARD_BYTES, file_hash, read_card
from glacier_qgis.models.package.stac import MULTIHASH_SHA256, stac_item

ITEM = "item.json"
MAX_WEIGHTS_BYTES = 4 << 30
MAX_RATIO = 100
"""How many times larger than in the archive a member may become; weights shrink by a tenth."""
CHUNK = 1 << 20
PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib", ".npy", ".npz")
WEIGHTS = (".safetensors", ".onnx")
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every member, so that equal packages are equal files."""
ENCRYPTED = 0x1


def pack(folder: Path, archive: Path) -> ModelCard:
    """Write a package folder as one zip; equal packages give equal bytes.

    Args:
        folder: A model package.
        archive: The file to write.

    Returns:
        The card of the package.

    Raises:
        EngineError: The folder is no package, or its weights are not those of its card.
    """
    card = read_card(folder)
    weights = folder / card.weights.file
    if not weights.is_file() or file_hash(weights) != card.weights.sha256:
        raise EngineError(
            f"{weights} is missing or not what {CARD} beside it describes: get the package again."
        )
    item = json.dumps(stac_item(card), indent=2, ensure_ascii=False) + "\n"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(_member(ITEM), item.encode())
        file.writestr(_member(CARD), (folder / CARD).read_bytes())
        member = _member(weights.name)
        member.file_size = weights.stat().st_size
        with weights.open("rb") as source, file.open(member, "w") as target:
            shutil.copyfileobj(source, target, CHUNK)
    return card


def unpack(archive: Path, folder: Path) -> ModelCard:
    """Write the package of a zip as a folder, whole or not at all.

    Args:
        archive: The zip; trusted in nothing.
        folder: To create; must not exist.

    Returns:
        The card of the package.

    Raises:
        EngineError: The archive is damaged or hostile, with the name of what is wrong; or the
            folder exists.
    """
    if folder.exists():
        raise EngineError(f"{folder} exists already: choose a new folder for the model package.")
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with _opened(archive) as file:
            for member in _judge(archive, file.infolist()):
                _extract(archive, file, member, draft / member.filename)
        card = _check(archive, draft)
        draft.chmod(0o755)
        draft.replace(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return card


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip, and call whatever its damage makes of it by one name."""
    try:
        with zipfile.ZipFile(archive) as file:
            yield file
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError) as error:
        damage: Exception = error
    except (ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # of the disk, not of the data
        damage = error
    else:
        return
    raise EngineError(
        f"{archive} is not a whole zip file ({damage}): get the package again."
    ) from damage


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, EPOCH)
    member.create_system = 3  # Unix, on every system
    member.external_attr = (stat.S_IFREG | 0o644) << 16
    return member


def _judge(archive: Path, members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Return the members of an archive that holds what a package holds, and nothing else."""
    seen: set[str] = set()
    for member in members:
        problem = _problem(member, seen)
        if problem:
            raise EngineError(
                f"{archive} was refused: its member {member.orig_filename!r} {problem}. Do not "
                "use it; get the package from whoever made the model."
            )
        seen.add(member.filename)
    weights = [name for name in seen if name.endswith(WEIGHTS)]
    missing = [name for name in (ITEM, CARD) if name not in seen]
    missing += [] if weights else ["weights.safetensors"]
    if missing or len(weights) > 1:
        fault = f"lacks {', '.join(missing)}" if missing else f"holds {', '.join(sorted(weights))}"
        raise EngineError(
            f"{archive} is no model package: it {fault}. A package holds {ITEM}, {CARD} and one "
            "file of weights; make it with 'Export model'."
        )
    return members


def _problem(member: zipfile.ZipInfo, seen: set[str]) -> str:
    """Say why a member must not be unpacked; blank if it may."""
    name = member.orig_filename
    limit = MAX_WEIGHTS_BYTES if name.endswith(WEIGHTS) else MAX_CARD_BYTES
    kind = stat.S_IFMT(member.external_attr >> 16)
    windows = PureWindowsPath(name)
    if windows.drive or windows.root or PurePosixPath(name).is_absolute():
        return "has an absolute path"
    if ".." in windows.parts:
        return "leads out of the package's folder"
    if kind not in (0, stat.S_IFREG):
        return "is a link or a special file" if kind != stat.S_IFDIR else "is a folder"
    if name.lower().endswith(PICKLES):
        return "is of a kind that can hold a pickle, which runs code when it is opened"
    if name in seen:
        return "is there twice"
    if name not in (ITEM, CARD) and (len(windows.parts) != 1 or not name.endswith(WEIGHTS)):
        return "is nothing that a model package holds"
    if member.flag_bits & ENCRYPTED:
        return "is encrypted"
    if member.file_size > limit:
        size = member.file_size / 2**20
        return f"would grow to {size:.0f} MiB, more than the {limit >> 20} MiB that it may have"
    if member.file_size > MAX_RATIO * max(member.compress_size, 1):
        ratio = member.file_size / max(member.compress_size, 1)
        return f"would grow {ratio:.0f} times, more than the {MAX_RATIO} times of honest data"
    return ""


def _extract(archive: Path, file: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """Write one member, never more of it than the list of members promised."""
    left = member.file_size
    with file.open(member) as source, path.open("xb") as target:
        first = _read(source)
        if is_pickle(first):
            raise EngineError(
                f"{archive} was refused: its member {member.filename!r} is a pickle, which runs "
                "code when it is opened. Do not use it; get the model as safetensors or ONNX."
            )
        chunk = first
        while chunk:
            left -= len(chunk)
            if left < 0:
                raise zipfile.BadZipFile(f"{member.filename} is longer than stated")
            target.write(chunk)
            chunk = _read(source)
    path.chmod(0o644)


def _read(source: IO[bytes]) -> bytes:
    return source.read(CHUNK)


def is_pickle(start: bytes) -> bool:
    """Whether a file that begins so is a Python pickle, or a zip or NumPy file around one.

    A safetensors file may begin with the same two bytes, the length of its header, of which
    the ninth byte is the first.
    """
    protocol = start[:1] == b"\x80" and start[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}
    protocol &= start[8:9] != b"{"
    return protocol or start.startswith((b"PK\x03\x04", b"\x93NUMPY", b"cos\n", b"c__builtin__"))


def _check(archive: Path, folder: Path) -> ModelCard:
    """Make sure that card, item and weights belong together."""
    card = read_card(folder)
    weights = folder / card.weights.file
    found = file_hash(weights) if weights.is_file() else "no such file"
    if found != card.weights.sha256:
        raise EngineError(
            f"{archive} was refused: {card.weights.file} is not what {CARD} describes (SHA-256 "
            f"{found[:12]}…, expected {card.weights.sha256[:12]}…). Get the package again."
        )
    try:
        item = json.loads((folder / ITEM).read_bytes())
        stated = [asset.get("file:checksum") for asset in item["assets"].values()]
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise EngineError(
            f"{archive} was refused: {ITEM} is no STAC item ({error}). Get the package again."
        ) from error
    if MULTIHASH_SHA256 + found not in stated:
        raise EngineError(
            f"{archive} was refused: {ITEM} describes other weights than {card.weights.file}. Get "
            "the package again."
        )
    return card
