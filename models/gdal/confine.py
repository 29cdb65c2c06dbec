"""Restricts GDAL to files: no drivers of services, no addresses or code inside a file.

Each copy of GDAL that a package brings reads these variables when it starts, so set them first.
"""

from __future__ import annotations

import os

SERVICES = (
    *("WMS", "WMTS", "WCS", "HTTP", "EEDA", "EEDAI", "PLMOSAIC", "STACTA", "STACIT", "DAAS", "GTI"),
    *("WFS", "OAPIF", "OGCAPI", "CSW", "NGW", "Elasticsearch", "Carto", "AmigoCloud", "PLSCENES"),
    *("ADBC", "GDALG", "GPSBabel", "OGR_VRT"),
)
"""Drivers whose files describe data elsewhere, or call other programs. Drivers of databases are not
in the engine's packages, and GDAL warns of names that it does not know."""
NOTHING = "nothing"
ALLOWED_ADDRESS = "CPL_VSIL_CURL_ALLOWED_FILENAME"
"""GDAL option: the only name that its network file systems may open."""

NO_LISTING = "GDAL_DISABLE_READDIR_ON_OPEN"
"""GDAL option that stops it from listing the files beside a file."""


def keep_gdal_to_files() -> None:
    """Set GDAL's variables for this process and its child processes."""
    skipped = [*filter(None, os.environ.get("GDAL_SKIP", "").split(",")), *SERVICES]
    os.environ["GDAL_SKIP"] = ",".join(dict.fromkeys(skipped))
    os.environ[ALLOWED_ADDRESS] = NOTHING
    os.environ["GDAL_VRT_ENABLE_PYTHON"] = "NO"
