"""Models and scenes that do not go together, and hostile packages, through the jobs themselves."""

from __future__ import annotations

import json
import pickle
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from glacier_qgis.models.app.install import InstallModel
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import Job
from glacier_qgis.models.fronts.jobs.scene import DelineateTermini, SegmentCalvingFront
from glacier_qgis.models.fronts.jobs.series import TerminusTimeSeries
from glacier_qgis.models.fronts.scene.synthetic import SyntheticScene
from glacier_qgis.models.networks.unet import UNet
from glacier_qgis.models.package.archive import pack
from glacier_qgis.models.package.card import Architecture
from glacier_qgis.models.package.folder import save_package
from glacier_qgis.models.training.delivered.describe import describe
from kit.engine.jobs import run_job

JOBS: dict[str, type[Job]] = {
    "segment": SegmentCalvingFront,
    "delineate": DelineateTermini,
    "series": TerminusTimeSeries,
}


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    path = tmp_path / "scene 2018-06-02.tif"
    SyntheticScene(size=64, cell_size=60.0).write(path)
    return path


def refused(kind: str, scene: Path, model: Path, words: str) -> None:
    """Check that a job names what is wrong, and leaves nothing."""
    source: object = {"path": str(scene)}
    output = scene.parent / f"out.{'tif' if kind == 'segment' else 'gpkg'}"
    given = {"input": [source] if kind == "series" else source, "model": str(model)}
    job = JOBS[kind].model_validate({**given, "output": output})
    with pytest.raises(EngineError, match=words):
        run_job(job)
    assert not list(scene.parent.glob("*out.*"))


@pytest.mark.parametrize("kind", list(JOBS))
def test_a_model_of_two_bands_given_a_scene_of_one(kind: str, scene: Path, tmp_path: Path) -> None:
    parameters = {"bands": 3, "classes": 4, "width": 4, "levels": 1, "dilations": [1, 2]}
    card = describe("two", Architecture(name="unet", parameters=parameters), [], "none")
    card = card.model_copy(update={"bands": 2, "channels": ["VV", "VH", "valid"]})
    torch.manual_seed(0)
    save_package(tmp_path / "two", card, UNet(**parameters).state_dict())
    refused(kind, scene, tmp_path / "two", r"band 2 was requested, but .* has 1 band")


class Opened(Exception):  # noqa: N818
    """Raised by a pickle that was opened."""


def explode() -> None:
    raise Opened


class Bomb:
    """What is pickled."""

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return explode, ()


def traversal(file: zipfile.ZipFile) -> None:
    file.writestr("../../evil.json", "{}")


def bomb(file: zipfile.ZipFile) -> None:
    file.writestr("second.safetensors", bytes(16 << 20), zipfile.ZIP_DEFLATED)


def pickled(file: zipfile.ZipFile) -> None:
    file.writestr("weights.pkl", pickle.dumps(Bomb()))


def link(file: zipfile.ZipFile) -> None:
    member = zipfile.ZipInfo("shadow.safetensors")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    file.writestr(member, "weights.safetensors")


@pytest.mark.parametrize("kind", ["segment", "series", "install"])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (traversal, r"'\.\./\.\./evil\.json' has a path outside the package"),
        (bomb, r"'second\.safetensors' would expand"),
        (pickled, r"'weights\.pkl' has a type that can hold a pickle"),
        (link, r"'shadow\.safetensors' is a link"),
    ],
)
def test_a_hostile_package_is_refused_by_the_name_of_what_is_wrong(
    kind: str,
    spoil: Callable[[zipfile.ZipFile], None],
    words: str,
    scene: Path,
    tiny_model: Path,
    tmp_path: Path,
) -> None:
    package = tmp_path / "model.zip"
    pack(tiny_model, package)
    with zipfile.ZipFile(package, "a") as file:
        spoil(file)
    if kind == "install":
        job = InstallModel.model_validate({"input": package})
        with pytest.raises(EngineError, match=words):
            run_job(job)
    else:
        refused(kind, scene, package, words)
    assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not list(tmp_path.rglob("evil*"))


def test_a_pickle_in_the_place_of_weights_is_not_opened(
    scene: Path, tiny_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "poisoned"
    shutil.copytree(tiny_model, folder)
    (folder / "weights.safetensors").write_bytes(pickle.dumps(Bomb()))
    refused("delineate", scene, folder, "not those that its card describes")


def test_a_card_that_leads_out_of_its_package_is_refused(
    scene: Path, tiny_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "leading out"
    shutil.copytree(tiny_model, folder)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card["weights"]["file"] = "../elsewhere.safetensors"
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    refused("delineate", scene, folder, "own folder")
