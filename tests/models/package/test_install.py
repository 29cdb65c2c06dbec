"""Installing: complete or not at all, available by name afterwards."""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from glacier_qgis.models.app.information import EngineInformation
from glacier_qgis.models.app.install import InstallModel
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.events import Result
from glacier_qgis.models.engine.folders import user_folder
from glacier_qgis.models.iceflow.velocity.catalogue import installed_emulators
from glacier_qgis.models.package import cache
from glacier_qgis.models.package.archive import pack
from glacier_qgis.models.package.export import ExportModel
from glacier_qgis.models.package.folder import load_package
from glacier_qgis.models.package.registry import DEFAULT_MODEL, find_model, installed_models
from kit.engine.jobs import run_job

Make = Callable[[Path, int], Path]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "Daten für mich"))


@pytest.fixture
def make(save_small: Callable[..., None]) -> Make:
    """Return a function that packs a small model beside its folder."""

    def pack_small(folder: Path, seed: int) -> Path:
        save_small(folder, seed)
        pack(folder, folder.with_suffix(".zip"))
        return folder.with_suffix(".zip")

    return pack_small


def install(path: Path, **options: object) -> Result:
    job = InstallModel.model_validate({"input": path, **options})
    return run_job(job)


def weights(name: str) -> str:
    return load_package(find_model(name)).card.weights.sha256


def test_a_package_is_found_by_its_name_and_listed(make: Make, tmp_path: Path) -> None:
    found = install(make(tmp_path / "any name", 1))
    assert found["NAME"] == "small"
    assert "small" in installed_models()
    assert load_package(find_model("small")).card.name == "small"
    assert "small" in str(run_job(EngineInformation())["TEXT"])


def test_a_name_that_is_taken_is_kept_until_it_may_be_replaced(make: Make, tmp_path: Path) -> None:
    first, second = make(tmp_path / "first", 1), make(tmp_path / "second", 2)
    install(first)
    before = weights("small")
    with pytest.raises(EngineError, match=r"'small' is already installed.*OVERWRITE"):
        install(second)
    assert weights("small") == before
    install(second, overwrite=True)
    assert weights("small") != before
    install(first, name="other")
    assert weights("other") == before
    assert load_package(find_model("other")).card.name == "other"
    assert sorted(path.name for path in user_folder().iterdir()) == ["other", "small"]


@pytest.mark.parametrize("name", ["../evil", "a/b", ".hidden", "C:evil", " ", "a b"])
def test_names_that_lead_elsewhere_are_refused(make: Make, tmp_path: Path, name: str) -> None:
    path = make(tmp_path / "first", 1)
    if name.strip():
        with pytest.raises(EngineError, match="is not valid"):
            install(path, name=name)
        assert not list(user_folder().iterdir())
    else:
        assert install(path, name=name)["NAME"] == "small"


def test_a_delivered_model_cannot_be_replaced(make: Make, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="is a delivered model"):
        install(make(tmp_path / "first", 1), name=DEFAULT_MODEL, overwrite=True)


def test_a_failed_installation_leaves_what_was_there(make: Make, tmp_path: Path) -> None:
    install(make(tmp_path / "first", 1))
    before = weights("small")
    torch.save({"weights": torch.zeros(2)}, tmp_path / "model.pth")
    with zipfile.ZipFile(make(tmp_path / "second", 2), "a") as file:
        file.writestr("../evil.json", "{}")
    for path, words in (
        (tmp_path / "model.pth", "pickle"),
        (tmp_path / "second.zip", "outside the package"),
        (tmp_path / "first" / "weights.safetensors", "not a complete ONNX model"),
        (tmp_path / "nowhere.zip", "does not exist"),
    ):
        with pytest.raises(EngineError, match=words):
            install(path, overwrite=True)
    assert weights("small") == before
    assert [path.name for path in user_folder().iterdir()] == ["small"]


def test_a_zip_is_used_where_it_lies(make: Make, tmp_path: Path) -> None:
    path = make(tmp_path / "Modell ü", 1)
    first = find_model(str(path))
    assert load_package(first).card.name == "small"
    assert find_model(str(path)) == first
    assert "small" not in installed_models()


def test_opened_packages_are_forgotten_by_age_and_size_but_not_while_in_use(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [make(tmp_path / f"model {number}", number) for number in range(5)]
    folders = [find_model(str(path)) for path in paths]
    draft = folders[0].with_name(".killed")
    draft.mkdir()
    for folder, days in zip([*folders, draft], (31, 3, 2, 0.5, 0, 2), strict=True):
        then = time.time() - days * 86_400
        os.utime(folder, (then, then))
    size = sum(path.stat().st_size for path in folders[4].iterdir())
    monkeypatch.setattr(cache, "LIMIT_BYTES", int(3.5 * size))
    assert find_model(str(paths[4])) == folders[4]
    assert [folder.exists() for folder in folders] == [False, False, True, True, True]
    assert not draft.exists()
    assert load_package(find_model(str(paths[0]))).card.name == "small"
    monkeypatch.setattr(cache, "LIMIT_BYTES", 0)
    find_model(str(paths[4]))
    assert folders[3].exists()
    assert not folders[2].exists()


def test_the_card_of_a_folder_installs_the_folder(make: Make, tmp_path: Path) -> None:
    make(tmp_path / "first", 1)
    (tmp_path / "first" / "note.txt").write_text("not a part of it")
    found = install(tmp_path / "first" / "card.json")
    names = sorted(path.name for path in Path(str(found["FOLDER"])).iterdir())
    assert names == ["card.json", "weights.safetensors"]


def test_what_was_exported_can_be_installed(make: Make, tmp_path: Path) -> None:
    install(make(tmp_path / "first", 1))
    job = {"model": "small", "output": tmp_path / "for you.zip"}
    run_job(ExportModel.model_validate(job))
    assert (tmp_path / "for you.zip").read_bytes() == (tmp_path / "first.zip").read_bytes()
    install(tmp_path / "for you.zip", name="copy")
    assert weights("copy") == weights("small")


def test_a_network_of_absurd_size_is_not_built(make: Make, tmp_path: Path) -> None:
    path = make(tmp_path / "first", 1)
    text = (tmp_path / "first" / "card.json").read_text()
    (tmp_path / "first" / "card.json").write_text(text.replace('"width": 4', '"width": 1000000'))
    path.unlink()
    pack(tmp_path / "first", path)
    with pytest.raises(EngineError, match=r"size of 1e\+06, more than the limit of 1024"):
        install(path)


def test_an_emulator_is_offered_under_family_and_resolution(tmp_path: Path) -> None:
    published = [path for name, path in installed_emulators().items() if name.startswith("f15_")]
    if not published:
        pytest.skip("no emulator: neither igm-model nor GLACIER_DATA")
    source = published[0]
    found = install(source / "model.h5", name="f15_mine/250")
    assert (found["NAME"], found["KIND"]) == ("f15_mine/250", "emulator")
    installed = installed_emulators()["f15_mine/250"]
    assert (installed / "model.h5").read_bytes() == (source / "model.h5").read_bytes()
    with pytest.raises(EngineError, match="f15_mine/100"):
        install(source, name="f15_mine")
    with pytest.raises(EngineError, match="already installed"):
        install(source, name="f15_mine/250")


def test_an_emulator_without_its_lists_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "family" / "100"
    folder.mkdir(parents=True)
    (folder / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(EngineError, match=r"has no fieldin\.dat"):
        install(folder / "model.h5")
    assert not (user_folder() / "emulators").exists()
