"""Raster files that are damaged, or that are none but lead elsewhere."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.windows import Window

from glacier_qgis.models.compute import memory
from glacier_qgis.models.engine.errors import EngineError
from glacier_qgis.models.engine.job import RasterInput
from glacier_qgis.models.raster.footprint import work_grid
from glacier_qgis.models.raster.source import open_raster, read_band, warped

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

EDGE, BLOCK = 256, 64
GRID = {"crs": "EPSG:32633", "transform": Affine(10, 0, 500_000, 0, -10, 8_000_000)}


def write(path: Path, driver: str = "GTiff", bands: int = 2, **options: object) -> Path:
    if driver == "netCDF":  # which rasterio only copies to
        plain = write(path.with_suffix(".tif"), bands=bands)
        rasterio.shutil.copy(plain, path, driver=driver, **options)
        return path
    values = np.random.default_rng(0).integers(1, 255, (bands, EDGE, EDGE), dtype=np.uint8)
    with rasterio.open(
        path, "w", driver, EDGE, EDGE, bands, dtype="uint8", **GRID, **options
    ) as target:
        target.write(values)
    return path


def tiled(path: Path) -> Path:
    tiles = {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK}
    return write(path, interleave="band", compress="deflate", **tiles)


def spoil_block(path: Path, band: int, row: int, column: int) -> None:
    """Overwrite a tile's compressed bytes by ones that do not decompress."""
    with rasterio.open(path) as dataset:
        tags = dataset.tags(ns="TIFF", bidx=band)
        key = f"BLOCK_OFFSET_{column}_{row}"
        offset = int(tags.get(key) or dataset.get_tag_item(key, "TIFF", bidx=band))
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * 64)


def read_all(path: Path | str, band: int = 1) -> None:
    """Read a raster as every job does: on the grid of its work, and as it is."""
    with open_raster(RasterInput(path=str(path)), "SCENE") as scene:
        read_band(scene, work_grid(scene, cell_size=20), band=band)
        scene.dataset.read(band)


@pytest.mark.parametrize("how", ["as it is", "a window", "warped", "averaged"])
def test_a_damaged_block_is_named_by_band_rows_and_columns(tmp_path: Path, how: str) -> None:
    path = tiled(tmp_path / "scene.tif")
    spoil_block(path, 2, 1, 3)
    place = (
        r"^SCENE: .*scene\.tif is damaged in band 2, rows 64 to 127, columns 192 to 255 \(.+\)\. "
        "Copy or download"
    )
    with ExitStack() as stack:
        scene = stack.enter_context(open_raster(RasterInput(path=str(path)), "SCENE"))
        window = Window(128, 0, 128, 256) if how == "a window" else None
        scene.dataset.read(1)
        stack.enter_context(pytest.raises(EngineError, match=place))
        if how in ("as it is", "a window"):
            scene.dataset.read(window=window)
        grid = work_grid(scene, cell_size={"averaged": 40}.get(how, 12))
        stack.enter_context(warped(scene, grid)).read(2)


@pytest.mark.parametrize(
    ("name", "driver", "options"),
    [
        ("scene.tif", "GTiff", {}),
        ("scene.tif", "GTiff", {"tiled": True, "compress": "lzw"}),
        ("scene.nc", "netCDF", {"FORMAT": "NC4", "COMPRESS": "DEFLATE"}),
        ("scene.jp2", "JP2OpenJPEG", {}),
        ("scene.nc", "netCDF", {"FORMAT": "NC"}),
        ("scene.img", "HFA", {}),
        ("scene.png", "PNG", {}),
    ],
)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.7, 0.9])
def test_a_file_that_ends_early_is_called_damaged(
    tmp_path: Path, name: str, driver: str, options: dict[str, object], kept: float
) -> None:
    path = write(tmp_path / name, driver, bands=1, **options)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(EngineError, match=rf"^SCENE: .*{name} .*(damaged|truncated).*download"):
        read_all(path)


WMS = """<GDAL_WMS><Service name="TMS"><ServerUrl>{server}/${{z}}/${{x}}</ServerUrl></Service>
<DataWindow><UpperLeftX>0</UpperLeftX><UpperLeftY>0</UpperLeftY><LowerRightX>2560</LowerRightX>
<LowerRightY>-2560</LowerRightY><SizeX>256</SizeX><SizeY>256</SizeY></DataWindow>
<Projection>EPSG:32633</Projection><BandsCount>1</BandsCount></GDAL_WMS>"""


