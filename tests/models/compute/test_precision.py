"""What precision to learn in: decided by the device, and no worse for it."""

from __future__ import annotations

import pytest
import torch

from glacier_qgis.models.compute.precision import mixed, reduced_precision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({}, None),
        ({"avx512_f": True, "avx512_bf16": False}, None),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
    ],
)
def test_a_processor_learns_in_bfloat16_only_where_it_multiplies_it(
    flags: dict[str, bool], expected: torch.dtype | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags)
    assert reduced_precision(CPU) is expected


@pytest.mark.parametrize("supported", [True, False])
def test_a_graphics_card_is_asked_for_its_own_units(
    supported: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(including_emulation: bool = True) -> bool:
        return supported or including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", answer)
    expected = torch.bfloat16 if supported else None
    assert reduced_precision(torch.device("cuda")) is expected
    assert reduced_precision(torch.device("mps")) is None


def test_mixed_precision_computes_convolutions_in_it_and_only_inside() -> None:
    network, image = torch.nn.Conv2d(2, 4, 3), torch.randn(1, 2, 8, 8)
    with mixed(CPU, torch.bfloat16):
        assert network(image).dtype is torch.bfloat16
    with mixed(CPU, None):
        assert network(image).dtype is torch.float32
