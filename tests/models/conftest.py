"""GDAL and threads as the engine sets them up, before any test imports rasterio or torch."""

from glacier_qgis.models.engine.confine import keep_gdal_to_files
from glacier_qgis.models.engine.device import rest_idle_threads

keep_gdal_to_files()
rest_idle_threads()
