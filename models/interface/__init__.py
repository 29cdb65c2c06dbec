"""The main jobs as functions for Python: in the caller's process, on files or objects in memory.

They are public as :mod:`glacier_qgis.models`.
"""
