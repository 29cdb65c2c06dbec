"""The zip that users install: what is in it, and what would be refused."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import build_plugin
import plugin_rules
import pytest

METADATA = """[general]
name=Ice
description=Ice in maps
about=Needs torch
version=1.2.3
qgisMinimumVersion=3.40
qgisMaximumVersion=4.99
author=A. Person
email=person@example.org
tracker=https://example.org/issues
repository=https://example.org/code
changelog=First
tags=ice
icon=icons/ice.svg
license=GPL-3.0-or-later
hasProcessingProvider=yes
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout of a small plugin that the repository would take."""
    files = {
        "metadata.txt": METADATA,
        "LICENSE": "GPL",
        "glacier_qgis/__init__.py": '"""A plugin."""\n',
        "glacier_qgis/icons/ice.svg": "<svg/>",
        "processing/provider.py": "ID = 'ice'\n",
        "models/zoo/net/weights.safetensors": "weights",
        "models/__pycache__/old.cpython-311.pyc": "left out",
    }
    for name, text in files.items():
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "checkout"


def refused(tree: Path) -> str:
    return "\n".join(plugin_rules.check(build_plugin.build(tree)))


def replace(old: str, new: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        path = tree / "metadata.txt"
        path.write_text(path.read_text().replace(old, new))

    return change


def put(name: str, content: bytes = b"x") -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return change


def drop(name: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        (tree / name).unlink()

    return change


def test_rooms_are_packed_in_the_shape_that_qgis_imports(tree: Path) -> None:
    archive = build_plugin.build(tree)
    assert archive.name == "glacier_qgis-1.2.3.zip"
    with zipfile.ZipFile(archive) as bundle:
        assert bundle.namelist() == [
            "glacier_qgis/LICENSE",
            "glacier_qgis/__init__.py",
            "glacier_qgis/icons/ice.svg",
            "glacier_qgis/metadata.txt",
            "glacier_qgis/models/zoo/net/weights.safetensors",
            "glacier_qgis/processing/provider.py",
        ]
    assert refused(tree) == ""


def test_the_maintainers_tools_stay_out_of_the_zip(tree: Path) -> None:
    put("models/training/delivered/fit.py", b"")(tree)
    assert not any("delivered" in name for name in build_plugin.plugin_files(tree))


def test_nothing_in_the_zip_needs_what_was_left_out() -> None:
    modules = ["glacier_qgis." + name.replace("/", ".") for name in build_plugin.LEFT_OUT]
    files = build_plugin.plugin_files()
    for name in build_plugin.LEFT_OUT:
        assert (build_plugin.ROOT / name).is_dir(), "what is left out is there to be left out"
        assert not any(inside.startswith(f"glacier_qgis/{name}/") for inside in files)
    for path in files.values():
        if path.suffix in {".py", ".model3"}:
            text = path.read_text(encoding="utf-8")
            assert not any(module in text for module in modules), path


def test_the_same_tree_gives_the_same_bytes(tree: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tree, tmp_path / "copy", copy_function=shutil.copyfile)
    assert build_plugin.build(tree).read_bytes() == build_plugin.build(copy).read_bytes()


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (drop("LICENSE"), "LICENSE (without extension) is missing"),
        (drop("glacier_qgis/__init__.py"), "__init__.py is missing"),
        (drop("glacier_qgis/icons/ice.svg"), "icon icons/ice.svg is not in the zip"),
        (replace("[general]", "[other]"), "section [general] is missing"),
        (replace("about=Needs torch\n", ""), "about is missing"),
        (replace("tracker=https", "tracker=ftp"), "no https address"),
        (replace("version=1.2.3", "version=1.2"), "version=1.2 has not the form"),
        (replace("person@example.org", "person"), "email=person has not the form"),
        (replace("qgisMinimumVersion=3.40", "qgisMinimumVersion=3"), "qgisMinimumVersion=3 has"),
        (replace("Provider=yes", "Provider=no"), "hasProcessingProvider=yes is missing"),
        (put("models/fast.so"), "files of the kind .so are not allowed"),
        (put("processing/set up.SH"), "files of the kind .SH are not allowed"),
        (put("models/zoo/net/weights.pt"), "files of the kind .pt are not allowed"),
        (put("models/innocent.txt", b"\x7fELF\x02\x01"), "compiled code is not allowed"),
        (put("glacier_qgis/.hidden"), "hidden files are not allowed"),
        (put("models/.cache/x.txt"), "hidden files are not allowed"),
        (put("glacier_qgis/__MACOSX/x.txt"), "a cache does not belong in the zip"),
    ],
)
def test_a_bad_tree_is_refused(tree: Path, spoil: Callable[[Path], None], complaint: str) -> None:
    spoil(tree)
    assert complaint in refused(tree)


def test_a_zip_beyond_the_limit_is_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_rules, "MAXIMUM_BYTES", 500)
    assert "500 are allowed" in refused(tree)


@pytest.mark.parametrize(
    ("folder", "complaint"),
    [
        ("glacier-qgis", "no Python identifier"),
        ("glacier_plugin", "holds the word 'plugin'"),
    ],
)
def test_the_folder_name_is_held_to_the_rules(tmp_path: Path, folder: str, complaint: str) -> None:
    archive = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr(f"{folder}/__init__.py", "")
    assert complaint in "\n".join(plugin_rules.check(archive))


def test_two_folders_are_refused(tmp_path: Path) -> None:
    archive = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("one/__init__.py", "")
        bundle.writestr("two/__init__.py", "")
    assert "must hold one folder" in "\n".join(plugin_rules.check(archive))


def test_the_scan_finds_unsafe_code_and_secrets(tree: Path) -> None:
    (tree / "models" / "unsafe.py").write_text("import pickle\n\npickle.load(open('x', 'rb'))\n")
    secret = hashlib.sha256(b"of nothing in the zip").hexdigest()
    (tree / "models" / "card.json").write_text(f'{{"sha256": "{secret}"}}\n')
    found = "\n".join(plugin_rules.scan(build_plugin.build(tree)))
    assert "bandit B301 at glacier_qgis/models/unsafe.py:3" in found
    assert "detect-secrets at glacier_qgis/models/card.json:1" in found


def test_the_checksum_of_a_shipped_file_is_no_secret(tree: Path) -> None:
    weights = tree / "models" / "zoo" / "net" / "weights.safetensors"
    checksum = hashlib.sha256(weights.read_bytes()).hexdigest()
    weights.with_name("card.json").write_text(f'{{"sha256": "{checksum}"}}\n')
    assert plugin_rules.scan(build_plugin.build(tree)) == []
