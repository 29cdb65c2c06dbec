"""Threads as the engine sets them up, before any test imports torch."""

from glacier_qgis.models.engine.device import rest_idle_threads

rest_idle_threads()
