"""A model package as one file: a zip with the STAC item, the card and the weights that it names.

An archive is not trusted: nothing is written before its list of members is checked, no weights
before the card is read, and nothing is kept before every hash is verified.
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
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import CARD, MAX_CARD_BYTES, file_hash, read_card
from glacier_qgis.models.package.stac import MULTIHASH_SHA256, stac_item

ITEM = "item.json"
MAX_WEIGHTS_BYTES = 4 << 30
MAX_RATIO = 100
"""Largest compression ratio of a member; weights shrink by one tenth."""
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
        EngineError: The folder is not a package, or its weights are not those of its card.
    """
    card = read_card(folder)
    for weights in card.all_weights:
        path = folder / weights.file
        if not path.is_file() or file_hash(path) != weights.sha256:
            raise EngineError(
                f"{path} is missing or not what {CARD} beside it describes: get the package again."
            )
    item = json.dumps(stac_item(card), indent=2, ensure_ascii=False) + "\n"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(_member(ITEM), item.encode())
        file.writestr(_member(CARD), (folder / CARD).read_bytes())
        for weights in card.all_weights:
            _append(file, folder / weights.file)
    return card


def unpack(archive: Path, folder: Path) -> ModelCard:
    """Write the package of a zip as a folder, complete or not at all.

    Args:
        archive: The zip, which is not trusted.
        folder: To create; must not exist.

    Returns:
        The card of the package.

    Raises:
        EngineError: The archive is damaged or malicious, or the folder exists.
    """
    if folder.exists():
        raise EngineError(f"{folder} already exists: choose a new folder for the model package.")
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with _opened(archive) as file:
            members = _judge(archive, file.infolist())
            for name in (ITEM, CARD):
                _extract(archive, file, members[name], draft / name)
            card = read_card(draft)
            for name in _weights(archive, card, members):
                _extract(archive, file, members[name], draft / name)
        _check(archive, draft, card)
        draft.chmod(0o755)
        draft.replace(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return card


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip, and convert errors of a damaged file to one error."""
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
        f"{archive} is not a complete zip file ({damage}): get the package again."
    ) from damage


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, EPOCH)
    member.create_system = 3  # Unix, on every system
    member.external_attr = (stat.S_IFREG | 0o644) << 16
    return member


def _append(file: zipfile.ZipFile, path: Path) -> None:
    """Write a file as a member, in chunks."""
    member = _member(path.name)
    member.file_size = path.stat().st_size
    with path.open("rb") as source, file.open(member, "w") as target:
        shutil.copyfileobj(source, target, CHUNK)


def _judge(archive: Path, members: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Return the members of an archive by name, after checking each of them."""
    seen: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        problem = _problem(member, seen)
        if problem:
            raise _refusal(archive, member.orig_filename, problem)
        seen[member.filename] = member
    _require(archive, (ITEM, CARD), seen)
    return seen


def _weights(archive: Path, card: ModelCard, members: Collection[str]) -> list[str]:
    """Return the names of the weights, after checking that they are exactly those of the card."""
    names = [weights.file for weights in card.all_weights]
    for name in members:
        if name not in (ITEM, CARD, *names):
            raise _refusal(archive, name, f"is not named in its {CARD}")
    _require(archive, names, members)
    return names


def _require(archive: Path, names: Collection[str], members: Collection[str]) -> None:
    missing = [name for name in names if name not in members]
    if missing:
        raise EngineError(
            f"{archive} is not a model package: {', '.join(missing)} is missing. A package "
            f"contains {ITEM}, {CARD} and the weights that the card names; make one with 'Export "
            "model'."
        )


def _refusal(archive: Path, name: str, problem: str) -> EngineError:
    return EngineError(
        f"{archive} was refused: its member {name!r} {problem}. Do not use it; get the package "
        "from the author of the model."
    )


def _problem(member: zipfile.ZipInfo, seen: Collection[str]) -> str:
    """Return why a member must not be unpacked; blank if it may."""
    name = member.orig_filename
    limit = MAX_WEIGHTS_BYTES if name.endswith(WEIGHTS) else MAX_CARD_BYTES
    kind = stat.S_IFMT(member.external_attr >> 16)
    windows = PureWindowsPath(name)
    if windows.drive or windows.root or PurePosixPath(name).is_absolute():
        return "has an absolute path"
    if ".." in windows.parts:
        return "has a path outside the package's folder"
    if kind not in (0, stat.S_IFREG):
        return "is a link or a special file" if kind != stat.S_IFDIR else "is a folder"
    if name.lower().endswith(PICKLES):
        return "has a type that can hold a pickle, which runs code when it is opened"
    if name in seen:
        return "is included twice"
    if name not in (ITEM, CARD) and (len(windows.parts) != 1 or not name.endswith(WEIGHTS)):
        return "is not part of a model package"
    if name != member.filename:
        return "has a name that would change when it is written"
    if member.flag_bits & ENCRYPTED:
        return "is encrypted"
    if member.file_size > limit:
        size = member.file_size / 2**20
        return f"would expand to {size:.0f} MiB, more than the limit of {limit >> 20} MiB"
    if member.file_size > MAX_RATIO * max(member.compress_size, 1):
        ratio = member.file_size / max(member.compress_size, 1)
        return f"would expand {ratio:.0f} times, more than the limit of {MAX_RATIO} times"
    return ""


def _extract(archive: Path, file: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """Write one member, limited to the size in the list of members."""
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
    """Whether a file with this beginning is a Python pickle, or a zip or NumPy file of one.

    A safetensors file may begin with the same two bytes, the length of its header, of which
    the ninth byte is the first.
    """
    protocol = start[:1] == b"\x80" and start[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}
    protocol &= start[8:9] != b"{"
    return protocol or start.startswith((b"PK\x03\x04", b"\x93NUMPY", b"cos\n", b"c__builtin__"))


def _check(archive: Path, folder: Path, card: ModelCard) -> None:
    """Make sure that card, item and weights belong together."""
    stated = _checksums(archive, folder / ITEM)
    for weights in card.all_weights:
        found = file_hash(folder / weights.file)
        if found != weights.sha256:
            raise EngineError(
                f"{archive} was refused: {weights.file} is not what {CARD} describes (SHA-256 "
                f"{found[:12]}…, expected {weights.sha256[:12]}…). Get the package again."
            )
        if MULTIHASH_SHA256 + found not in stated:
            raise EngineError(
                f"{archive} was refused: {ITEM} describes other weights than {weights.file}. Get "
                "the package again."
            )


def _checksums(archive: Path, item: Path) -> list[object]:
    """Return the checksums of a STAC item's assets."""
    try:
        assets = json.loads(item.read_bytes())["assets"]
        return [asset.get("file:checksum") for asset in assets.values()]
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise EngineError(
            f"{archive} was refused: {ITEM} is not a STAC item ({error}). Get the package again."
        ) from error
