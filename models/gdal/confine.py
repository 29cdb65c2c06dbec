"""Keeps GDAL to files: no driver of a service, no address that a file names, no code in a file.

GDAL reads these variables when it starts, each copy of it that a package brings: call it first.
"""

from __future__ import annotations

import os

SERVICES = (
    *("WMS", "WMTS", "WCS", "HTTP", "EEDA", "EEDAI", "PLMOSAIC", "STACTA", "STACIT", "DAAS", "GTI"),
    *("WFS", "OAPIF", "OGCAPI", "CSW", "NGW", "Elasticsearch", "Carto", "AmigoCloud", "PLSCENES"),
    *("ADBC", "GDALG", "GPSBabel", "OGR_VRT"),
)
"""Drivers whose files are descriptions of what lies elsewhere, or call other programs. Those
of databases are not in the packages of the engine, and GDAL warns of a name that it lacks."""
NOTHING = "nothing"
ALLOWED_ADDRESS = "CPL_VSIL_CURL_ALLOWED_FILENAME"
"""GDAL's option with the only name that its file systems of the network may open."""

NO_LISTING = "GDAL_DISABLE_READDIR_ON_OPEN"
"""GDAL's option that keeps it from asking what else lies beside a file."""


def keep_gdal_to_files() -> None:
    """Set GDAL's variables for this process and those that it starts."""
    skipped = [*filter(None, os.environ.get("GDAL_SKIP", "").split(",")), *SERVICES]
    os.environ["GDAL_SKIP"] = ",".join(dict.fromkeys(skipped))
    os.environ[ALLOWED_ADDRESS] = NOTHING
    os.environ["GDAL_VRT_ENABLE_PYTHON"] = "NO"
