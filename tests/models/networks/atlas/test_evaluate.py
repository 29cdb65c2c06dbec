from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from glacier_qgis.models.compute import workers
from glacier_qgis.models.networks.atlas.evaluate import evaluate, features
from glacier_qgis.models.networks.atlas.plan import make_plan
from glacier_qgis.models.networks.igm import IgmCnn

Mask = np.ndarray


def network(layers: int) -> IgmCnn:
    """Random weights in double precision, so large that every cell in reach is felt."""
    torch.manual_seed(layers)
    stack = IgmCnn(3, 2, layers=layers, filters=6).double().eval()
    for parameter in stack.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return stack.requires_grad_(requires_grad=False)


def fields(shape: tuple[int, ...]) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(3, *shape, generator=generator, dtype=torch.float64)


def assert_same_as_whole(wanted: Mask, layers: int, parts: int = 1) -> None:
    stack, inputs = network(layers), fields(wanted.shape)
    expected = stack(inputs[None])[0][:, torch.from_numpy(wanted)]
    found = evaluate(stack, inputs, make_plan(wanted, layers, parts=parts))
    scale = float(expected.abs().max())
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12 * scale)


@pytest.fixture(scope="module")
def threads() -> Iterator[None]:
    """As many threads as the tests share work among, whatever the machine has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "thread_count", lambda: 5)
        workers._pool.cache_clear()
        yield
    workers._pool.cache_clear()


masks = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=37)).filter(
    lambda mask: bool(mask.any())
)


@settings(max_examples=60)
@given(wanted=masks, layers=st.integers(1, 9), parts=st.integers(1, 5))
def test_strips_equal_the_whole_grid(threads: None, wanted: Mask, layers: int, parts: int) -> None:
    assert_same_as_whole(wanted, layers, parts)


@settings(max_examples=40)
@given(
    rows=st.integers(1, 60),
    columns=st.integers(1, 60),
    seed=st.integers(0, 99),
    n=st.integers(1, 4),
)
def test_single_cells_anywhere_also_on_the_border(
    rows: int, columns: int, seed: int, n: int
) -> None:
    wanted = np.zeros((rows, columns), dtype=bool)
    rng = np.random.default_rng(seed)
    wanted[rng.integers(rows, size=n), rng.integers(columns, size=n)] = True
    assert_same_as_whole(wanted, 6)


@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (8, 20), (9, 20), (33, 41)])
def test_whole_grids_of_any_shape(shape: tuple[int, int]) -> None:
    assert_same_as_whole(np.ones(shape, dtype=bool), 16)


@settings(max_examples=60)
@given(
    wanted=masks,
    layers=st.integers(1, 14),
    seed=st.integers(0, 99),
    share=st.sampled_from([0, 0.002, 0.05]),
    parts=st.integers(1, 3),
)
def test_remembered_features_change_nothing(
    threads: None, wanted: Mask, layers: int, seed: int, share: float, parts: int
) -> None:
    stack, before = network(layers), fields(wanted.shape)
    changed = np.random.default_rng(seed).random(wanted.shape) < share
    now = torch.where(torch.from_numpy(changed), before + 1, before)
    expected = stack(now[None])[0][:, torch.from_numpy(wanted)]
    plan = make_plan(wanted, layers, changed, parts)
    found = evaluate(stack, now, plan, features(stack, before))
    scale = float(expected.abs().max())
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12 * scale)


@settings(max_examples=60)
@given(seed=st.integers(0, 999), layers=st.integers(1, 9))
def test_an_earlier_plan_changes_nothing(seed: int, layers: int) -> None:
    rng = np.random.default_rng(seed)
    before = rng.random((40, 30)) < 0.05
    before[20, 10] = True
    now = before ^ (rng.random(before.shape) < rng.choice([0.001, 0.05]))
    now[20, 10] = True
    stack, inputs = network(layers), fields(now.shape)
    earlier = make_plan(before, layers)
    plan = make_plan(now, layers, earlier=earlier)
    assert torch.equal(
        evaluate(stack, inputs, plan), evaluate(stack, inputs, make_plan(now, layers))
    )
    again = make_plan(now, layers, earlier=plan)
    assert again.groups is plan.groups


def test_an_error_in_one_thread_ends_the_wait_of_the_others(threads: None) -> None:
    def task(part: int, wait: workers.Wait) -> None:
        if part == 2:
            raise MemoryError
        wait()

    with pytest.raises(MemoryError):
        workers.work_together(task, 3)
    assert workers.work_together(lambda part, wait: (wait(), part)[1], 5) == list(range(5))
