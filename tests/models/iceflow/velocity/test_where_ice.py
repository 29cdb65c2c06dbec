from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from glacier_qgis.models.compute import workers
from glacier_qgis.models.iceflow.emulators.card import Core, FlowParameters, SelectiveCore
from glacier_qgis.models.iceflow.emulators.listed import FieldLists, ListedCore
from glacier_qgis.models.iceflow.emulators.stack import StackCore
from glacier_qgis.models.iceflow.velocity import where_ice
from glacier_qgis.models.iceflow.velocity.where_ice import GRAIN, velocity_where_ice, windows
from glacier_qgis.models.networks.igm import IgmCnn

FLOW = FlowParameters(cell_size=100.0, rate_factor=78.0, sliding=12.0)
LISTS = FieldLists(
    {"thk": 2000.0, "slopsurfx": 1.5, "slopsurfy": 1.5, "strflowctrl": 200.0},
    {"ubar": 1000.0, "vbar": 1000.0},
)
LAYERS = 11
GROUND = torch.from_numpy(np.random.default_rng(1).uniform(0, 400, (45, 45)))


@st.composite
def glaciers(draw: st.DrawFn) -> np.ndarray:
    """Ice of one to three glaciers: blocks and single cells, also on the border, also none."""
    rows, columns = draw(st.tuples(st.integers(2, 45), st.integers(2, 45)))
    ice = np.zeros((draw(st.integers(1, 3)), rows, columns), dtype=bool)
    for glacier in ice:
        for _ in range(draw(st.integers(0, 3))):
            top, left = draw(st.integers(0, rows - 1)), draw(st.integers(0, columns - 1))
            high, wide = draw(st.integers(1, rows)), draw(st.integers(1, columns))
            glacier[top : top + high, left : left + wide] = True
    return ice


def core(*, selective: bool) -> Core:
    torch.manual_seed(2)
    network = IgmCnn(4, 2, layers=LAYERS, filters=6).double().requires_grad_(requires_grad=False)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    path = Path("random", "100", "model.h5")
    if selective:
        return StackCore("random", path, LISTS, network).double()
    return ListedCore("random", path, LISTS, network, 2, LAYERS).double()


def state(ice: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(7)
    thickness = torch.from_numpy(np.where(ice, rng.uniform(1, 300, ice.shape), 0.0))
    return thickness, torch.from_numpy(rng.uniform(0, 400, ice.shape[1:])) + thickness


@pytest.mark.slow
@pytest.mark.parametrize("selective", [False, True], ids=["windows", "strips"])
@pytest.mark.parametrize("most", [64, 400, 10_000])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ice=glaciers())
def test_only_where_there_is_ice_equals_everywhere(
    monkeypatch: pytest.MonkeyPatch, selective: bool, most: int, ice: np.ndarray
) -> None:
    monkeypatch.setattr(where_ice, "MOST_CELLS", most)
    emulator = core(selective=selective)
    assert isinstance(emulator, SelectiveCore) == selective
    thickness = state(ice)[0]
    for ground in (None, GROUND[: ice.shape[1], : ice.shape[2]].contiguous()):
        surface = state(ice)[1] if ground is None else ground + thickness
        everywhere = emulator(thickness, surface, FLOW)[:, [1, 0]].movedim(1, 0)
        found = velocity_where_ice(emulator, thickness, surface, FLOW, [1, 0], ground)
        torch.testing.assert_close(found, everywhere * (thickness > 0), rtol=1e-11, atol=1e-8)


def test_threads_share_a_glacier_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    workers.thread_count.cache_clear()
    workers._pool.cache_clear()
    monkeypatch.setattr(workers, "thread_count", lambda: 3)
    monkeypatch.setattr(where_ice, "thread_count", lambda: 3)
    monkeypatch.setattr(where_ice, "WORTH_SHARING", 100)
    ice = np.zeros((1, 60, 70), dtype=bool)
    ice[0, 10:50, 5:66] = True
    emulator = core(selective=True)
    thickness, surface = state(ice)
    found = velocity_where_ice(emulator, thickness, surface, FLOW, [0, 1])
    everywhere = emulator(thickness, surface, FLOW).movedim(1, 0)
    torch.testing.assert_close(found, everywhere * (thickness > 0), rtol=1e-11, atol=1e-8)


@settings(max_examples=100)
@given(
    ice=arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=60)),
    most=st.integers(1, 900),
)
def test_windows_hold_all_ice_once_and_are_small(ice: np.ndarray, most: int) -> None:
    times = np.zeros(ice.shape, dtype=int)
    for window in windows(ice, most):
        times[window] += 1
        sides = [part.stop - part.start for part in window]
        assert sides[0] * sides[1] <= max(most, GRAIN * GRAIN) or max(sides) <= GRAIN
        assert ice[window].any()
    assert (times <= 1).all()
    assert (times[ice] == 1).all()
