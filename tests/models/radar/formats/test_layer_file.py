from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import io

from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.radar.formats.layer_file import (
    LayerFile,
    read_layer_file,
    write_layer_file,
)


def layers(traces: int = 20) -> LayerFile:
    rng = np.random.default_rng(4)
    time = rng.uniform(1e-6, 2e-6, (3, traces))
    time[2, 5:9] = np.nan
    return LayerFile(
        ids=np.array([1, 2, 17]),
        time=time,
        quality=rng.integers(1, 4, (3, traces)),
        kinds=rng.integers(1, 3, (3, traces)),
        gps_time=1.336e9 + rng.random(traces).cumsum(),
        latitude=rng.uniform(60, 80, traces),
        longitude=rng.uniform(-180, 180, traces),
        elevation=rng.uniform(0, 3000, traces),
    )


def test_a_layer_file_reads_back_the_same_to_the_bit(tmp_path: Path) -> None:
    sent = layers()
    write_layer_file(tmp_path / "a.mat", sent)

    got = read_layer_file(tmp_path / "a.mat", "LAYERS")

    for name in vars(sent):
        np.testing.assert_array_equal(getattr(got, name), getattr(sent, name))
    variables = {name: shape for name, shape, _ in io.whosmat(tmp_path / "a.mat")}
    assert variables["twtt"] == (3, 20)
    assert variables["gps_time"] == (1, 20)
    assert variables["id"] == (3, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"id": [1.0], "gps_time": [0.0, 1.0]}, "it lacks twtt"),
        (
            {"id": [1.0], "gps_time": [0.0, 1.0], "twtt": [[1.0]]},
            "twtt is 1 × 1, for 1 layers and 2",
        ),
        ({"layerData": [1.0]}, "before 2021"),
    ],
)
def test_what_is_not_a_layer_file_is_refused(
    tmp_path: Path, content: dict[str, object], message: str
) -> None:
    io.savemat(tmp_path / "a.mat", content)
    with pytest.raises(EngineError, match=message):
        read_layer_file(tmp_path / "a.mat", "LAYERS")
