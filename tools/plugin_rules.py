"""The QGIS plugin repository's rules for an uploaded zip, each a function that lists problems."""

from __future__ import annotations

import configparser
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

MAXIMUM_BYTES = 25_000_000
REQUIRED = (
    "name",
    "description",
    "version",
    "qgisMinimumVersion",
    "qgisMaximumVersion",
    "author",
    "email",
    "about",
    "tracker",
    "repository",
    "changelog",
    "tags",
    "icon",
    "license",
)
LIBRARIES = (".a", ".class", ".dll", ".dylib", ".jar", ".lib", ".o", ".pyc", ".pyd", ".pyo", ".so")
PROGRAMS = (".bat", ".cmd", ".com", ".exe", ".ps1", ".sh")
PICKLES = (".pickle", ".pkl", ".pt", ".pth")
FORBIDDEN_SUFFIXES = frozenset((*LIBRARIES, *PROGRAMS, *PICKLES))
FORBIDDEN_FOLDERS = frozenset({"__pycache__", "__MACOSX"})
_BINARY_MAGIC = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_QGIS_VERSION = re.compile(r"\d+\.\d+")


def check(archive: Path) -> list[str]:
    """Return what the repository would refuse in the form and contents of `archive`."""
    with zipfile.ZipFile(archive) as bundle:
        return [
            *_size(archive),
            *_folder(bundle),
            *_names(bundle),
            *_binaries(bundle),
            *_licence(bundle),
            *_metadata(bundle),
        ]


def scan(archive: Path) -> list[str]:
    """Return what bandit and detect-secrets find in `archive`; both are the repository's own."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(archive) as bundle:
        bundle.extractall(folder)
        return [*_bandit(Path(folder)), *_secrets(Path(folder))]


class _Metadata(configparser.RawConfigParser):
    def optionxform(self, optionstr: str) -> str:
        """Keep capitals."""
        return optionstr


def read_metadata(text: str) -> dict[str, str]:
    """Return the section [general] of a metadata.txt; empty where there is none."""
    metadata = _Metadata()
    metadata.read_string(text)
    return dict(metadata["general"]) if metadata.has_section("general") else {}


def _size(archive: Path) -> Iterator[str]:
    size = archive.stat().st_size
    if size > MAXIMUM_BYTES:
        yield f"the zip has {size:,} bytes, {MAXIMUM_BYTES:,} are allowed"


def _folder(bundle: zipfile.ZipFile) -> Iterator[str]:
    folders = {PurePosixPath(name).parts[0] for name in bundle.namelist()}
    if len(folders) != 1:
        yield f"the zip must hold one folder, it holds {sorted(folders)}"
    for folder in folders:
        if not folder.isidentifier() or not folder.isascii():
            yield f"the folder name {folder!r} is no Python identifier"
        if "plugin" in folder.lower():
            yield f"the folder name {folder!r} holds the word 'plugin'"
        if f"{folder}/__init__.py" not in bundle.namelist():
            yield f"{folder}/__init__.py is missing"


def _names(bundle: zipfile.ZipFile) -> Iterator[str]:
    for name in bundle.namelist():
        path = PurePosixPath(name)
        if path.suffix.lower() in FORBIDDEN_SUFFIXES:
            yield f"{name}: files of the kind {path.suffix} are not allowed"
        if FORBIDDEN_FOLDERS.intersection(path.parts):
            yield f"{name}: a cache does not belong in the zip"
        if any(part.startswith(".") for part in path.parts):
            yield f"{name}: hidden files are not allowed"


def _binaries(bundle: zipfile.ZipFile) -> Iterator[str]:
    for name in bundle.namelist():
        with bundle.open(name) as stream:
            if stream.read(4).startswith(_BINARY_MAGIC):
                yield f"{name}: compiled code is not allowed, whatever its name"


def _licence(bundle: zipfile.ZipFile) -> Iterator[str]:
    if not any(PurePosixPath(name).parts[1:] == ("LICENSE",) for name in bundle.namelist()):
        yield "LICENSE (without extension) is missing in the plugin folder"


def _metadata(bundle: zipfile.ZipFile) -> Iterator[str]:
    paths = [
        name for name in bundle.namelist() if PurePosixPath(name).parts[1:] == ("metadata.txt",)
    ]
    general = read_metadata(bundle.read(paths[0]).decode() if paths else "")
    if not general:
        yield "metadata.txt with a section [general] is missing in the plugin folder"
        return
    for key in REQUIRED:
        if not general.get(key, "").strip():
            yield f"metadata.txt: {key} is missing"
    if general.get("hasProcessingProvider", "").lower() != "yes":
        yield "metadata.txt: hasProcessingProvider=yes is missing: qgis_process would not load it"
    for key, pattern in (
        ("version", _VERSION),
        ("qgisMinimumVersion", _QGIS_VERSION),
        ("qgisMaximumVersion", _QGIS_VERSION),
        ("email", _EMAIL),
    ):
        value = general.get(key, "")
        if value and not pattern.fullmatch(value):
            yield f"metadata.txt: {key}={value} has not the form that is asked for"
    for key in ("tracker", "repository", "homepage"):
        value = general.get(key, "")
        if value and not value.startswith("https://"):
            yield f"metadata.txt: {key}={value} is no https address"
    icon = general.get("icon", "")
    if icon and str(PurePosixPath(paths[0]).parent / icon) not in bundle.namelist():
        yield f"metadata.txt: the icon {icon} is not in the zip"


def _bandit(folder: Path) -> Iterator[str]:
    command = ["bandit", "--recursive", "--quiet", "--format", "json", "."]
    for result in _json_of(command, folder)["results"]:
        where = f"{result['filename'].removeprefix('./')}:{result['line_number']}"
        yield f"bandit {result['test_id']} at {where}: {result['issue_text']}"


def _secrets(folder: Path) -> Iterator[str]:
    """Look for secrets; the checksum of a file that lies in the zip itself is none."""
    checksums = {
        _fingerprint(hashlib.sha256(path.read_bytes()).hexdigest())
        for path in folder.rglob("*")
        if path.is_file()
    }
    for name, findings in _json_of(["detect_secrets", "scan", "--all-files"], folder)[
        "results"
    ].items():
        for finding in findings:
            if finding["hashed_secret"] not in checksums:
                yield f"detect-secrets at {name}:{finding['line_number']}: {finding['type']}"


def _fingerprint(secret: str) -> str:
    """How detect-secrets writes down what it found."""
    return hashlib.sha1(secret.encode(), usedforsecurity=False).hexdigest()


def _json_of(module: list[str], folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", *module], cwd=folder, check=False, capture_output=True, text=True
    )
    if not done.stdout:
        raise RuntimeError(f"{module[0]} did not run: {done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report
