"""Pictures of reports, as another reader of PNG sees them."""

from __future__ import annotations

import numpy as np
import pytest
from rasterio.io import MemoryFile

from glacier_qgis.models.report.png import png_bytes


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("shape", [(7, 11), (7, 11, 3)], ids=["grey", "colour"])
def test_every_value_of_every_pixel_is_kept(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    with MemoryFile(png_bytes(picture)) as file, file.open() as raster:
        assert raster.driver == "PNG"
        assert raster.dtypes == ("uint8",) * raster.count
        found = np.moveaxis(raster.read(), 0, -1)
    np.testing.assert_array_equal(found, np.atleast_3d(picture))
