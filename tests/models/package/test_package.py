"""Packages: what is refused, and with which remedy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.networks.unet import UNet
from glacier_qgis.models.package import registry
from glacier_qgis.models.package.card import ModelCard
from glacier_qgis.models.package.folder import CARD, file_hash, load_package, save_package

Describe = Callable[..., ModelCard]


@pytest.fixture
def package(tmp_path: Path, save_small: Callable[..., None]) -> Path:
    save_small(tmp_path / "small")
    return tmp_path / "small"


def rewrite_card(package: Path, **changes: object) -> None:
    content = json.loads((package / CARD).read_text())
    (package / CARD).write_text(json.dumps(content | changes))


def rewrite_weights(package: Path, network: torch.nn.Module) -> None:
    save_file(network.state_dict(), package / "weights.safetensors")
    digest = file_hash(package / "weights.safetensors")
    rewrite_card(package, weights={"file": "weights.safetensors", "sha256": digest})


def test_what_was_saved_predicts_the_same_when_loaded(
    package: Path, parameters: dict[str, object]
) -> None:
    torch.manual_seed(0)
    expected = UNet(**parameters).eval()  # type: ignore[arg-type]
    model = load_package(package)
    image = torch.rand(1, 2, 16, 16)
    with torch.inference_mode():
        torch.testing.assert_close(model.network(image), expected(image), rtol=0, atol=0)
    assert model.card.provenance["MODEL_HASH"] == file_hash(package / "weights.safetensors")


def test_a_changed_weight_is_noticed(package: Path) -> None:
    path = package / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(EngineError, match=r"damaged or was replaced: get the package again"):
        load_package(package)


@pytest.mark.parametrize("name", ["../x.safetensors", "/etc/x.safetensors", "a\\b.safetensors"])
def test_weights_outside_of_the_package_are_refused(package: Path, name: str) -> None:
    rewrite_card(package, weights={"file": name, "sha256": "0" * 64})
    with pytest.raises(EngineError, match="package's own folder"):
        load_package(package)


@pytest.mark.parametrize(
    ("coast", "remedy"),
    [
        ("nonsense", "POLYGON"),
        ("POINT(0 0)", "POLYGON"),
        ("LINESTRING(0 0, 1 1)", "POLYGON"),
        ("POLYGON((0 0, 1 0, 500000 1, 0 0))", "degrees"),
        ("POLYGON((0 0, 1 0, nan 1, 0 0))", "degrees"),
    ],
)
def test_a_coast_is_polygons_in_degrees(package: Path, coast: str, remedy: str) -> None:
    rewrite_card(package, coast=coast)
    with pytest.raises(EngineError, match=f"(?s)coast.*{remedy}"):
        load_package(package)


@pytest.mark.parametrize(
    ("bounds", "remedy"),
    [
        ([float("nan")] * 4, "degrees"),
        ([-38.0, 66.0, float("inf"), 67.0], "degrees"),
        ([-200.0, 66.0, -37.0, 67.0], "degrees"),
        ([-38.0, 66.0, -37.0, 91.0], "degrees"),
        ([0.0, 0.0, 0.0, 0.0], "west, south, east"),
        ([-38.0, 67.0, -37.0, 66.0], "west, south, east"),
        ([-37.0, 66.0, -38.0, 67.0], "west, south, east"),
        ([180.0, 66.0, -180.0, 67.0], "west, south, east"),
    ],
)
def test_the_bounds_of_a_glacier_are_a_box_in_degrees(
    package: Path, bounds: list[float], remedy: str
) -> None:
    glacier = {"glacier": "", "dates": [], "parent": "0" * 64}
    rewrite_card(package, adapted={**glacier, "bounds": bounds})
    with pytest.raises(EngineError, match=f"(?s)bounds.*{remedy}"):
        load_package(package)


@pytest.mark.parametrize(
    "bounds", [(-38.0, 66.0, -37.0, 67.0), (179.7, -78.0, -179.7, -77.0), (-180.0, 89.0, 180.0, 90)]
)
def test_they_may_lie_across_the_180th_meridian(
    package: Path, bounds: tuple[float, float, float, float]
) -> None:
    glacier = {"glacier": "", "dates": [], "parent": "0" * 64}
    rewrite_card(package, adapted={**glacier, "bounds": bounds})
    adapted = load_package(package).card.adapted
    assert adapted is not None
    assert adapted.bounds == bounds


def test_a_link_out_of_the_package_is_refused(package: Path, tmp_path: Path) -> None:
    path = package / "weights.safetensors"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EngineError, match="missing or a link"):
        load_package(package)


def test_pickled_weights_are_never_opened(package: Path) -> None:
    rewrite_card(package, weights={"file": "weights.pth", "sha256": "0" * 64})
    with pytest.raises(EngineError, match=r"WEIGHTS.FILE"):
        load_package(package)


def test_a_pickle_under_another_name_is_not_executed(package: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return pytest.fail, ("the pickle was executed",)

    path = package / "weights.safetensors"
    torch.save({"trap": Trap()}, path)
    rewrite_card(package, weights={"file": path.name, "sha256": file_hash(path)})
    with pytest.raises(EngineError, match="do not fit"):
        load_package(package)


def test_weights_of_another_shape_are_refused(package: Path, parameters: dict[str, object]) -> None:
    rewrite_weights(package, UNet(**{**parameters, "width": 8}))  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="card and weights belong together"):
        load_package(package)


def test_an_unknown_network_is_named_with_those_that_exist(package: Path) -> None:
    rewrite_card(package, architecture={"name": "transformer", "parameters": {}})
    with pytest.raises(EngineError, match=r"'transformer'; this version has unet"):
        load_package(package)


def test_unknown_parameters_of_a_network_are_refused(package: Path) -> None:
    rewrite_card(package, architecture={"name": "unet", "parameters": {"heads": 4}})
    with pytest.raises(EngineError, match="cannot be built"):
        load_package(package)


def test_a_card_that_promises_other_classes_than_the_network_is_refused(package: Path) -> None:
    classes = [{"value": value, "name": str(value)} for value in (1, 2, 3)]
    rewrite_card(package, classes=classes)
    with pytest.raises(EngineError, match="predicts 2 classes"):
        load_package(package)


def test_a_folder_without_card_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"not a model package: it has no card\.json"):
        load_package(tmp_path)


def test_a_failed_save_leaves_nothing(tmp_path: Path, card: Describe) -> None:
    with pytest.raises(EngineError):
        save_package(tmp_path / "small", card(), {"foreign": torch.zeros(1)})
    assert list(tmp_path.iterdir()) == []


def test_models_are_found_by_name_by_path_and_in_the_person_s_folder(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "user_folder", lambda: tmp_path)
    assert registry.find_model("small") == package
    assert registry.find_model(str(package)) == package
    assert registry.find_model(str(package / CARD)) == package


def test_an_unknown_model_is_answered_with_those_installed(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "user_folder", lambda: tmp_path)
    with pytest.raises(EngineError, match=r"no model 'large'. Installed: .*small"):
        registry.find_model("large")
