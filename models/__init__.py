"""The engine: networks, numerics and raster work, in an interpreter of its own.

Nothing below this package imports QGIS. It is started with one job and answers
with events; see :mod:`glacier_qgis.models.engine`.
"""
