"""Fixtures, windows and layers; in the Python that QGIS runs in."""
