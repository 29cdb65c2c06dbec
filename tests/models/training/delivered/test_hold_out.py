"""A held-out glacier is held out for all sensors."""

from __future__ import annotations

import numpy as np
import pytest

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.training.data.samples import LabelledScene
from glacier_qgis.models.training.delivered.hold_out import hold_out


def scene(group: str) -> LabelledScene:
    image = np.ones((2, 2), np.uint8)
    return LabelledScene(group, group, "2012-01-01", image, image, image < 0, (60.0, 60.0))


SCENES = [scene(name) for name in ("JAC", "SI", "Landsat-Jakobshavn", "Landsat-Sverdrup")]


@pytest.mark.parametrize("kept", ["JAC", "Landsat-Jakobshavn"])
def test_one_glacier_is_held_out_by_radar_and_in_visible_light(kept: str) -> None:
    learnt, held_out = hold_out(SCENES, [kept])
    assert [each.group for each in learnt] == ["SI", "Landsat-Sverdrup"]
    assert [each.group for each in held_out] == ["JAC", "Landsat-Jakobshavn"]


def test_no_other_glacier_is_held_out() -> None:
    learnt, held_out = hold_out(SCENES, ["SI"])
    assert [each.group for each in held_out] == ["SI"]
    assert len(learnt) + len(held_out) == len(SCENES)
    assert hold_out(SCENES, []) == (SCENES, [])


def test_an_unknown_glacier_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(EngineError, match="Columbia: choose from JAC, Landsat-Jakobshavn"):
        hold_out(SCENES, ["SI", "Columbia"])
