"""Files of weights, whole and compact."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.package.folder import load_package, read_card, save_package
from glacier_qgis.models.package.weights import REST, compact, read_weights

FLOATS = st.floats(width=32, allow_nan=False, min_value=-6e4, max_value=6e4)


def kernel(*values: float) -> torch.Tensor:
    return torch.tensor([values], dtype=torch.float32)


def through_a_file(state: dict[str, torch.Tensor], folder: Path) -> dict[str, torch.Tensor]:
    save_file(compact(state), folder / "w.safetensors")
    return read_weights(folder / "w.safetensors")


@settings(deadline=None)
@given(st.lists(FLOATS, min_size=1, max_size=30))
def test_a_weight_is_stored_to_four_millionths_of_itself(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    folder = tmp_path_factory.mktemp("weights")
    exact = kernel(*values)
    found = through_a_file({"k": exact}, folder)["k"]
    assert found.dtype == torch.float32
    bound = (exact.abs() * 2.0**-18).clamp(min=2.0**-32)  # the latter below 6e-5, see float16
    assert ((found - exact).abs() <= bound).all()
    again = through_a_file({"k": found}, folder)["k"]
    torch.testing.assert_close(again, found, rtol=0, atol=0)


def test_what_no_half_can_hold_stays_whole(tmp_path: Path) -> None:
    state = {"large": kernel(1e6, 1.0), "vector": torch.tensor([0.1]), "count": torch.tensor(7)}
    for name, value in through_a_file(state, tmp_path).items():
        assert torch.equal(value, state[name])
        assert value.dtype == state[name].dtype
    assert set(compact(state)) == set(state)


def test_a_compact_package_is_computed_in_float32_and_takes_three_quarters(
    save_small: Callable[..., None], tmp_path: Path
) -> None:
    save_small(tmp_path / "whole")
    whole = load_package(tmp_path / "whole")
    exact = whole.network.state_dict()
    save_package(tmp_path / "compact", whole.card, compact(exact))
    found = load_package(tmp_path / "compact").network.state_dict()
    assert list(found) == list(exact)
    for name, value in found.items():
        assert value.dtype == exact[name].dtype
        torch.testing.assert_close(value, exact[name], rtol=2.0**-18, atol=2.0**-32)
    sizes = [
        sum(v.nbytes for v in load_file(tmp_path / package / "weights.safetensors").values())
        for package in ("whole", "compact")
    ]
    assert sizes[1] < 0.8 * sizes[0]


def test_others_float16_is_read_as_it_is(save_small: Callable[..., None], tmp_path: Path) -> None:
    save_small(tmp_path / "whole")
    whole = load_package(tmp_path / "whole")
    half = {
        name: value.half() if value.is_floating_point() else value
        for name, value in whole.network.state_dict().items()
    }
    save_package(tmp_path / "half", whole.card, half)
    for name, value in load_package(tmp_path / "half").network.state_dict().items():
        torch.testing.assert_close(value, half[name].to(value.dtype), rtol=0, atol=0)


@pytest.mark.parametrize("wrong", ["alone", "whole", "shape"])
def test_a_remainder_without_its_kernel_is_refused(
    save_small: Callable[..., None], tmp_path: Path, wrong: str
) -> None:
    save_small(tmp_path / "whole")
    card = read_card(tmp_path / "whole")
    state = compact(load_package(tmp_path / "whole").network.state_dict())
    name = next(name for name in state if name.endswith(REST)).removesuffix(REST)
    if wrong == "alone":
        state["other" + REST] = state[name + REST].clone()
    elif wrong == "whole":
        state[name] = state[name].float()
    else:
        state[name + REST] = state[name + REST][:1, :1, :1, :1].contiguous()
    with pytest.raises(EngineError, match=r"do not fit the network .* belongs to no kernel"):
        save_package(tmp_path / "bad", card, state)
    assert not (tmp_path / "bad").exists()