def virtual(source: str, relative: int = 0, kind: str = "") -> str:
    named = f'<SourceFilename relativeToVRT="{relative}">{source}</SourceFilename>'
    if not kind:
        named = f"<SimpleSource>{named}<SourceBand>1</SourceBand></SimpleSource>"
    return (
        f'<VRTDataset rasterXSize="{EDGE}" rasterYSize="{EDGE}"><SRS>EPSG:32633</SRS>'
        "<GeoTransform>500000,10,0,8000000,0,-10</GeoTransform>"
        f'<VRTRasterBand dataType="Byte" band="1" {kind}>{named}</VRTRasterBand></VRTDataset>'
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("scene.tif", WMS, "description of other rasters or of a network service"),
        ("scene.vrt", WMS, "cannot be opened as a raster"),
        ("scene.tif", virtual("/vsicurl/{server}/x.tif"), "description of other"),
        ("scene.vrt", virtual("/vsicurl/{server}/x.tif"), "not a file on this computer"),
        ("scene.vrt", virtual("/vsicurl_streaming/{server}/x.tif"), "not a file on this computer"),
        ("scene.vrt", virtual("{server}/x.tif"), "not a file on this computer"),
        ("scene.vrt", virtual('NETCDF:"{server}/x.nc":a'), "not a file on this computer"),
        ("scene.vrt", virtual("&lt;VRTDataset/>"), "not a file on this computer"),
        ("scene.vrt", virtual("vrt://{server}/x.tif"), "not a file on this computer"),
        ("scene.vrt", virtual("inner.tif", 1), "its source 'inner.tif' is a description"),
        ("scene.vrt", virtual("inner.vrt", 1), "not a file on this computer"),
        (
            "scene.vrt",
            virtual("/etc/passwd", kind='subClass="VRTRawRasterBand"'),
            "reads the bytes of another file",
        ),
        ("scene.vrt", "<VRTDataset><SRS>", "damaged virtual raster"),
    ],
)
def test_a_file_leads_nowhere_else(
    tmp_path: Path, server: tuple[str, list[str]], name: str, content: str, words: str
) -> None:
    address, asked = server
    (tmp_path / name).write_text(content.format(server=address))
    (tmp_path / "inner.tif").write_text(WMS.format(server=address))
    (tmp_path / "inner.vrt").write_text(virtual(f"/vsicurl/{address}/x.tif"))
    with pytest.raises(EngineError, match=words):
        read_all(tmp_path / name)
    assert asked == []


def test_what_lies_beside_a_raster_leads_nowhere_else(
    tmp_path: Path, server: tuple[str, list[str]]
) -> None:
    address, asked = server
    path = write(tmp_path / "scene.tif")
    path.with_name("scene.tif.aux.xml").write_text(
        '<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">'
        f"/vsicurl/{address}/o.tif</MDI></Metadata></PAMDataset>"
    )
    read_all(path)
    assert asked == []


def test_only_the_very_address_that_a_person_gave_is_asked_for(
    tmp_path: Path, server: tuple[str, list[str]]
) -> None:
    address, asked = server
    with pytest.raises(EngineError, match="404"):
        read_all(f"/vsicurl/{address}/given.tif")
    assert set(asked) == {"/given.tif"}


def test_a_mosaic_of_files_stays_welcome(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    write(tmp_path / "below" / "a.tif")
    write(tmp_path / "b.nc", "netCDF", bands=1)
    for source, relative in [
        ("below/a.tif", 1),
        (str(tmp_path / "below" / "a.tif"), 0),
        (f'NETCDF:"{tmp_path / "b.nc"}":Band1', 0),
    ]:
        path = tmp_path / "scene.vrt"
        path.write_text(virtual(source, relative))
        read_all(path)
        outer = tmp_path / "outer.vrt"
        outer.write_text(virtual("scene.vrt", 1))
        read_all(outer)


@pytest.mark.parametrize("cell", [66.0, 0.01])
def test_sizes_that_do_not_fit_are_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: float
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 1 << 30)
    path, edge = tmp_path / "scene.tif", 400_000
    tiles = {"tiled": True, "blockxsize": 2048, "blockysize": 2048, "sparse_ok": True}
    options = {"bigtiff": "yes", "compress": "deflate", "crs": "EPSG:32633", **tiles}
    transform = Affine(0.5, 0, 500_000, 0, -0.5, 8_000_000)
    with rasterio.open(
        path, "w", "GTiff", edge, edge, 1, dtype="uint8", transform=transform, **options
    ):
        pass
    with open_raster(RasterInput(path=str(path)), "SCENE") as scene:
        assert not scene.dataset.read(1, window=Window(edge // 2, edge // 2, 512, 512)).any()
        assert read_band(scene, work_grid(scene), Window(9, 9, 64, 64)).shape == (64, 64)
        with pytest.raises(
            EngineError, match=r"would need .* GiB of memory, and 1\.0 GiB are free"
        ):
            read_band(scene, work_grid(scene, cell_size=cell))
